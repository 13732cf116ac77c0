"""The door to a report: `studies report NAME [OTHER]` makes it again from the database alone."""

import argparse
import sys
import webbrowser
from collections.abc import Sequence

from studies.errors import UsageError
from studies.locations import check_writable, locate
from studies.options import add_storage, run_door


def main(arguments: Sequence[str] | None = None) -> int:
    """Make a study's report, the page of one trial, or one page that compares two studies, and return the exit code."""
    return run_door(_parser(), arguments, _work)


def _work(options: argparse.Namespace) -> int:
    from studies.database.store import Store
    from studies.recorded import find
    from studies.remembered import remembering
    from studies.reporting import make_comparison, make_report, make_trial_page

    if options.trial is not None and options.other is not None:
        raise UsageError(["--trial goes with one study, and two are named"], "Leave out OTHER or --trial.")
    locations = locate(options.storage, options.output)
    with Store.open(locations.storage, create=False) as store:
        study = find(store, options.name)
        locations = remembering(store, study, locations)
        check_writable(locations.output)
        if options.trial is not None:
            path = make_trial_page(store, study, options.trial, locations)
        elif options.other is not None:
            path = make_comparison(store, study, find(store, options.other), locations)
        else:
            path = make_report(store, study, locations)
    print(path)
    if options.open:
        webbrowser.open(path.absolute().as_uri())
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="studies report",
        description="Make a study's report again from the database, finished or not; "
        "with two studies, one page that sets them side by side.",
        epilog="Example: studies report depth_study --open",
    )
    parser.add_argument("name", metavar="NAME", help="a study in the database (studies list)")
    parser.add_argument("other", metavar="OTHER", nargs="?", help="a second study, to compare the two")
    parser.add_argument(
        "--trial",
        type=int,
        metavar="N",
        help="only this trial's page: its losses, every layer over the epochs, its networks' verdicts and why",
    )
    parser.add_argument("--open", action="store_true", help="open the report in a browser")
    add_storage(parser)
    return parser


if __name__ == "__main__":
    sys.exit(main())
