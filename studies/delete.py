"""The command `studies delete NAME`: deletes a study's rows and folder, after asking."""

import argparse
import sys
from collections.abc import Sequence

from studies._cli import run_door
from studies.base.errors import StudiesError, UsageError
from studies.planning.command_line import add_storage
from studies.storage.paths import locate


def main(arguments: Sequence[str] | None = None) -> int:
    """Delete a study and return the exit code."""
    return run_door(_parser(), arguments, _work)


def _work(options: argparse.Namespace) -> int:
    from studies.base.wording import printable
    from studies.database.lookup import find
    from studies.database.store import Store
    from studies.execution.deletion import delete, find_deletion_plan
    from studies.storage.remembered import remembering

    locations = locate(options.storage, options.output)
    with Store.open(locations.storage, create=False) as store:
        study = find(store, options.name)
        locations = remembering(store, study, locations)
        deletion_plan = find_deletion_plan(store, study, locations)
        if not options.yes:
            _insist_on_terminal(options.name)
            print(printable(deletion_plan.describe()))
            _ask(options.name)
        delete(store, deletion_plan, locations)
    print(printable(f"deleted {deletion_plan.describe()}"))
    return 0


def _insist_on_terminal(name: str) -> None:
    if not sys.stdin.isatty():
        raise UsageError(
            [f"{name} was not deleted: there is no terminal on which to ask"],
            "Add --yes to delete it without being asked.",
        )


def _ask(name: str) -> None:
    """Return if the study's name is typed; raise StudiesError otherwise."""
    try:
        answer = input("All of it goes, for good. Type the study's name to delete it: ")
    except EOFError:
        answer = ""
    if answer.strip() != name:
        raise StudiesError(
            "that is not its name: nothing was deleted", "Give the same command again and type the name."
        )


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="studies delete",
        description="Delete a study: everything recorded for it, and its folder with reports and models. "
        "It asks before; a study that a run holds is refused.",
        epilog="Example: studies delete depth_study-smoke",
    )
    parser.add_argument("name", metavar="NAME", help="a study in the database (studies list)")
    parser.add_argument("--yes", action="store_true", help="delete it without asking")
    add_storage(parser)
    return parser


if __name__ == "__main__":
    sys.exit(main())
