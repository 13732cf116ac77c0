"""A report's inputs are of one moment, whatever is written meanwhile."""

import threading
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from reports.pages.page import write_report
from reports.results.results import compute
from studies.base.states import StudyState
from studies.database.rows import StudyRow
from studies.database.store import Store
from studies.results.report_inputs import report_inputs
from studies.run_log import run_events
from tests.studies.raytune.driving import DriverDiedError, drive, register
from tests.studies.raytune.plans import plan
from tests.studies.terminal import recorded


@pytest.fixture
def small(store: Store) -> StudyRow:
    """A study whose run has noted its start."""
    study = register(plan(looks=(10, 20)), store)
    run_events.note_start(store, study.id, {"command": "run it", "dataset": {"num_classes": 10}})
    return study


def test_state_and_rows_are_of_the_same_moment(store: Store, begun: StudyRow) -> None:
    """Not those of when the study was looked up."""
    recorded.record_search(store, begun)
    recorded.record_confirm(store, begun)
    inputs = report_inputs(store, begun)
    assert (begun.state, inputs.state, len(inputs.trials)) == (StudyState.RUNNING, "complete", 6)


def test_a_report_can_be_made_at_each_moment_of_a_study(store: Store, small: StudyRow) -> None:
    """Its accounting refuses a record that does not add up."""
    ended: list[int] = []
    while not ended or ended[-1] < 20:
        with suppress(DriverDiedError):
            drive(plan(looks=(10, 20)), store, die_after=9)
        results = compute(report_inputs(store, small))
        counted = results.accounting.overall
        ended.append(int(counted["complete"] + counted["pruned"] + counted["failed"]))
    assert ended == sorted(ended)


def test_a_report_made_while_a_driver_writes_adds_up(url: str, small: StudyRow) -> None:
    """Another thread with a store of its own records all the time; each look sees whole transactions only."""
    is_over = threading.Event()

    def write() -> None:
        with Store.open(url) as mine:
            drive(plan(looks=(10, 20)), mine)
        is_over.set()

    thread = threading.Thread(target=write)
    with Store.open(url) as store:
        thread.start()
        looks = list(_looks(store, small, is_over))
        recorded_trials = len(store.trials(small.id))
    thread.join()
    assert looks[-1] == recorded_trials > 20, "some cells go on to the second look"
    assert looks == sorted(looks)


def _looks(store: Store, study: StudyRow, is_over: threading.Event) -> Iterator[int]:
    """Count the trials, the last time after the driver has ended."""
    while True:
        was_over = is_over.wait(0)
        inputs = report_inputs(store, study)
        compute(inputs)
        yield len(inputs.trials)
        if was_over:
            return


def test_the_page_of_a_running_study_says_so(store: Store, small: StudyRow, tmp_path: Path) -> None:
    with suppress(DriverDiedError):
        drive(plan(looks=(10, 20)), store, die_after=20)
    page = write_report(report_inputs(store, small), tmp_path).read_text(encoding="utf-8")
    assert "this study is running" in page
    assert "no claim is made before it is complete" in page
