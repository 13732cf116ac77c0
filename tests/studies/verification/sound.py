"""Sound studies to verify: driven without Ray, with what a run notes and a file that it leaves."""

from pathlib import Path

from sqlalchemy import text

from studies.base.states import StudyState
from studies.database.frames.raw_rows import read_rows
from studies.database.recording import change_study
from studies.database.store import Store
from studies.planning.plan import Plan
from studies.run_log import run_events
from studies.storage.artifacts import write_artifact
from studies.verification.digests import digests_of
from studies.verification.verification import Verification, verify
from tests.studies.raytune.driving import drive, register
from tests.studies.raytune.plans import plan

STORAGE = "studies.db"
NUM_CLASSES = 100
"""So many that no made-up loss is worse than guessing."""
FILE = "models/best/block-0.safetensors"


def url(folder: Path) -> str:
    """Return the URL of the storage in a folder."""
    return f"sqlite:///{folder}/{STORAGE}"


def complete(store: Store, folder: Path, small: Plan | None = None) -> None:
    """Record a study from its start to its end, under the third lease of it, with one file."""
    small = small or plan()
    study = register(small, store)
    for _ in range(2):
        with store.hold(study.id):
            pass
    with store.hold(study.id):
        details = {"command": "run it", "plan_hash": small.hash, "dataset": {"num_classes": NUM_CLASSES}}
        run_events.note_start(store, study.id, details)
        queue = drive(small, store)
        best = next(number for number, trial in queue.trials.items() if queue.keeps_models(trial))
        store.add_artifact(study.id, write_artifact(folder / small.name, Path(FILE), b"weights"), best)
        seconds = dict.fromkeys(run_events.SECONDS, 1.0)
        run_events.note_end(
            store, study.id, state=StudyState.COMPLETE, looks=queue.num_looks, seconds=seconds
        )
        store.set_study_state(study.id, StudyState.COMPLETE)


def reseal(folder: Path, name: str = "small") -> None:
    """Give every row in the storage of a folder the digest of what it holds now."""
    with Store.open(url(folder), create=False) as store:
        reseal_rows(store, name)


def reseal_rows(store: Store, name: str) -> None:
    """Give every row of a study the digest of what it holds now, as a writer that is wrong would have done."""
    with store.reading() as connection:
        rows = read_rows(connection, name)
    assert rows is not None
    study_id = rows.study["id"]
    with store.writing(study_id) as connection:
        for table, frame in rows.by_table.items():
            found = digests_of(table, frame, study_id)
            keys = [column.name for column in table.primary_key if column.name != "study_id"]
            where = " AND ".join(["study_id = :study", *(f"{key} = :{key}" for key in keys)])
            statement = text(f"UPDATE {table.name} SET digest = :sealed WHERE {where}")
            for row in frame[keys].assign(sealed=found.tolist()).to_dict("records"):
                values = {str(key): value for key, value in row.items()}
                connection.execute(statement, {**values, "study": study_id})
        change_study(connection, study_id, {})


def verified(folder: Path, name: str = "small") -> Verification:
    """Verify a study in the storage of a folder, where its files lie, too."""
    with Store.open(url(folder), create=False) as store:
        return verify(store, name, folder / name)


def faults(found: Verification) -> dict[str, list[str]]:
    """Return the faults by the name of the check that found them."""
    return {check.name: list(check.faults) for check in found.checks if not check.holds}
