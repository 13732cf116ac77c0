"""A study's raw rows, for checks that trust neither the keys nor the values of a possibly damaged database."""

import json
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property, partial
from itertools import pairwise
from types import MappingProxyType
from typing import Any, Final

import numpy as np
import pandas as pd
from sqlalchemy import Column, ColumnElement, Connection, Select, Table, select, true

from studies.database.as_stored import any_text, as_it_stands, is_text
from studies.database.frames.columns import read_columns
from studies.database.frames.extent import Extent, extent_of_page
from studies.database.schema import tables
from studies.database.schema.tables import UtcDateTime

__all__ = [
    "Connection",
    "Damaged",
    "Rows",
    "Table",
    "damaged_rows",
    "key_of",
    "names_of",
    "read_rows",
    "read_rows_in_parts",
]

TRIALS_AT_ONCE: Final = 2_000
"""So that checking a study takes the same memory, however many trials it has."""
_WHOLE: Final[Extent] = MappingProxyType({})
_LAYER_KEY: Final = ["trial_number", "replicate", "epoch"]


@dataclass(frozen=True, kw_only=True)
class Damaged:
    """A value that its column cannot hold: the table, the row's key as text, and what is wrong."""

    table: str
    key: str
    what: str

    def __str__(self) -> str:
        return f"table {self.table}, {self.key}: {self.what}"


@dataclass(frozen=True, kw_only=True)
class Rows:
    """Every row of a study from one snapshot, as frames with the tables' own columns, digests included.

    Enums are plain text, JSON is text, and times are NaT where missing or unreadable. `study` is the study's own row,
    with its plan as text. A value of another type than its column is missing in the frames and listed in `misplaced`.
    """

    study: Mapping[str, Any]
    trials: pd.DataFrame
    replicates: pd.DataFrame
    evaluations: pd.DataFrame
    epochs: pd.DataFrame
    gradients: pd.DataFrame
    rungs: pd.DataFrame
    events: pd.DataFrame
    artifacts: pd.DataFrame
    misplaced: Sequence[Damaged] = field(default=())
    is_sample: bool = False
    """Whether these are the rows from which the page of a very large study is made."""

    @property
    def by_table(self) -> dict[Table, pd.DataFrame]:
        """Return the frames of all tables but the study's own row."""
        return {
            tables.trial: self.trials,
            tables.replicate: self.replicates,
            tables.evaluation: self.evaluations,
            tables.epoch: self.epochs,
            tables.layer_gradient: self.gradients,
            tables.rung_result: self.rungs,
            tables.event: self.events,
            tables.artifact: self.artifacts,
        }

    @cached_property
    def layers(self) -> pd.DataFrame:
        """Return one row for each trial_number, replicate and epoch with measured layers.

        Columns: the number of rows (num_rows), of different layers (num_layers), and the last layer (last_layer).
        """
        rows = self.gradients[[*_LAYER_KEY, "layer"]]
        counted = rows.groupby(_LAYER_KEY)["layer"].agg(num_rows="size", last_layer="max")
        num_layers = rows.drop_duplicates().groupby(_LAYER_KEY).size()
        layers: pd.DataFrame = counted.assign(num_layers=num_layers).reset_index()
        return layers


def names_of(connection: Connection) -> list[str]:
    """Return the names of all studies, oldest first."""
    name = as_it_stands(connection, tables.study.c.name)
    with any_text(connection):
        return [row[0] for row in connection.execute(select(name).order_by(tables.study.c.id))]


def read_rows(
    connection: Connection,
    name: str,
    only: Collection[Table] | None = None,
    extent: Extent = _WHOLE,
    is_sample: bool = False,
) -> Rows | None:
    """Return the rows of the study called `name`, None if there is none.

    `only` limits the tables that are read, `extent` the rows of some tables, which `is_sample` says.
    """
    table = tables.study
    with any_text(connection):
        query = select(*(as_it_stands(connection, column) for column in table.columns))
        found = connection.execute(query.where(table.c.name == name)).mappings().one_or_none()
        if found is None:
            return None
        study, misplaced = _study(dict(found))
        study_id, read = study["id"], {}
        for each in _TABLES:
            is_read = only is None or each in only
            read[each], wrong = _read(connection, each, study_id if is_read else None, extent)
            misplaced += wrong
    return Rows(
        study=study,
        trials=read[tables.trial],
        replicates=read[tables.replicate],
        evaluations=read[tables.evaluation],
        epochs=read[tables.epoch],
        gradients=read[tables.layer_gradient],
        rungs=read[tables.rung_result],
        events=read[tables.event],
        artifacts=read[tables.artifact],
        misplaced=misplaced,
        is_sample=is_sample,
    )


