"""The result of a query as pandas columns with suitable types."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Final

import numpy as np
import pandas as pd
from sqlalchemy import JSON, ColumnElement, Connection, Double, Integer, Select, String
from sqlalchemy.exc import DBAPIError

from studies.database.schema.tables import UtcDateTime

_ROWS_AT_ONCE: Final = 20_000


def read_columns(connection: Connection, query: Select[Any]) -> "dict[str, pd.Series[Any]]":
    """Return the columns of a query's result by name."""
    chosen = list(query.selected_columns)
    if all(isinstance(column.type, Double | Integer) for column in chosen):
        return _numbers(connection, query, chosen)
    parts: list[list[Sequence[Any] | pd.Series[Any]]] = [[] for _ in chosen]
    with connection.execute(query) as result:
        while rows := result.fetchmany(_ROWS_AT_ONCE):
            for column, of_column, values in zip(chosen, parts, zip(*rows, strict=True), strict=True):
                of_column.append(_series(column, values) if _is_compact(column) else values)
    return {column.name: _joined(column, of_column) for column, of_column in zip(chosen, parts, strict=True)}


def _is_compact(column: ColumnElement[Any]) -> bool:
    """Return whether a column of many rows takes less memory as a series than as Python objects."""
    return isinstance(column.type, Double | Integer) or (
        isinstance(column.type, String) and not isinstance(column.type, JSON)
    )


def _joined(
    column: ColumnElement[Any], parts: "Sequence[Sequence[Any] | pd.Series[Any]]"
) -> "pd.Series[Any]":
    """Return a column from its parts of some rows each."""
    if not parts:
        return _series(column, ())
    if not _is_compact(column):
        return _series(column, [value for part in parts for value in part])
    return pd.concat([pd.Series(part) for part in parts], ignore_index=True)


def _numbers(
    connection: Connection, query: Select[Any], chosen: Sequence[ColumnElement[Any]]
) -> "dict[str, pd.Series[Any]]":
    """Read up to millions of rows of plain numbers in chunks, without a Python object for each number.

    This reads the driver's own cursor, because numbers need none of SQLAlchemy's processing.
    """
    parts = [np.empty((0, len(chosen)))]
    with connection.execute(query) as result, _wrapped(connection, query):
        assert result.cursor is not None, "a query that returns rows has a cursor"
        while rows := result.cursor.fetchmany(_ROWS_AT_ONCE):
            # Whole numbers up to 2^53 are exact as floats; None becomes NaN.
            parts.append(np.array(rows, dtype=np.float64))
    return {
        column.name: _number_series(column, np.concatenate([part[:, place] for part in parts]))
        for place, column in enumerate(chosen)
    }


@contextmanager
def _wrapped(connection: Connection, query: Select[Any]) -> Iterator[None]:
    """Turn the driver's errors, as about a damaged page, into SQLAlchemy's."""
    driver = connection.dialect.loaded_dbapi
    try:
        yield
    except driver.Error as error:
        raise DBAPIError.instance(
            str(query), None, error, driver.Error, dialect=connection.dialect
        ) from error


def _number_series(column: ColumnElement[Any], values: "np.ndarray[Any, Any]") -> "pd.Series[Any]":
    """Return a column of numbers; whole numbers become floats where one is missing."""
    is_whole = isinstance(column.type, Integer) and not np.isnan(values).any()
    return pd.Series(values.astype(np.int64) if is_whole else values)


def _series(column: ColumnElement[Any], values: Sequence[Any]) -> "pd.Series[Any]":
    """Return a column in the type that pandas has for it; whole numbers become floats where one is missing."""
    match column.type:
        case Double():
            return pd.Series(values, dtype="float64")
        case UtcDateTime():
            return pd.Series(pd.to_datetime(list(values), utc=True))
        case JSON():
            return pd.Series(list(values), dtype="object")
        case String():
            known: dict[Any, str | None] = {None: None}
            for value in {*values}:
                known.setdefault(value, str(value))
            return pd.Series([known[value] for value in values], dtype="str")
    return pd.Series(values, dtype="float64" if None in values else "int64")


def levels_of(values: Sequence[Any]) -> "pd.Series[Any]":
    """Return levels as an object column where their types are mixed, None or lists (as tuples); else a typed one."""
    levels = [tuple(value) if isinstance(value, list) else value for value in values]
    kinds = {type(level) for level in levels}
    is_plain = kinds == {int, float} or (len(kinds) == 1 and kinds <= {bool, int, float, str})
    return pd.Series(levels) if is_plain else pd.Series(levels, dtype="object")
