"""The command `studies logs NAME`: prints the log of a study's runs, or follows it."""

import argparse
import sys
from collections.abc import Sequence

from studies._cli import run_door
from studies.base.stop_signal import RunInterruptedError
from studies.planning.command_line import add_storage
from studies.storage.paths import locate


def main(arguments: Sequence[str] | None = None) -> int:
    """Print a study's log and return the exit code."""
    return run_door(_parser(), arguments, _work)


def _work(options: argparse.Namespace) -> int:
    from studies.database.lookup import find
    from studies.database.store import Store
    from studies.storage.remembered import remembered_locations
    from studies.terminal.log_page import show_log
    from studies.verification.damage import explaining_damage

    locations = locate(options.storage, options.output)
    with Store.open(locations.storage, create=False) as store:
        with explaining_damage(store, options.name):
            study = find(store, options.name)
            locations = remembered_locations(store, study, locations)
        try:
            show_log(
                store,
                study,
                locations,
                num_lines=options.lines,
                follow=options.follow,
            )
        except KeyboardInterrupt as interrupt:
            return RunInterruptedError.by(interrupt, "").exit_code
    return 0


def _lines(typed: str) -> int:
    number = int(typed)
    if number < 0:
        raise ValueError
    return number


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="studies logs",
        description="Print what the runs of a study have done: steps, progress, what went wrong, how they ended. The "
        "log of a job that was submitted to a cluster comes from there.",
        epilog="Example: studies logs depth_study -f",
    )
    parser.add_argument("name", metavar="NAME", help="a study in the database (studies list)")
    parser.add_argument(
        "-f",
        "--follow",
        action="store_true",
        help="go on with what is added until no run works on the study; Ctrl-C leaves the study alone",
    )
    parser.add_argument(
        "-n", "--lines", type=_lines, metavar="N", help="the last N lines only (default: all that is kept)"
    )
    add_storage(parser)
    return parser


if __name__ == "__main__":
    sys.exit(main())
