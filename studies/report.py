"""The command `studies report NAME [OTHER]`: makes a report from the database alone."""

import argparse
import sys
import webbrowser
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from studies._cli import run_door
from studies.base.errors import UsageError
from studies.planning.command_line import add_storage
from studies.storage.paths import Locations, check_writable, locate

if TYPE_CHECKING:
    from studies.database.rows import StudyRow
    from studies.database.store import Store


def main(arguments: Sequence[str] | None = None) -> int:
    """Make a study's report, the page of one trial, or one page that compares two studies, and return the exit code."""
    return run_door(_parser(), arguments, _work)


def _work(options: argparse.Namespace) -> int:
    from studies.database.lookup import find
    from studies.database.store import Store
    from studies.storage.remembered import remembering
    from studies.verification.damage import explaining_damage, refuse_damaged

    if options.trial is not None and options.other is not None:
        raise UsageError(["--trial goes with one study, and two are named"], "Leave out OTHER or --trial.")
    locations = locate(options.storage, options.output)
    with Store.open(locations.storage, create=False) as store:
        names = [options.name] if options.other is None else [options.name, options.other]
        with explaining_damage(store, *names):
            studies = [find(store, name) for name in names]
            locations = remembering(store, studies[0], locations)
            check_writable(locations.output)
            refuse_damaged(store, *names, of_page=True)
            path = _make(store, studies, options.trial, locations)
    print(path)
    if options.open:
        webbrowser.open(path.absolute().as_uri())
    return 0


def _make(store: "Store", studies: "Sequence[StudyRow]", trial: int | None, locations: Locations) -> Path:
    from studies.results.report_inputs import make_comparison, make_report, make_trial_page

    if len(studies) > 1:
        return make_comparison(store, studies[0], studies[1], locations)
    if trial is not None:
        return make_trial_page(store, studies[0], trial, locations)
    return make_report(store, studies[0], locations)


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
