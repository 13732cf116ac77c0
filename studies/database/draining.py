"""What an earlier run left in the spool comes to the storage before anything is read for the next."""

from pathlib import Path

from studies.database.patience import MAX_SECONDS_OUT
from studies.database.rows import StudyRow
from studies.database.spool import FILE_NAME, Spool
from studies.database.spool_lines import Origin
from studies.database.store import Store
from studies.database.writer import Writer


def open_spool(store: Store, study: StudyRow, folder: Path) -> Spool:
    """Return the spool of a study, which lies in its own folder; a SpoolError if it cannot be used."""
    origin = Origin(study=study.name, created_at=study.created_at, storage=store.address)
    return Spool(folder / FILE_NAME, origin)


def drain(
    store: Store, study: StudyRow, folder: Path, *, max_seconds_out: float = MAX_SECONDS_OUT
) -> StudyRow:
    """Write what waits in the study's spool, and return its row as it is then.

    Raises a SpoolError if the spool cannot be read, or what waits in it not be written.
    """
    spool = open_spool(store, study, folder)
    if spool.is_empty:
        return study
    with Writer(store, study.id, spool) as writer:
        if not writer.settle(max_seconds_out):
            raise writer.left_behind()
    drained = store.find_study(study.name)
    assert drained is not None, f"study {study.name} vanished"
    return drained
