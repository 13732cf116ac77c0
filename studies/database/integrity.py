"""The database's own integrity checks, and a check that its tables still have their keys."""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

import sqlalchemy
from sqlalchemy import Connection, Inspector, Table, text
from sqlalchemy.exc import DBAPIError

from studies.database.schema import tables


def check_file(connection: Connection) -> tuple[str, list[str]]:
    """Run SQLite's checks of all pages, indexes and references; return their names and a line for each fault."""
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
    """Return the rows of a check; or, if it fails, as where a referenced table has lost its key, the error."""
    try:
        return connection.exec_driver_sql(f"PRAGMA {pragma}").all(), []
    except DBAPIError as error:
        return [], [f"{pragma}: {error.orig}"]


_UNCHECKED_CONSTRAINTS = text(
    "SELECT conrelid::regclass::text || ': the constraint ' || conname || ' was never checked' FROM pg_constraint "
    "WHERE connamespace = current_schema()::regnamespace AND NOT convalidated ORDER BY 1"
)
_BROKEN_INDEXES = text(
    "SELECT indrelid::regclass::text || ': the index ' || indexrelid::regclass::text || ' is not valid' FROM pg_index "
    "JOIN pg_class ON pg_class.oid = indexrelid WHERE relnamespace = current_schema()::regnamespace "
    "AND NOT (indisvalid AND indisready) ORDER BY 1"
)
_DAMAGED_PAGES = text("SELECT checksum_failures FROM pg_stat_database WHERE datname = current_database()")
_AMCHECK = text(
    "SELECT coalesce(has_function_privilege(to_regprocedure('bt_index_check(regclass, boolean)')::oid, 'EXECUTE'), "
    "false)"
)
_INDEXES = text(
    "SELECT indexrelid::regclass::text FROM pg_index JOIN pg_class ON pg_class.oid = indexrelid "
    "JOIN pg_am ON pg_am.oid = relam WHERE relnamespace = current_schema()::regnamespace AND amname = 'btree' "
    "AND indisvalid ORDER BY 1"
)
_CHECK_INDEX = text("SELECT bt_index_check(CAST(:name AS regclass), true)")


def check_server(connection: Connection) -> tuple[str, list[str]]:
    """Check PostgreSQL's constraints, indexes and page checksums; return what was checked, and a line per fault.

    The extension amcheck, if installed and permitted, compares every index with its table.
    """
    num_damaged = connection.scalar(_DAMAGED_PAGES)
    has_amcheck = bool(connection.scalar(_AMCHECK))
    faults = [
        *connection.scalars(_UNCHECKED_CONSTRAINTS),
        *connection.scalars(_BROKEN_INDEXES),
        *([f"{num_damaged} pages failed their checksums"] if num_damaged else []),
        *(_differing_indexes(connection) if has_amcheck else []),
    ]
    checksums = "no page checksums" if num_damaged is None else "page checksums"
    amcheck = "amcheck" if has_amcheck else "no amcheck"
    return f"PostgreSQL's constraints and indexes, {checksums}, {amcheck}", faults


def _differing_indexes(connection: Connection) -> Iterator[str]:
    """Yield a line for each index in which amcheck finds a fault; no time limit, as indexes may be large."""
    connection.execute(text("SET LOCAL statement_timeout = 0"))
    for name in connection.scalars(_INDEXES).all():
        try:
            with connection.begin_nested():
                connection.execute(_CHECK_INDEX, {"name": name})
        except DBAPIError as error:
            yield f"the index {name}: {' '.join(str(error.orig).split())}"


_OWN_CHECK: Final[dict[str, Callable[[Connection], tuple[str, list[str]]]]] = {
    "sqlite": check_file,
    "postgresql": check_server,
}


@dataclass(frozen=True, kw_only=True)
class Integrity:
    """What was checked, as text, and a line for each fault that was found."""

    asked: str
    faults: Sequence[str]


def check_integrity(connection: Connection) -> Integrity:
    """Run the database's own check, and check that every table has its keys. Writes nothing."""
    asked, faults = _OWN_CHECK[connection.dialect.name](connection)
    return Integrity(asked=asked, faults=[*faults, *_missing_keys(connection)])


def _missing_keys(connection: Connection) -> Iterator[str]:
    """Yield a line for each missing key; without it, rows could be duplicated or refer to nothing."""
    inspector = sqlalchemy.inspect(connection)
    for table in tables.metadata.sorted_tables:
        key = [column.name for column in table.primary_key]
        if set(inspector.get_pk_constraint(table.name)["constrained_columns"]) != set(key):
            yield f"the table {table.name} has no primary key of {', '.join(key)}"
        found = _found_references(inspector, table)
        for constraint in table.foreign_key_constraints:
            if sorted(constraint.column_keys) not in found:
                yield f"the table {table.name} has no foreign key from {', '.join(constraint.column_keys)}"


def _found_references(inspector: Inspector, table: Table) -> list[list[str]]:
    return [sorted(key["constrained_columns"]) for key in inspector.get_foreign_keys(table.name)]
