"""What a PostgreSQL server can say of a database's soundness to a user who may only read it."""

from collections.abc import Iterator

from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError

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
    """Return what was asked, and a line for each fault: constraints, indexes, page checksums, amcheck if it is there.

    The extension amcheck compares every index with its table; without it, or the right to use it, that is left out.
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
    """Yield a line for each index that amcheck finds fault with; a large one may take as long as it needs."""
    connection.execute(text("SET LOCAL statement_timeout = 0"))
    for name in connection.scalars(_INDEXES).all():
        try:
            with connection.begin_nested():
                connection.execute(_CHECK_INDEX, {"name": name})
        except DBAPIError as error:
            yield f"the index {name}: {' '.join(str(error.orig).split())}"
