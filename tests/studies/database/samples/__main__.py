"""Prints a sample database of the present schema: run it before adding a migration, and keep what it prints.

python -m tests.studies.database.samples > tests/studies/database/samples/schema_NUMBER.sql
"""

import sqlite3
import sys
import tempfile
from contextlib import closing
from pathlib import Path

from studies.base.states import Phase
from studies.database.results import Artifact, Evaluation, Verdicts
from studies.database.store import Store
from tests.studies.database.recorded import add_trial, at_end, at_rung, new_study, start
from tests.studies.terminal import recorded

EVALUATION = Evaluation(
    replicate=1, confusion=[[3, 1], [0, 4]], calibration=[{"low": 0.5, "high": 1.0, "count": 8}]
)
VERDICTS = Verdicts(
    initial="vanishing", trained=None, details={"initial": [{"rule": "growth", "value": 0.1}]}
)
ARTIFACT = Artifact(path="models/best/block-1.safetensors", sha256="0f" * 32, num_bytes=4096)


def write(path: Path) -> None:
    """Record a complete study, and one that was cut off, with every kind of row."""
    with Store.open(f"sqlite:///{path}") as store:
        complete = recorded.add_study(store)
        recorded.record_search(store, complete)
        recorded.record_confirm(store, complete)
        cut_off = new_study(store, "cut_off", question="'; DROP TABLE study; -- 🌀\n?")
        for number in (1, 2, 3):
            add_trial(store, cut_off, number, phase=Phase.SEARCH)
        start(store, cut_off, 1)
        start(store, cut_off, 2)
        store.record_result(cut_off.id, 1, at_rung(1, [0, 1], num_layers=2))
        ending = at_end(2, [2], evaluations=[EVALUATION], artifacts=[ARTIFACT], verdicts={1: VERDICTS})
        store.record_result(cut_off.id, 1, ending)
        store.record_result(cut_off.id, 2, at_rung(1, [0, 1], num_layers=1))


def main() -> None:
    """Print the dump of a database made for it."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "sample.db"
        write(path)
        with closing(sqlite3.connect(path)) as connection:
            sys.stdout.writelines(f"{line}\n" for line in connection.iterdump())


if __name__ == "__main__":
    main()
