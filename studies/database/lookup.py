"""Finds a study by name; the error for an unknown name lists the existing ones."""

from studies.base.errors import UsageError
from studies.base.messages import unknown
from studies.database.rows import StudyRow
from studies.database.store import Store


def find(store: Store, name: str) -> StudyRow:
    """Return the row of the study called `name`; raise UsageError that lists the studies if there is none."""
    study = store.find_study(name)
    if study is None:
        names = [row.name for row in store.studies()]
        raise UsageError(
            [unknown(name, "study", names)]
            if names
            else [f"unknown study {name}: the storage holds none yet"],
            "See what there is: studies list",
        )
    return study
