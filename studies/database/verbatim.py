"""A study's rows as they stand, read for checks that trust neither keys nor the values that columns may hold."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import pandas as pd
from sqlalchemy import (
    JSON,
    ColumnElement,
    Connection,
    Enum,
    Select,
    Table,
    Text,
    cast,
    func,
    select,
    type_coerce,
)

from studies.database import tables
from studies.database.column_types import UtcDateTime
from studies.database.columns import read_columns

_COLUMNS: Final = {
    tables.trial: "number phase cell params state stop_reason rung epochs objective attempt started_at ended_at "
    "busy_seconds error worker",
    tables.replicate: "trial_number replicate block outcome val_loss val_accuracy test_loss test_accuracy metrics",
    tables.epoch: "trial_number replicate epoch sequence val_loss val_accuracy fencing_token",
    tables.rung_result: "trial_number epoch sequence objective decision fencing_token",
    tables.event: "sequence at kind trial_number detail fencing_token",
    tables.artifact: "path sha256 num_bytes trial_number",
}


@dataclass(frozen=True, kw_only=True)
class Rows:
    """Every row of a study that a check reads, from one snapshot, in frames with the tables' own columns.

    States and the like are plain text, times are NaT where they are missing or unreadable. `study` is its row, with
    the plan as text. `layers` has one row for each trial_number, replicate and epoch with measured layers: how many
    rows they are (num_rows), how many layers (num_layers) and the last one (last_layer).
    """

    study: Mapping[str, Any]
    trials: pd.DataFrame
    replicates: pd.DataFrame
    epochs: pd.DataFrame
    layers: pd.DataFrame
    rungs: pd.DataFrame
    events: pd.DataFrame
    artifacts: pd.DataFrame


def read_rows(connection: Connection, name: str) -> Rows | None:
    """Return the rows of the study called `name`, None if there is none."""
    table = tables.study
    query = select(*map(_as_it_stands, table.columns)).where(table.c.name == name)
    study = connection.execute(query).mappings().one_or_none()
    if study is None:
        return None
    return Rows(
        study=dict(study),
        trials=_read(connection, tables.trial, study["id"]),
        replicates=_read(connection, tables.replicate, study["id"]),
        epochs=_read(connection, tables.epoch, study["id"]),
        layers=_layers(connection, study["id"]),
        rungs=_read(connection, tables.rung_result, study["id"]),
        events=_read(connection, tables.event, study["id"]),
        artifacts=_read(connection, tables.artifact, study["id"]),
    )


def _read(connection: Connection, table: Table, study_id: int) -> pd.DataFrame:
    chosen = [table.c[name] for name in _COLUMNS[table].split()]
    query = select(*map(_as_it_stands, chosen)).where(table.c.study_id == study_id)
    frame = _frame(connection, query.order_by(*table.primary_key))
    for column in chosen:
        if isinstance(column.type, UtcDateTime):
            read = pd.to_datetime(frame[column.name], utc=True, errors="coerce", format="ISO8601")
            frame[column.name] = read
    return frame


def _layers(connection: Connection, study_id: int) -> pd.DataFrame:
    """Let the database count: the rows of layers are many, and what they measured is not looked at."""
    table = tables.layer_gradient
    key = (table.c.trial_number, table.c.replicate, table.c.epoch)
    counts = (
        func.count().label("num_rows"),
        func.count(table.c.layer.distinct()).label("num_layers"),
        func.max(table.c.layer).label("last_layer"),
    )
    return _frame(connection, select(*key, *counts).where(table.c.study_id == study_id).group_by(*key))


def _frame(connection: Connection, query: Select[Any]) -> pd.DataFrame:
    return pd.DataFrame(read_columns(connection, query))


def _as_it_stands(column: ColumnElement[Any]) -> ColumnElement[Any]:
    """Return a column so that no value in it is refused: what is not a number is read as text."""
    if isinstance(column.type, Enum):
        return type_coerce(column, Text).label(column.name)
    if isinstance(column.type, JSON | UtcDateTime):
        return cast(column, Text).label(column.name)
    return column
