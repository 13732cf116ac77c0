"""Values as a database holds them, unconverted, and whether rows still match their digests."""

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import (
    JSON,
    Column,
    ColumnElement,
    Connection,
    String,
    Table,
    Text,
    cast,
    func,
    select,
    true,
    type_coerce,
)
from sqlalchemy.exc import DBAPIError

from studies.base.states import Phase, TrialState
from studies.database.digests import sealed_row
from studies.database.schema import tables
from studies.database.schema.tables import UtcDateTime


def is_text(column: ColumnElement[Any]) -> bool:
    """Return whether a column's values are read as texts: texts, JSON and times."""
    return isinstance(column.type, String | JSON | UtcDateTime)


def as_it_stands(connection: Connection, column: Column[Any]) -> ColumnElement[Any]:
    """Return a column as a query reads it without refusing or converting any value."""
    if not is_text(column):
        return column
    # SQLite's CAST would change a damaged value; PostgreSQL's driver would parse JSON and times.
    is_plain = connection.dialect.name == "sqlite" or isinstance(column.type, String)
    return (type_coerce(column, Text) if is_plain else cast(column, Text)).label(column.name)


@contextmanager
def any_text(connection: Connection) -> Iterator[None]:
    """Make SQLite return texts that are not valid UTF-8, with the invalid bytes escaped."""
    raw = connection.connection.dbapi_connection
    if not isinstance(raw, sqlite3.Connection):
        yield
        return
    before, raw.text_factory = raw.text_factory, _escaped
    try:
        yield
    finally:
        raw.text_factory = before


def _escaped(text: bytes) -> str:
    return text.decode("utf-8", "surrogateescape")


def rows_shown_match(connection: Connection, names: Sequence[str], *, most_trials: int) -> bool:
    """Return whether the rows of studies, their trials and their events match their digests; without names of all.

    Of a study with more than `most_trials` trials only those are read that run, wait, failed or confirm, and the best.
    A row without a digest does not match. Which row is wrong, and why, is not told; but this needs no data frames,
    whose import takes longer.
    """
    study, trial = tables.study.c, tables.trial.c
    named = (study.name.in_(names),) if names else ()
    if not _all_match(connection, tables.study, *named):
        return False
    for study_id in connection.scalars(select(study.id).where(*named)).all():
        is_of_study = trial.study_id == study_id
        beyond = select(trial.number).where(is_of_study).offset(most_trials).limit(1)
        are_few = connection.execute(beyond).first() is None
        shown = true() if are_few else _is_shown(connection, study_id)
        is_sound = _all_match(connection, tables.trial, is_of_study, shown) and _all_match(
            connection, tables.event, tables.event.c.study_id == study_id
        )
        if not is_sound:
            return False
    return True


def _is_shown(connection: Connection, study_id: int) -> ColumnElement[bool]:
    """Return the condition of the trials that pages show; the best one has the lowest objective, or the highest."""
    trial = tables.trial.c
    unfinished = (TrialState.RUNNING, TrialState.WAITING, TrialState.FAILED)
    ends = connection.execute(
        select(func.min(trial.objective), func.max(trial.objective)).where(
            trial.study_id == study_id, trial.phase == Phase.SEARCH, trial.state == TrialState.COMPLETE
        )
    ).one()
    is_best = (trial.state == TrialState.COMPLETE) & trial.objective.in_(tuple(ends))
    return (trial.phase == Phase.CONFIRM) | trial.state.in_(unfinished) | is_best


def _all_match(connection: Connection, table: Table, *conditions: ColumnElement[bool]) -> bool:
    columns = list(table.columns)
    times = [column.name for column in columns if isinstance(column.type, UtcDateTime)]
    query = select(*(as_it_stands(connection, column) for column in columns)).where(*conditions)
    try:
        with any_text(connection):
            for values in connection.execute(query):
                row = dict(zip((column.name for column in columns), values, strict=True))
                row |= {name: _time(row[name]) for name in times}
                if row["digest"] is None or sealed_row(table, row)["digest"] != row["digest"]:
                    return False
    except (DBAPIError, TypeError, ValueError, ArithmeticError):  # a value that its column cannot hold
        return False
    return True


def _time(text: object) -> datetime | None:
    if text is None:
        return None
    if not isinstance(text, str):
        raise TypeError("a time is stored as text")
    time = datetime.fromisoformat(text)
    return time.replace(tzinfo=UTC) if time.tzinfo is None else time
