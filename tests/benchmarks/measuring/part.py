"""What every part of the benchmarks has in common: its command line, and the settings under which workers run."""

import argparse
import os
import sys

from studies.cluster.cluster import ENVIRONMENT


def part_parser(doc: str | None) -> argparse.ArgumentParser:
    """Return a parser that knows --quick; `doc` is the part's own docstring."""
    parser = argparse.ArgumentParser(description=doc, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="a look in seconds instead of minutes")
    return parser


def run_with_the_memory_of_a_worker(name: str) -> None:
    """Start this part again with the settings of a worker; glibc reads them at a program's start only."""
    settings = {key: value for key, value in ENVIRONMENT.items() if key.startswith("MALLOC_")}
    if not settings.items() <= os.environ.items():
        words = [sys.executable, "-m", f"tests.benchmarks.{name}", *sys.argv[1:]]
        os.execve(sys.executable, words, {**os.environ, **settings})
