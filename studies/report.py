"""The door to a report: `python -m studies.report NAME` makes it again from the database alone."""

import argparse
import sys
import webbrowser
from collections.abc import Sequence

from studies.locations import check_writable, locate
from studies.options import add_storage, run_door


def main(arguments: Sequence[str] | None = None) -> int:
    """Make a study's report and return the exit code."""
    return run_door(_parser(), arguments, _work)


def _work(options: argparse.Namespace) -> int:
    from studies.database.store import Store
    from studies.recorded import find
    from studies.reporting import make_report

    locations = locate(options.storage, options.output)
    check_writable(locations.output)
    with Store.open(locations.storage, create=False) as store:
        path = make_report(store, find(store, options.name), locations)
    print(path)
    if options.open:
        webbrowser.open(path.absolute().as_uri())
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m studies.report",
        description="Make a study's report again from the database, finished or not.",
        epilog="Example: python -m studies.report depth_study --open",
    )
    parser.add_argument("name", metavar="NAME", help="a study in the database (python -m studies.list)")
    parser.add_argument("--open", action="store_true", help="open the report in a browser")
    add_storage(parser)
    return parser


if __name__ == "__main__":
    sys.exit(main())
