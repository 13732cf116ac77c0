"""The command `studies database current|upgrade|backup`, about the schema of a storage."""

import argparse
import sys
from collections.abc import Sequence

from studies._cli import run_door
from studies.base.wording import printable
from studies.database.schema import migrate
from studies.storage.paths import DEFAULT_STORAGE, locate


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one of the three subcommands and return its exit code."""
    return run_door(_parser(), arguments, _work)


def _work(options: argparse.Namespace) -> int:
    print(printable(_COMMANDS[options.command](locate(options.storage).storage)))
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="studies database", description="The schema of a storage.")
    about = (
        "current: say which schema it has; upgrade: bring it up to date; backup: copy it to a file beside it"
    )
    parser.add_argument("command", choices=tuple(_COMMANDS), help=about)
    given = f"the storage (default: STUDIES_STORAGE, else {DEFAULT_STORAGE})"
    parser.add_argument("--storage", metavar="URL", help=given)
    parser.add_argument("--debug", action="store_true", help="show the traceback of an error")
    return parser


def _current(url: str) -> str:
    found, newest = migrate.current(url)
    if found.revision is None:
        return f"no schema of Studies ({found.state.name.lower()}); the newest is {newest}"
    return f"schema {found.revision} ({found.state.name.lower()}); the newest is {newest}"


def _upgrade(url: str) -> str:
    copied = migrate.upgrade(url)
    where = "" if copied is None else f"; the database as it was: {copied}"
    return f"schema {migrate.head()}{where}"


def _backup(url: str) -> str:
    return f"copied to {migrate.backup(url)}"


_COMMANDS = {"current": _current, "upgrade": _upgrade, "backup": _backup}

if __name__ == "__main__":
    sys.exit(main())
