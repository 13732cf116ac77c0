"""What SQLite says of a file's soundness."""

from collections import Counter
from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError


def check_file(connection: Connection) -> tuple[str, list[str]]:
    """Have every page, index and reference read, whichever study it belongs to; return what was asked, and faults."""
    lost: Counter[tuple[str, str]] = Counter()
    pages, broken = _ask(connection, "integrity_check")
    references, unreadable = _ask(connection, "foreign_key_check")
    lost.update((str(row[0]), str(row[2])) for row in references)
    faults = [
        *(" ".join(str(row[0]).split()) for row in pages if row[0] != "ok"),
        *(f"{count} rows of {table} refer to no {parent}" for (table, parent), count in lost.items()),
    ]
    return "SQLite's integrity_check and foreign_key_check", [*faults, *broken, *unreadable]


def _ask(connection: Connection, pragma: str) -> tuple[Sequence[Sequence[Any]], list[str]]:
    """Return what a check found, or why it could not be made, as where a table that is referred to has lost its key."""
    try:
        return connection.exec_driver_sql(f"PRAGMA {pragma}").all(), []
    except DBAPIError as error:
        return [], [f"{pragma}: {error.orig}"]
