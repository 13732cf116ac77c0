"""Writes the report of a trial; a repeated write is ignored, one with different values is recorded as a conflict."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from itertools import count
from json import dumps
from typing import Any, Final

from sqlalchemy import Connection, Row, Select, Table, and_, bindparam, delete, insert, select, update

from studies.base.errors import StudiesError
from studies.base.states import EventKind, TrialState
from studies.database.bulk import Values, insert_or_ignore
from studies.database.digests import sealed_row
from studies.database.result_rows import epoch_rows, evaluation_rows, layer_rows, replicate_rows, rung_rows
from studies.database.results import Artifact, Ending, TrialResult
from studies.database.schema import tables
from studies.database.values import finite, plain_json, readable

# Statements that every result needs are built once, because SQLAlchemy takes longer to build one than to run it.
_IS_TRIAL: Final = (tables.trial.c.study_id == bindparam("its_study")) & (
    tables.trial.c.number == bindparam("its_number")
)
_STANDING: Final[Select[Any]] = (
    select(
        tables.trial,
        tables.study.c.sequence,
        tables.study.c.fencing_token,
    )
    .join_from(tables.trial, tables.study, tables.study.c.id == tables.trial.c.study_id)
    .where(_IS_TRIAL)
)
_TRIAL_COLUMNS: Final = tuple(column.name for column in tables.trial.columns if column.name != "digest")
_CHANGE_TRIAL: Final = update(tables.trial).where(_IS_TRIAL)
_TOUCH: Final = (
    update(tables.study)
    .where(tables.study.c.id == bindparam("its_id"))
    .values(
        updated_at=bindparam("now", type_=tables.study.c.updated_at.type),
        sequence=tables.study.c.sequence + bindparam("num_needed"),
    )
)
_TOUCH_WITH_TOKEN: Final = _TOUCH.where(tables.study.c.fencing_token == bindparam("token"))


def change_trial(connection: Connection, trial: Row[Any], changes: Values) -> None:
    """Set columns of a trial's row and its digest; `trial` is the row that `trial_standing` has just returned."""
    row = sealed_row(tables.trial, {name: getattr(trial, name) for name in _TRIAL_COLUMNS} | changes)
    its_key = {"its_study": trial.study_id, "its_number": trial.number}
    connection.execute(_CHANGE_TRIAL, {**changes, "digest": row["digest"], **its_key})


def change_study(connection: Connection, study_id: int, changes: Values) -> None:
    """Set columns of a study's row, and its digest if it has one: older studies have none."""
    this_study = tables.study.c.id == study_id
    row = connection.execute(select(tables.study).where(this_study)).mappings().one_or_none()
    if row is not None and row["digest"] is not None:
        changes = {**changes, "digest": sealed_row(tables.study, {**row, **changes})["digest"]}
    connection.execute(update(tables.study).where(this_study).values(changes))


def trial_standing(connection: Connection, study_id: int, number: int) -> Row[Any]:
    """Return a trial's row, with its study's last sequence number and fencing token."""
    row = connection.execute(_STANDING, {"its_study": study_id, "its_number": number}).one_or_none()
    if row is None:
        raise StudiesError(f"trial {number} is not in the storage", "It must be added before it is run.")
    return row


def record(connection: Connection, trial: Row[Any], result: TrialResult, sequence: int) -> list[str]:
    """Write everything in `result`; return a line for each table whose earlier rows have other values.

    `sequence` is the first of the `numbers_needed` sequence numbers reserved for it.
    """
    key = {"study_id": trial.study_id, "trial_number": trial.number}
    fenced = key | {"fencing_token": trial.fencing_token}
    numbers = count(sequence)
    written: list[tuple[Table, list[Values]]] = [
        (tables.epoch, epoch_rows(fenced, result, numbers)),
        (tables.layer_gradient, layer_rows(key, result)),
        (tables.rung_result, rung_rows(fenced, result, numbers)),
    ]
    if result.ending is not None:
        written.append((tables.replicate, replicate_rows(key, result.ending)))
        written.append((tables.evaluation, evaluation_rows(key, result.ending)))
    conflicts = [line for table, rows in written for line in insert_new(connection, table, rows)]
    if result.attempt is not None and result.attempt < trial.attempt:
        return conflicts
    return conflicts + _update_trial(connection, trial, result)


def numbers_needed(result: TrialResult) -> int:
    """Return the most sequence numbers that a result needs."""
    return len(result.epochs) + (result.rung is not None)


def _update_trial(connection: Connection, trial: Row[Any], result: TrialResult) -> list[str]:
    """Update the trial's row; its ending is written once, and repeated reports add no time."""
    ending = _ending_values(result.ending) if result.ending is not None else {}
    has_ended = TrialState(trial.state).has_ended
    changes: Values = {
        "epochs": max(trial.epochs, result.epoch),
        "attempt_epochs": max(trial.attempt_epochs, result.epoch),
    }
    if result.worker is not None:
        changes["worker"] = readable(result.worker)
    if result.rung is not None:
        changes["rung"] = max(trial.rung or 0, result.rung.epoch)
    if not has_ended:
        changes |= ending
    if result.epoch > trial.attempt_epochs or (ending and not has_ended):
        changes["busy_seconds"] = trial.busy_seconds + result.busy_seconds
    change_trial(connection, trial, changes)
    if has_ended and ending:
        return format_changes(
            tables.trial.name, [{"number": trial.number}], [changed(trial._mapping, ending)]
        )
    return []


def _ending_values(ending: Ending) -> Values:
    return {
        "state": ending.state,
        "stop_reason": None if ending.stop_reason is None else readable(ending.stop_reason),
        "objective": finite(ending.objective),
        "error": None if ending.error is None else readable(ending.error),
        "ended_at": ending.ended_at,
    }


