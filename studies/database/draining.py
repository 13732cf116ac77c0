"""Writes what an earlier run left in the spool to the storage, before anything is read for the next run."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from sqlalchemy import func, select

from studies.database.retry import MAX_SECONDS_OUT
from studies.database.rows import StudyRow
from studies.database.schema import tables
from studies.database.spool import FILE_NAME, Spool
from studies.database.spool_lines import Origin
from studies.database.store import Store
from studies.database.writer import Writer

PUT_ASIDE: Final = "spool_put_aside"
"""The kind of the event which records that spooled writes were set aside instead of drained."""


def open_spool(store: Store, study: StudyRow, folder: Path) -> Spool:
    """Return the spool of a study, in the study's folder; raise SpoolError if it cannot be used."""
    token = store.token(study.id)
    origin = Origin(study=study.name, created_at=study.created_at, storage=store.address, token=token)
    return Spool(folder / FILE_NAME, origin)


def drain(
    store: Store, study: StudyRow, folder: Path, *, max_seconds_out: float = MAX_SECONDS_OUT
) -> StudyRow:
    """Write the spooled writes of a study to the storage, and return the study's row afterwards.

    If another run has continued without them, they are set aside instead: that run has trained the same epochs again
    and made its own decisions. Raises SpoolError if the spool cannot be read or its writes cannot be written.
    """
    spool = open_spool(store, study, folder)
    if spool.is_empty:
        return study
    if spool.token < _last_token(store, study.id):
        _put_aside(store, study, spool)
        return study
    spool.adopt()
    with Writer(store, study.id, spool) as writer:
        if not writer.settle(max_seconds_out):
            raise writer.left_behind()
    drained = store.find_study(study.name)
    assert drained is not None, f"study {study.name} vanished"
    return drained


def _last_token(store: Store, study_id: int) -> int:
    """Return the fencing token of the last run before this one that wrote anything; each run begins with an event."""
    table = tables.event
    ours = store.token(study_id)
    query = select(func.max(table.c.fencing_token)).where(
        table.c.study_id == study_id, table.c.fencing_token < ours
    )
    with store.reading() as connection:
        return connection.scalar(query) or 0


def _put_aside(store: Store, study: StudyRow, spool: Spool) -> None:
    moment = datetime.now(UTC)
    name = f"{FILE_NAME}.aside-{moment:%Y%m%dT%H%M%S.%fZ}"
    detail = f"another run went on without what waited in {FILE_NAME} (writes: {spool.num_waiting}); it is in {name}"
    store.add_event(study.id, PUT_ASIDE, None, detail, moment)
    spool.put_aside(name)
