"""The command `studies verify NAME`: checks that the records of a study are sound, one line for each check."""

import argparse
import sys
from collections.abc import Sequence
from contextlib import suppress
from typing import TYPE_CHECKING

from studies._cli import run_door
from studies.planning.command_line import add_storage
from studies.storage.paths import Locations, locate

if TYPE_CHECKING:
    from studies.database.store import Store


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the result of every check; return 0 if all hold, 1 if one fails."""
    return run_door(_parser(), arguments, _work)


def _work(options: argparse.Namespace) -> int:
    from studies.database.store import Store
    from studies.terminal.output import show, show_json
    from studies.terminal.verification_page import as_json, verification_page
    from studies.verification.verification import verify

    locations = locate(options.storage, options.output)
    with Store.open(locations.storage, create=False) as store:
        locations = _found(store, options.name, locations)
        folder, there = locations.folder(options.name), locations.at_place(options.name)
        found = verify(store, options.name, folder, there)
    if options.json:
        show_json(as_json(found))
    else:
        show(verification_page(found))
    return 0 if found.is_sound else 1


def _found(store: "Store", name: str, locations: Locations) -> Locations:
    """Return where a study's files lie; raise UsageError that lists the studies if there is none of this name."""
    from studies.database.engines.problems import StorageError
    from studies.database.lookup import find
    from studies.storage.remembered import remembering

    # A damaged row may not be readable and so name no folder; the checks report it.
    with suppress(ValueError, LookupError, StorageError):
        locations = remembering(store, find(store, name), locations)
    return locations


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="studies verify",
        description="Check that everything recorded of a study is there, once, as the plan and ASHA have it, and as it "
        "was written: the plan and I1 to I9, 10 checks in all; exits with 1 if one fails. It writes nothing, and the "
        "study may be running.",
        epilog="Example: studies verify depth_study",
    )
    parser.add_argument("name", metavar="NAME", help="a study in the database (studies list)")
    parser.add_argument(
        "--json", action="store_true", help="print it as one JSON object, with up to 100 faults of each check"
    )
    add_storage(parser)
    return parser


if __name__ == "__main__":
    sys.exit(main())