def read_rows_in_parts(
    connection: Connection, name: str, only: Collection[Table] | None = None, *, of_page: bool = False
) -> Iterator[Rows]:
    """Yield the rows of the study called `name`, of TRIALS_AT_ONCE trials at a time; nothing if there is none.

    Each part has all rows of its trials, and all events and artifacts. `of_page` leaves out the rows of a very large
    study that its page is not made from (`extent_of_page`).
    """
    study = read_rows(connection, name, only=())
    if study is None:
        return
    study_id = study.study["id"]
    plan = _plan(study) if of_page else None
    extent = {} if plan is None else extent_of_page(connection, study_id, plan)
    for bounds in _parts(connection, study_id):
        conditions = {table: bounds(table.c[column]) for table, column in _TRIAL_OF.items()}
        for table, condition in extent.items():
            conditions[table] &= condition
        part = read_rows(connection, name, only, conditions, is_sample=bool(extent))
        if part is not None:
            yield part


def _plan(rows: Rows) -> Mapping[str, Any] | None:
    """Return a study's plan as far as it can be read; without one all of its rows count."""
    try:
        plan = json.loads(rows.study["plan"])
        return plan if {"search", "factors"} <= {*plan} and "rungs" in plan["search"] else None
    except (ValueError, TypeError, RecursionError):
        return None


def _parts(
    connection: Connection, study_id: int
) -> "list[Callable[[ColumnElement[Any]], ColumnElement[bool]]]":
    """Return the conditions of consecutive ranges of trial numbers, the first and the last of them open."""
    number = tables.trial.c.number
    of_study = select(number).where(tables.trial.c.study_id == study_id).order_by(number)
    starts: list[int] = []
    while True:
        later = of_study.where(number >= starts[-1]) if starts else of_study
        found = connection.scalar(later.offset(TRIALS_AT_ONCE).limit(1))
        if not isinstance(found, int) or (starts and found <= starts[-1]):
            break
        starts.append(found)
    edges = [None, *starts, None]
    return [partial(_between, low=low, high=high) for low, high in pairwise(edges)]


def _between(column: ColumnElement[Any], *, low: int | None, high: int | None) -> ColumnElement[bool]:
    above = true() if low is None else column >= low
    return above if high is None else above & (column < high)


_TRIAL_OF: Final = {
    tables.trial: "number",
    **dict.fromkeys(
        (tables.replicate, tables.evaluation, tables.epoch, tables.layer_gradient, tables.rung_result),
        "trial_number",
    ),
}
"""The column of a trial's number in each table that has rows of every trial."""

_TABLES: Final = (
    *(tables.trial, tables.replicate, tables.evaluation, tables.epoch, tables.layer_gradient),
    *(tables.rung_result, tables.event, tables.artifact),
)


def key_of(table: Table, row: Mapping[Any, Any]) -> str:
    """Return the key of a row as text.

    >>> key_of(tables.epoch, {"trial_number": 3, "replicate": 1, "epoch": 2.0})
    'trial 3, replicate 1, epoch 2'
    """
    parts = []
    for column in table.primary_key:
        if column.name != "study_id":
            value = row[column.name]
            shown = f"{value:g}" if isinstance(value, float) else str(value)
            is_trial = table is tables.trial
            parts.append(f"{'trial' if is_trial else column.name.removesuffix('_number')} {shown}")
    return ", ".join(parts)


def damaged_rows(
    table: Table,
    frame: pd.DataFrame,
    wrong: "np.ndarray[Any, Any]",
    what: str | Callable[[Mapping[Any, Any]], str],
) -> list[Damaged]:
    """Return a Damaged for each row where `wrong` is true; `what` is the fault, or a function from a row to it."""
    if not wrong.any():
        return []  # nearly always, and making an empty frame is slow
    return [
        Damaged(table=table.name, key=key_of(table, row), what=what if isinstance(what, str) else what(row))
        for row in frame[wrong].to_dict("records")
    ]


