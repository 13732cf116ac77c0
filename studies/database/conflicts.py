"""Repeated writes: one that says the same is ignored, one that differs is told and the first is kept."""

from collections.abc import Mapping, Sequence
from json import dumps
from typing import Any, Final

from sqlalchemy import Connection, Table, select

from studies.database.bulk import Values, insert_or_ignore

# The order of commits, the time of a repeat and who repeats say nothing about what was measured.
_NOT_COMPARED: Final = frozenset({"sequence", "ended_at", "fencing_token"})


def insert_new(
    connection: Connection, table: Table, rows: Sequence[Values], start: Values | None = None
) -> list[str]:
    """Insert the rows whose keys are new; return a line if a row differs from what was there before.

    All rows must belong to one study and, in a trial's tables, to one trial. `start` holds values that new rows
    begin with, and that are not compared since they change.
    """
    if not rows:
        return []
    new = rows if start is None else [row | start for row in rows]
    if insert_or_ignore(connection, table, new) == len(rows):
        return []
    return _differences(connection, table, rows)


def _differences(connection: Connection, table: Table, rows: Sequence[Values]) -> list[str]:
    """Compare rows with those that hold their keys."""
    scope = [name for name in ("study_id", "trial_number") if name in rows[0]]
    query = select(table).where(*(table.c[name] == rows[0][name] for name in scope))
    keys = [column.name for column in table.primary_key]
    kept = {tuple(row[key] for key in keys): row for row in connection.execute(query).mappings()}
    texts = [changed(kept[tuple(row[key] for key in keys)], row) for row in rows]
    return told(table.name, [{key: row[key] for key in keys if key not in scope} for row in rows], texts)


def changed(kept: Mapping[Any, Any], row: Values) -> list[str]:
    """Return a text for each value that differs from the one kept."""
    return [
        f"{name} {_plain(kept[name])} kept, {_plain(value)} refused"
        for name, value in row.items()
        if name not in _NOT_COMPARED and _plain(kept[name]) != _plain(value)
    ]


def told(table: str, keys: Sequence[Values], changed: Sequence[Sequence[str]]) -> list[str]:
    """Return one line for a table: how many rows differ, and how the first does."""
    differing = [(key, texts) for key, texts in zip(keys, changed, strict=True) if texts]
    if not differing:
        return []
    key, texts = differing[0]
    where = " ".join(f"{name} {value}" for name, value in key.items())
    return [f"{table}: {len(differing)} repeated with other values, first {where}: {'; '.join(texts)}"]


def _plain(value: Any) -> str:
    """Return a value as text that is the same before and after it was stored."""
    return dumps(value, default=str, sort_keys=True)
