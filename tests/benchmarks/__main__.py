"""Runs the benchmarks: `python -m tests.benchmarks [PART ...] [--quick]`; a full run takes about an hour.

Each part runs in a process of its own and prints Markdown. A full run writes its sections to RESULTS.md and leaves
those of other parts as they are; `--quick` takes under three minutes on two cores and writes nothing unless asked.
"""

import argparse
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from tests.benchmarks.measuring.machine import describe_load, describe_machine, load, now
from tests.benchmarks.measuring.results_page import Section, write_sections

RESULTS = Path(__file__).with_name("RESULTS.md")
PARTS = {
    "comparison": "Against plain ways of training the same networks",
    "ends": "Before the first epoch, and after the last trial",
    "training_step": "A training step against its matrix products",
    "recording": "What recording gradients costs",
    "cost": "How the cost grows with replicates, width, depth and data",
    "driver": "Whether the driver keeps up",
    "growth": "Whether anything grows faster than the trials",
    "hundred_thousand": "100,000 trials in the database",
}
ROOT = Path(__file__).parents[2]


def run_part(name: str, *, quick: bool) -> Section:
    """Run one part and return what it printed, with when and where, and how busy the machine was."""
    words = ["-m", f"tests.benchmarks.{name}", *(["--quick"] if quick else [])]
    before, began = load(), time.perf_counter()
    done = subprocess.run([sys.executable, *words], stdout=subprocess.PIPE, text=True, check=False, cwd=ROOT)
    if done.returncode:
        raise SystemExit(f"tests.benchmarks.{name} failed with {done.returncode}; what it said stands above")
    return Section(
        title=PARTS[name],
        command=" ".join(["python", *words]),
        measured=f"{now()}, in {time.perf_counter() - began:.0f} s on {describe_machine()}",
        load=describe_load(before, load()),
        body=done.stdout.strip(),
    )


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the parts that are named, or all, one after the other."""
    parser = _parser()
    options = parser.parse_args(arguments)
    for name in options.parts:
        if name not in PARTS:
            parser.error(f"there is no part {name!r} (choices: {', '.join(PARTS)})")
    output = options.output or (None if options.quick else RESULTS)
    began = time.perf_counter()
    for name in options.parts or PARTS:
        section = run_part(name, quick=options.quick)
        print(section.render(), flush=True)
        if output is not None:
            write_sections(output, {name: section}, order=list(PARTS))
    print(f"{time.perf_counter() - began:.0f} s in all", file=sys.stderr)
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m tests.benchmarks",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"any of {', '.join(PARTS)}")
    parser.add_argument("--quick", action="store_true", help="a look at everything in under three minutes")
    parser.add_argument(
        "--output", type=Path, help="where to write the sections (default: RESULTS.md, if not quick)"
    )
    return parser


if __name__ == "__main__":
    sys.exit(main())
