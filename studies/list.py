"""The command `studies list`: lists recorded studies, or with --catalog those that can be run."""

import argparse
import sys
from collections.abc import Sequence

from studies._cli import run_door
from studies.planning.command_line import add_storage
from studies.storage.paths import locate


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the studies in the database, or those of the catalog, and return the exit code."""
    return run_door(_parser(), arguments, _work)


def _work(options: argparse.Namespace) -> int:
    from studies.database.schema import migrate
    from studies.database.store import Store
    from studies.terminal import list_page
    from studies.terminal.output import show
    from studies.verification.damage import explaining_damage, refuse_damaged_trials

    if options.catalog:
        show(list_page.catalog_page())
        return 0
    storage = locate(options.storage, options.output).storage
    if migrate.current(storage)[0].state is migrate.SchemaState.EMPTY:
        show(list_page.nothing_page())
        return 0
    with Store.open(storage, create=False) as store, explaining_damage(store):
        refuse_damaged_trials(store)
        show(list_page.list_page(store))
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="studies list",
        description="List the studies in the database, newest first: name, state, progress, start and question.",
        epilog="Example: studies list --catalog",
    )
    parser.add_argument(
        "--catalog", action="store_true", help="list the studies that can be run instead, with their profiles"
    )
    add_storage(parser)
    return parser


if __name__ == "__main__":
    sys.exit(main())
