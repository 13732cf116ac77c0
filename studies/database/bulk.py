"""Inserts many rows at once and ignores those whose keys exist already."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from operator import itemgetter
from typing import Any, Final

from sqlalchemy import Connection, Dialect, Table
from sqlalchemy.dialects import postgresql, sqlite

from studies.database.digests import sealed

Values = dict[str, Any]
_INSERT: Final[dict[str, Any]] = {"sqlite": sqlite.insert, "postgresql": postgresql.insert}


def insert_or_ignore(connection: Connection, table: Table, rows: Sequence[Values]) -> int:
    """Insert rows with equal columns, their digests added; return how many were new.

    The rows must have every column without a default. The statement is compiled once and passed to the driver with its
    parameters, because SQLAlchemy spends more time on each row's parameters than SQLite does on storing them.
    """
    rows = sealed(table, rows)
    statement = _compiled(connection.dialect, table, tuple(rows[0]))
    # Column by column, so that JSON values are converted without copying the rows.
    columns: list[Iterable[Any]] = [map(itemgetter(name), rows) for name in statement.names]
    for index, stored in statement.processors.items():
        columns[index] = map(stored, columns[index])
    parameters: Any = list(zip(*columns, strict=True))
    if not statement.is_positional:
        parameters = [dict(zip(statement.names, values, strict=True)) for values in parameters]
    return connection.exec_driver_sql(statement.sql, parameters).rowcount


@dataclass(frozen=True, kw_only=True)
class _Statement:
    """An insert in a database's dialect: its parameters' names in order, and converters of some, by position."""

    sql: str
    names: tuple[str, ...]
    processors: Mapping[int, Callable[[Any], Any]]
    is_positional: bool


@lru_cache(maxsize=64)
def _compiled(dialect: Dialect, table: Table, columns: tuple[str, ...]) -> _Statement:
    insert = _INSERT[dialect.name](table).on_conflict_do_nothing()
    compiled = insert.compile(dialect=dialect, column_keys=columns)
    names = tuple(compiled.positiontup or columns)
    processors = [table.c[name].type.dialect_impl(dialect).bind_processor(dialect) for name in names]
    return _Statement(
        sql=str(compiled),
        names=names,
        processors={index: stored for index, stored in enumerate(processors) if stored is not None},
        is_positional=compiled.positiontup is not None,
    )
