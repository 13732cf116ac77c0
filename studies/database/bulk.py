"""Inserting many rows at once, ignoring those whose keys are there already."""

from collections.abc import Sequence
from functools import lru_cache
from operator import itemgetter
from typing import Any, Final

from sqlalchemy import Connection, Dialect, Table
from sqlalchemy.dialects import postgresql, sqlite

Values = dict[str, Any]
_INSERT: Final[dict[str, Any]] = {"sqlite": sqlite.insert, "postgresql": postgresql.insert}


def insert_or_ignore(connection: Connection, table: Table, rows: Sequence[Values]) -> int:
    """Insert rows of equal columns, every column without a default among them; return how many were new.

    The statement is compiled once and handed to the driver with its parameters: through the usual way
    SQLAlchemy spends more time on each row's parameters than SQLite does on storing them.
    """
    sql, names, processors = _compiled(connection.dialect, table, tuple(rows[0]))
    if processors:
        rows = [{**row, **{name: stored(row[name]) for name, stored in processors.items()}} for row in rows]
    parameters: Any = list(map(itemgetter(*names), rows)) if names else list(rows)
    return connection.exec_driver_sql(sql, parameters).rowcount


@lru_cache(maxsize=64)
def _compiled(
    dialect: Dialect, table: Table, columns: tuple[str, ...]
) -> tuple[str, Sequence[str], dict[str, Any]]:
    """Return the statement, its parameters' order (empty if they go by name) and what converts values."""
    statement = _INSERT[dialect.name](table).on_conflict_do_nothing()
    compiled = statement.compile(dialect=dialect, column_keys=columns)
    processors = {name: table.c[name].type.dialect_impl(dialect).bind_processor(dialect) for name in columns}
    used = {name: processor for name, processor in processors.items() if processor is not None}
    return str(compiled), tuple(compiled.positiontup or ()), used
