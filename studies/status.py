"""The command `studies status NAME`: prints the status of a study, once or until it ends."""

import argparse
import sys
from collections.abc import Sequence

from studies._cli import run_door
from studies.base.stop_signal import RunInterruptedError
from studies.planning.command_line import add_storage
from studies.storage.paths import locate


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the status of a study and return the exit code."""
    return run_door(_parser(), arguments, _work)


def _work(options: argparse.Namespace) -> int:
    from studies.database.lookup import find
    from studies.database.store import Store
    from studies.storage.remembered import remembering
    from studies.terminal.output import show, show_json
    from studies.terminal.status import as_json, read_status
    from studies.terminal.status_page import follow, status_page
    from studies.verification.damage import explaining_damage, refuse_damaged_trials

    locations = locate(options.storage, options.output)
    with Store.open(locations.storage, create=False) as store, explaining_damage(store, options.name):
        locations = remembering(store, find(store, options.name), locations)
        refuse_damaged_trials(store, options.name)
        if options.watch:
            try:
                follow(lambda: read_status(store, options.name, locations))
            except KeyboardInterrupt as interrupt:
                return RunInterruptedError.by(interrupt, "").exit_code
        elif options.json:
            show_json(as_json(read_status(store, options.name, locations)))
        else:
            show(status_page(read_status(store, options.name, locations)))
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="studies status",
        description="Say how a study stands: progress, workers, the best so far, and what failed.",
        epilog="Example: studies status depth_study --watch",
    )
    parser.add_argument("name", metavar="NAME", help="a study in the database (studies list)")
    how = parser.add_mutually_exclusive_group()
    how.add_argument(
        "--watch",
        action="store_true",
        help="look again every 2 s until the study ends; Ctrl-C leaves the study alone",
    )
    how.add_argument("--json", action="store_true", help="print it as one JSON object")
    add_storage(parser)
    return parser


if __name__ == "__main__":
    sys.exit(main())