def _study(row: dict[str, Any]) -> tuple[dict[str, Any], list[Damaged]]:
    """Return a study's row with values of a wrong type replaced by "" or 0, and the list of these values."""
    misplaced = []
    for column in tables.study.columns:
        value = row[column.name]
        if value is None:
            continue
        what = None if isinstance(value, _kinds(column)) else _misplaced(column, value)
        if what is not None:
            row[column.name] = "" if str in _kinds(column) else 0
        elif isinstance(column.type, UtcDateTime) and not _is_time(value):
            what = f"{column.name} is not a time"
        if what is not None:
            misplaced.append(Damaged(table="study", key=f"study {row['name']}", what=what))
    return row, misplaced


def _is_time(text: str) -> bool:
    try:
        datetime.fromisoformat(text)
    except ValueError:
        return False
    return True


def _read(
    connection: Connection, table: Table, study_id: int | None, extent: Extent
) -> tuple[pd.DataFrame, list[Damaged]]:
    """Return a study's rows of one table in the order of their keys, and the values of a wrong type."""
    chosen = [column for column in table.columns if column.name != "study_id"]
    query = (
        select(*(as_it_stands(connection, column) for column in chosen))
        .where(table.c.study_id == study_id)
        .order_by(*table.primary_key)
    )
    if table in extent:
        query = query.where(extent[table])
    if not any(is_text(column) for column in chosen):
        try:
            return pd.DataFrame(read_columns(connection, query)), []
        except (ValueError, TypeError, OverflowError):
            pass  # some value is not a number: the rows are read one by one below
    return _looked_through(connection, query, table, chosen)


def _looked_through(
    connection: Connection, query: Select[Any], table: Table, chosen: Sequence[Column[Any]]
) -> tuple[pd.DataFrame, list[Damaged]]:
    """Read rows as Python objects, with None in place of values of a wrong type."""
    rows = connection.execute(query).fetchall()
    values = [list(each) for each in zip(*rows, strict=True)] if rows else [[] for _ in chosen]
    misplaced = []
    for column, of_column in zip(chosen, values, strict=True):
        kinds = _kinds(column)
        if {*map(type, of_column)} <= {*kinds, type(None)}:
            continue
        for place, value in enumerate(of_column):
            if value is not None and type(value) not in kinds:
                misplaced.append(_damaged(table, chosen, rows[place], _misplaced(column, value)))
                of_column[place] = None
    frame = {column.name: _series(column, each) for column, each in zip(chosen, values, strict=True)}
    for column, of_column in zip(chosen, values, strict=True):
        if isinstance(column.type, UtcDateTime):
            is_there = np.array([value is not None for value in of_column], dtype=bool)
            unread = frame[column.name].isna().to_numpy() & is_there
            misplaced += [
                _damaged(table, chosen, rows[place], f"{column.name} is not a time")
                for place in np.flatnonzero(unread).tolist()
            ]
    return pd.DataFrame(frame), misplaced


def _damaged(table: Table, chosen: Sequence[Column[Any]], row: Sequence[Any], what: str) -> Damaged:
    named = dict(zip((column.name for column in chosen), row, strict=True))
    return Damaged(table=table.name, key=key_of(table, named), what=what)


def _kinds(column: ColumnElement[Any]) -> tuple[type, ...]:
    """Return the Python types of a column's values."""
    return (str,) if is_text(column) else (int, float)


def _misplaced(column: Column[Any], value: Any) -> str:
    """Return what is wrong with a value's type, without the value itself, which may be anything."""
    wanted = "text" if is_text(column) else "number"
    return f"{column.name} is not a {wanted} (it is of type {type(value).__name__})"


def _series(column: Column[Any], values: list[Any]) -> "pd.Series[Any]":
    if isinstance(column.type, UtcDateTime):
        texts = pd.Series(values, dtype="object")
        return pd.to_datetime(texts, utc=True, errors="coerce", format="ISO8601")
    if is_text(column):
        return pd.Series(values, dtype="object")
    if {*map(type, values)} - {int}:
        return pd.Series(np.array(values, dtype=np.float64))
    return pd.Series(values, dtype="int64")