def touch(connection: Connection, study_id: int, num_needed: int, token: int | None = None) -> bool:
    """Set a study's time of change and reserve sequence numbers; return False if no study has this id and token."""
    row = {"its_id": study_id, "now": datetime.now(UTC), "num_needed": num_needed}
    if token is None:
        return connection.execute(_TOUCH, row).rowcount == 1
    return connection.execute(_TOUCH_WITH_TOKEN, row | {"token": token}).rowcount == 1


def leave_conflicts(
    connection: Connection, study_id: int, trial_number: int, conflicts: Sequence[str]
) -> None:
    """Add an event for each conflict that has none yet: a repeated write finds the same conflicts again."""
    for conflict in conflicts:
        if not _is_recorded(connection, study_id, trial_number, readable(conflict)):
            leave_event(connection, study_id, EventKind.CONFLICT, trial_number, conflict)


def leave_event(
    connection: Connection,
    study_id: int,
    kind: str,
    trial_number: int | None,
    detail: str,
    at: datetime | None = None,
) -> None:
    touch(connection, study_id, 1)
    numbers = select(tables.study.c.sequence, tables.study.c.fencing_token).where(
        tables.study.c.id == study_id
    )
    row = {
        "study_id": study_id,
        "at": at or datetime.now(UTC),
        **connection.execute(numbers).mappings().one(),
    }
    row |= {"trial_number": trial_number, "kind": readable(kind), "detail": readable(detail)}
    connection.execute(insert(tables.event).values(sealed_row(tables.event, row)))


def has_event(connection: Connection, study_id: int, kind: str, at: datetime) -> bool:
    """Return whether there is an event of that kind and time."""
    event = tables.event.c
    found = select(event.sequence).where(
        event.study_id == study_id, event.kind == readable(kind), event.at == at
    )
    return connection.execute(found).first() is not None


def _is_recorded(connection: Connection, study_id: int, trial_number: int, conflict: str) -> bool:
    event = tables.event.c
    found = select(event.sequence).where(
        event.study_id == study_id,
        event.kind == EventKind.CONFLICT,
        event.trial_number == trial_number,
        event.detail == conflict,
    )
    return connection.execute(found).first() is not None


def put_artifact(connection: Connection, study_id: int, artifact: Artifact, trial_number: int | None) -> None:
    table, path = tables.artifact, readable(artifact.path)
    connection.execute(delete(table).where(table.c.study_id == study_id, table.c.path == path))
    row = {"study_id": study_id, "trial_number": trial_number, "path": path}
    row |= {"sha256": artifact.sha256, "num_bytes": artifact.num_bytes}
    connection.execute(insert(table).values(sealed_row(table, row)))


def put_samples(
    connection: Connection, study_id: int, trial_number: int, replicate: int, samples: Sequence[Values]
) -> None:
    """Put examples into the row of a network's evaluation, if it has one, in the place of those that are there."""
    table = tables.evaluation
    is_row = and_(
        table.c.study_id == study_id, table.c.trial_number == trial_number, table.c.replicate == replicate
    )
    row = connection.execute(select(table).where(is_row)).mappings().one_or_none()
    if row is None:
        return
    changed = {name: value for name, value in row.items() if name != "digest"} | {
        "samples": plain_json(list(samples))
    }
    connection.execute(update(table).where(is_row).values(sealed_row(table, changed)))


# Order and time of commits, and the token of the writer, are not results.
_NOT_COMPARED: Final = frozenset({"sequence", "ended_at", "fencing_token"})


def insert_new(
    connection: Connection, table: Table, rows: Sequence[Values], start: Values | None = None
) -> list[str]:
    """Insert the rows whose keys are new; return a line if another row differs from the one with its key.

    All rows must belong to one study and, in a trial's tables, to one trial. `start` holds initial values of new rows
    that change later, so that they are not compared.
    """
    if not rows:
        return []
    new = rows if start is None else [row | start for row in rows]
    if insert_or_ignore(connection, table, new) == len(rows):
        return []
    return _differences(connection, table, rows)


def _differences(connection: Connection, table: Table, rows: Sequence[Values]) -> list[str]:
    """Compare rows with the stored rows of the same keys."""
    scope = [name for name in ("study_id", "trial_number") if name in rows[0]]
    query = select(table).where(*(table.c[name] == rows[0][name] for name in scope))
    keys = [column.name for column in table.primary_key]
    kept = {tuple(row[key] for key in keys): row for row in connection.execute(query).mappings()}
    texts = [changed(kept[tuple(row[key] for key in keys)], row) for row in rows]
    return format_changes(
        table.name, [{key: row[key] for key in keys if key not in scope} for row in rows], texts
    )


def changed(kept: Mapping[Any, Any], row: Values) -> list[str]:
    """Return a text for each value that differs from the stored one."""
    return [
        f"{name} {_plain(kept[name])} kept, {_plain(value)} refused"
        for name, value in row.items()
        if name not in _NOT_COMPARED and _plain(kept[name]) != _plain(value)
    ]


def format_changes(table: str, keys: Sequence[Values], changed: Sequence[Sequence[str]]) -> list[str]:
    """Return one line for a table: how many rows differ, and how the first does."""
    differing = [(key, texts) for key, texts in zip(keys, changed, strict=True) if texts]
    if not differing:
        return []
    key, texts = differing[0]
    where = " ".join(f"{name} {value}" for name, value in key.items())
    return [f"{table}: {len(differing)} repeated with other values, first {where}: {'; '.join(texts)}"]


def _plain(value: Any) -> str:
    """Return a value as text that is the same before and after storing it."""
    return dumps(value, default=str, sort_keys=True)
