"""Outages anywhere, deaths anywhere, repeats anywhere: the same rows as without."""

from dataclasses import replace
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from studies.base.states import Phase, StudyState
from studies.database.draining import open_spool
from studies.database.results import Artifact
from studies.database.rows import StudyRow
from studies.database.spool import SPOOLED
from studies.database.store import Store
from studies.database.writes import AddEvent, AddTrial, RecordResult, SetStudyState, StartTrial, Write
from tests.studies.database.recorded import MOMENT, at_end, at_rung, contents, new_study

WITHOUT = ("study_id", "id", "name", "sequence", "created_at", "updated_at")
NAMES = count()


def trial(number: int) -> AddTrial:
    return AddTrial(number=number, phase=Phase.SEARCH, cell=1, params={"depth": 3, "learning_rate": 0.1})


def begin(number: int, attempt: int) -> StartTrial:
    return StartTrial(
        number=number, attempt=attempt, worker=f"host:{attempt}", started_at=MOMENT, versions={"torch": "2"}
    )


def report(number: int, attempt: int, result: Any) -> RecordResult:
    return RecordResult(number=number, result=replace(result, attempt=attempt))


SCRIPT: list[Write] = [
    SetStudyState(state=StudyState.RUNNING),
    AddEvent(event="run_started", trial_number=None, detail="{}", at=MOMENT),
    trial(1),
    begin(1, 1),
    trial(2),
    report(1, 1, at_rung(1, [0, 1])),
    begin(2, 1),
    report(1, 1, at_rung(3, [2, 3])),
    begin(1, 2),  # its worker was lost
    report(2, 1, at_rung(1, [0, 1])),
    report(1, 2, at_rung(1, [0, 1], busy=0.5)),
    report(1, 2, at_rung(3, [2, 3], shift=0.25)),  # which leaves an event
    report(2, 1, at_end(2, [2], artifacts=[Artifact(path="models/a", sha256="00", num_bytes=1)])),
    report(1, 2, at_end(4, [4])),
    AddEvent(event="run_ended", trial_number=None, detail="{}", at=MOMENT),
    SetStudyState(state=StudyState.COMPLETE),
]


def rows(store: Store, study: StudyRow) -> dict[str, Any]:
    """Return what was recorded of the only study, and the order of its decisions and events."""
    found: dict[str, Any] = contents(store, *WITHOUT)
    events = [event for event in store.events(study.id) if event.kind != SPOOLED]
    # A conflict is told when it is found.
    found["event"] = [
        [e.kind, e.trial_number, e.detail, e.at if e.kind != "conflict" else None] for e in events
    ]
    decided = [[rung.trial_number, rung.epoch] for rung in store.rung_results(study.id)]
    return found | {"order": decided}


class Driver:
    """One driver after the other, each of which writes on, spools, drains or dies as it is told."""

    def __init__(self, store: Store, study: StudyRow, folder: Path, data: st.DataObject) -> None:
        self.store, self.study, self.folder, self.data = store, study, folder, data
        self.spool = open_spool(store, study, folder)

    def write(self, write: Write) -> None:
        """Write it now or spool it; where the answer to a commit is lost, both."""
        is_empty = self.spool.is_empty
        happens = self.data.draw(st.sampled_from(["works", "fails", "answer lost"])) if is_empty else "fails"
        if happens != "fails":
            write.apply(self.store, self.study.id)
        if happens != "works":
            self.spool.append(write)
        if self.data.draw(st.integers(0, 3)) == 0:
            self.drain(self.data.draw(st.integers(0, 4)))

    def drain(self, most: int = 10**6) -> None:
        """Drain some writes; die on the way or afterwards, maybe, and go on as the next driver."""
        for _ in range(most):
            waiting = self.spool.first()
            if waiting is None:
                return
            for _ in range(self.data.draw(st.integers(1, 2))):
                waiting.write.apply(self.store, self.study.id)
            if self.data.draw(st.integers(0, 5)) == 0:
                self.die()
            else:
                self.spool.drop(waiting)
        if self.data.draw(st.booleans()):
            self.die()

    def die(self) -> None:
        """Leave the file as it is, but for what a power cut does to it."""
        self.spool.close()
        if self.spool.path.exists():
            lines = self.spool.path.read_bytes().splitlines(keepends=True)
            while b'"drained"' in lines[-1] and self.data.draw(st.booleans()):
                lines.pop()  # they are not synced
            torn = self.data.draw(st.sampled_from([b"", b'{"crc32":"00', b"\0\0\0"]))
            self.spool.path.write_bytes(b"".join(lines) + torn)
        self.spool = open_spool(self.store, self.study, self.folder)
        if self.data.draw(st.booleans()):
            self.spool.adopt()


class TestAnyOutage:
    """Of any length, at any place."""

    @pytest.fixture
    def undisturbed(self, store: Store) -> dict[str, Any]:
        """Return what is recorded where nothing happens."""
        study = new_study(store)
        for write in SCRIPT:
            write.apply(store, study.id)
        found = rows(store, study)
        store.delete_study(study.id)
        return found

    @given(data=st.data())
    @settings(max_examples=8, suppress_health_check=[HealthCheck.function_scoped_fixture])
    def test_ends_in_the_same_rows(
        self, store: Store, tmp_path: Path, undisturbed: dict[str, Any], data: st.DataObject
    ) -> None:
        self.go_through(store, tmp_path, undisturbed, data)

    @pytest.mark.slow
    @given(data=st.data())
    @settings(max_examples=200, suppress_health_check=[HealthCheck.function_scoped_fixture])
    def test_ends_in_the_same_rows_often(
        self, store: Store, tmp_path: Path, undisturbed: dict[str, Any], data: st.DataObject
    ) -> None:
        self.go_through(store, tmp_path, undisturbed, data)

    def go_through(
        self, store: Store, folder: Path, undisturbed: dict[str, Any], data: st.DataObject
    ) -> None:
        study = new_study(store, f"study {next(NAMES)}")
        try:
            driver = Driver(store, study, folder / study.name, data)
            for write in SCRIPT:
                driver.write(write)
            while not driver.spool.is_empty:
                driver.drain()
            assert rows(store, study) == undisturbed
            assert not driver.spool.path.exists()
        finally:
            store.delete_study(study.id)
