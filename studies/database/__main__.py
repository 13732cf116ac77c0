"""The door to the schema of a storage: `python -m studies.database current|upgrade|backup`."""

import argparse
import sys
from collections.abc import Sequence

from studies.database import schema
from studies.errors import StudiesError
from studies.locations import DEFAULT_STORAGE, locate


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one of the three commands and return its exit code."""
    options = _parser().parse_args(arguments)
    try:
        print(_COMMANDS[options.command](locate(options.storage).storage))
    except StudiesError as error:
        print(error, file=sys.stderr)
        return error.exit_code
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m studies.database", description="The schema of a storage."
    )
    about = (
        "current: say which schema it has; upgrade: bring it up to date; backup: copy it to a file beside it"
    )
    parser.add_argument("command", choices=tuple(_COMMANDS), help=about)
    given = f"the storage (default: STUDIES_STORAGE, else {DEFAULT_STORAGE})"
    parser.add_argument("--storage", metavar="URL", help=given)
    return parser


def _current(url: str) -> str:
    found, newest = schema.current(url)
    if found.revision is None:
        return f"no schema of Studies ({found.condition.name.lower()}); the newest is {newest}"
    return f"schema {found.revision} ({found.condition.name.lower()}); the newest is {newest}"


def _upgrade(url: str) -> str:
    copied = schema.upgrade(url)
    where = "" if copied is None else f"; the database as it was: {copied}"
    return f"schema {schema.head()}{where}"


def _backup(url: str) -> str:
    return f"copied to {schema.backup(url)}"


_COMMANDS = {"current": _current, "upgrade": _upgrade, "backup": _backup}

if __name__ == "__main__":
    sys.exit(main())
