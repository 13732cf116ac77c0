"""The command `studies new FILE`: writes an annotated study file that runs."""

import argparse
import shlex
import sys
from collections.abc import Sequence
from pathlib import Path

from studies._cli import run_door


def main(arguments: Sequence[str] | None = None) -> int:
    """Write a study file, print what to do next, and return the exit code."""
    return run_door(_parser(), arguments, _work)


def _work(options: argparse.Namespace) -> int:
    from studies.base.wording import printable
    from studies.user_files.template import write_study_file

    path = Path(options.file)
    write_study_file(path, options.source)
    # With a folder in front, a path is never taken for the name of a study in the catalog.
    word = shlex.quote(options.file if "/" in options.file else f"./{options.file}")
    lines = (
        f"wrote {options.file}, which starts as {options.source}",
        "Change its question, factors and what is fixed; then:",
        f"  studies plan {word}",
        f"  studies run {word} --profile smoke",
    )
    print(printable("\n".join(lines)))
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="studies new",
        description="Write a study file of your own: an annotated copy of a study, which runs as it is. "
        "A file that exists is never overwritten.",
        epilog="Example: studies new my_study.py --from dropout_study",
    )
    parser.add_argument("file", metavar="FILE", help="the file to write, such as my_study.py")
    parser.add_argument(
        "--from",
        dest="source",
        default="depth_study",
        metavar="STUDY",
        help="the study to start from: one of the catalog, or a .py file (default: depth_study)",
    )
    parser.add_argument("--debug", action="store_true", help="show the traceback of an error")
    return parser


if __name__ == "__main__":
    sys.exit(main())
