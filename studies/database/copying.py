"""Copying a finished trial from one study to another, row by row, in one transaction."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, Table, select, update

from studies.database import tables
from studies.database.bulk import insert_or_ignore
from studies.database.results import Artifact
from studies.database.store import Store

_CHILDREN = (tables.replicate, tables.evaluation, tables.epoch, tables.layer_gradient, tables.rung_result)


@dataclass(frozen=True, kw_only=True)
class Copy:
    """A trial to take over: its number in the source, and its number and cell in the new study."""

    source_number: int
    number: int
    cell: int


def copy_trials(
    store: Store, *, source_id: int, source_name: str, study_id: int, copies: Sequence[Copy]
) -> None:
    """Copy ended trials with everything recorded of them; one that is there already is left alone.

    The order of decisions is kept. A copy costs the new study no time: its `busy_seconds` are 0, it starts and ends
    now, and `worker` says where it comes from.
    """
    with store.writing(study_id) as connection:
        sequence, token = _numbers(connection, study_id)
        for copy in copies:
            sequence = _copy(connection, copy, source_id, source_name, study_id, sequence, token)
        connection.execute(
            update(tables.study).where(tables.study.c.id == study_id).values(sequence=sequence)
        )


def _copy(
    connection: Connection,
    copy: Copy,
    source_id: int,
    source_name: str,
    study_id: int,
    sequence: int,
    token: int,
) -> int:
    """Copy one trial and return the last sequence number that it took."""
    mine, theirs = tables.trial.c, {"study_id": source_id, "number": copy.source_number}
    exists = select(mine.number).where(mine.study_id == study_id, mine.number == copy.number)
    if connection.execute(exists).first() is not None:
        return sequence
    (row,) = _rows(connection, tables.trial, theirs)
    now = datetime.now(UTC)
    row |= {
        "study_id": study_id,
        "number": copy.number,
        "cell": copy.cell,
        "started_at": now,
        "ended_at": now,
    }
    row |= {"busy_seconds": 0.0, "worker": f"copied from {source_name}, trial {copy.source_number}"}
    insert_or_ignore(connection, tables.trial, [row])
    for table in _CHILDREN:
        rows = _rows(connection, table, {"study_id": source_id, "trial_number": copy.source_number})
        for child in rows:
            child |= {"study_id": study_id, "trial_number": copy.number}
            if "sequence" in child:
                sequence += 1
                child |= {"sequence": sequence, "fencing_token": token}
        if rows:
            insert_or_ignore(connection, table, rows)
    return sequence


def _rows(connection: Connection, table: Table, key: dict[str, int]) -> list[dict[str, Any]]:
    """Return a trial's rows, in the order in which they were written where that is known."""
    query = select(table).where(*(table.c[name] == value for name, value in key.items()))
    if "sequence" in table.c:
        query = query.order_by(table.c.sequence)
    return [dict(row) for row in connection.execute(query).mappings()]


def _numbers(connection: Connection, study_id: int) -> tuple[int, int]:
    """Return the last sequence number that a study has taken, and its fencing token."""
    table = tables.study.c
    row = connection.execute(select(table.sequence, table.fencing_token).where(table.id == study_id)).one()
    return row.sequence, row.fencing_token


def artifacts_of(store: Store, study_id: int, trial_number: int) -> list[Artifact]:
    """Return the files that a trial left."""
    table = tables.artifact
    query = select(table.c.path, table.c.sha256, table.c.num_bytes).where(
        table.c.study_id == study_id, table.c.trial_number == trial_number
    )
    with store.reading() as connection:
        return [Artifact(**row) for row in connection.execute(query).mappings()]
