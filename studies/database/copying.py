"""Copies finished trials from one study to another, row by row, in one transaction."""

from bisect import bisect_left
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, Table, select, update

from studies.database.bulk import insert_or_ignore
from studies.database.results import Artifact
from studies.database.schema import tables
from studies.database.store import Store

_CHILDREN = (tables.replicate, tables.evaluation, tables.epoch, tables.layer_gradient, tables.rung_result)


@dataclass(frozen=True, kw_only=True)
class Copy:
    """A trial to copy: its number in the source, and its number and cell in the new study."""

    source_number: int
    number: int
    cell: int


def copy_trials(
    store: Store, *, source_id: int, source_name: str, study_id: int, copies: Sequence[Copy]
) -> None:
    """Copy ended trials with all their rows; trials that exist in the target already are skipped.

    The rows keep the order in which they were written. A copy costs the new study no time: its `busy_seconds` are 0,
    it starts and ends now, and `worker` names its source.
    """
    with store.writing(study_id) as connection:
        last, token = _numbers(connection, study_id)
        new = [copy for copy in copies if not _is_there(connection, study_id, copy.number)]
        written = _written(connection, source_id, {copy.source_number for copy in new})
        for copy in new:
            _copy_trial(connection, copy, source_id, source_name, study_id)
            for table in _CHILDREN:
                rows = _rows(connection, table, {"study_id": source_id, "trial_number": copy.source_number})
                for row in rows:
                    row |= {"study_id": study_id, "trial_number": copy.number}
                    if "sequence" in row:
                        place = bisect_left(written, row["sequence"])
                        row |= {"sequence": last + 1 + place, "fencing_token": token}
                if rows:
                    insert_or_ignore(connection, table, rows)
        this_study = tables.study.c.id == study_id
        connection.execute(update(tables.study).where(this_study).values(sequence=last + len(written)))


def _is_there(connection: Connection, study_id: int, number: int) -> bool:
    mine = tables.trial.c
    query = select(mine.number).where(mine.study_id == study_id, mine.number == number)
    return connection.execute(query).first() is not None


def _written(connection: Connection, source_id: int, numbers: Collection[int]) -> list[int]:
    """Return the sequence numbers of all rows to copy, sorted: ASHA's decisions depend on the order between trials."""
    written: list[int] = []
    for table in _CHILDREN:
        if "sequence" in table.c:
            query = select(table.c.trial_number, table.c.sequence).where(table.c.study_id == source_id)
            written += [sequence for number, sequence in connection.execute(query) if number in numbers]
    return sorted(written)


def _copy_trial(connection: Connection, copy: Copy, source_id: int, source_name: str, study_id: int) -> None:
    (row,) = _rows(connection, tables.trial, {"study_id": source_id, "number": copy.source_number})
    now = datetime.now(UTC)
    row |= {"study_id": study_id, "number": copy.number, "cell": copy.cell}
    row |= {"started_at": now, "ended_at": now}
    row |= {"busy_seconds": 0.0, "worker": f"copied from {source_name}, trial {copy.source_number}"}
    insert_or_ignore(connection, tables.trial, [row])


def _rows(connection: Connection, table: Table, key: dict[str, int]) -> list[dict[str, Any]]:
    query = select(table).where(*(table.c[name] == value for name, value in key.items()))
    return [dict(row) for row in connection.execute(query).mappings()]


def _numbers(connection: Connection, study_id: int) -> tuple[int, int]:
    """Return a study's last sequence number and its fencing token."""
    table = tables.study.c
    row = connection.execute(select(table.sequence, table.fencing_token).where(table.id == study_id)).one()
    return row.sequence, row.fencing_token


def artifacts_of(store: Store, study_id: int, trial_number: int | None = None) -> list[Artifact]:
    """Return the recorded files of a trial, or of all trials of the study, in their order."""
    table = tables.artifact
    query = select(table.c.path, table.c.sha256, table.c.num_bytes).where(table.c.study_id == study_id)
    if trial_number is None:
        query = query.where(table.c.trial_number.is_not(None)).order_by(table.c.trial_number)
    else:
        query = query.where(table.c.trial_number == trial_number)
    with store.reading() as connection:
        return [Artifact(**row) for row in connection.execute(query).mappings()]
