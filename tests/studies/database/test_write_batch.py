"""A trial's start: not waited for, in one transaction with what is written next, and never far behind."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime

import pytest
from sqlalchemy import Engine, event

from studies.base.errors import HeldError, StudiesError
from studies.base.states import Phase, TrialState
from studies.database import writer
from studies.database.results import Ending, TrialResult
from studies.database.rows import TrialRow
from studies.database.store import Store
from tests.studies.database.faulty import Fault
from tests.studies.database.written import Run
from tests.studies.faults.traces import wait_until


def add(run: Run, number: int = 1) -> None:
    run.writer.announce_trial(run.study.id, number=number, phase=Phase.SEARCH, cell=None, params={})
    run.writer.confirm_trial(run.study.id, number)


def start(run: Run, number: int = 1, attempt: int = 1) -> None:
    run.writer.start_trial(
        run.study.id, number, worker="", started_at=datetime.now(UTC), versions={}, attempt=attempt
    )


def trial(run: Run) -> TrialRow:
    (row,) = run.store.trials(run.study.id)
    return row


@contextmanager
def counting_commits() -> Iterator[list[None]]:
    commits: list[None] = []

    def count(_: object) -> None:
        commits.append(None)

    event.listen(Engine, "commit", count)
    try:
        yield commits
    finally:
        event.remove(Engine, "commit", count)


def test_a_start_and_the_next_write_are_one_transaction(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writer, "MAX_SECONDS_DEFERRED", 60.0)
    add(run)
    with counting_commits() as commits:
        start(run)
        run.writer.record_result(run.study.id, 1, TrialResult(epoch=1, busy_seconds=1.0, attempt=1))
        assert len(commits) == 1
    assert (trial(run).state, trial(run).attempt, trial(run).epochs) == (TrialState.RUNNING, 1, 1)


def test_starts_that_nothing_follows_are_written_soon(run: Run) -> None:
    add(run)
    start(run)
    wait_until(lambda: trial(run).state is TrialState.RUNNING, "the start to be written")
    run.note("later")
    assert (trial(run).attempt, run.notes) == (1, ["later"])


def test_an_outage_keeps_the_order(run: Run, fault: Fault) -> None:
    add(run)
    fault.begin()
    start(run)
    run.note("one")
    assert run.told == [f"the storage is out: nobody answers; meanwhile results are kept in {run.path}"]
    fault.end()
    assert run.writer.settle()
    assert (trial(run).attempt, run.notes) == (1, ["one"])


def test_an_outage_while_nothing_else_is_written_loses_no_start(run: Run, fault: Fault) -> None:
    add(run)
    fault.begin()
    start(run)
    wait_until(lambda: fault.num_calls > 1, "the start to be tried")
    fault.end()
    assert run.writer.settle()
    assert trial(run).attempt == 1
    assert run.spooled == 0


def test_a_start_that_is_refused_is_told_by_the_next_write_which_is_refused_too(run: Run) -> None:
    add(run)
    ending = Ending(state=TrialState.COMPLETE, ended_at=datetime.now(UTC), objective=0.5)
    run.writer.record_result(run.study.id, 1, TrialResult(epoch=1, busy_seconds=1.0, ending=ending))
    start(run, attempt=2)
    with pytest.raises(StudiesError, match="trial 1 has ended"):
        run.note("one")
    assert run.notes == []


def test_a_start_after_another_run_took_over_changes_nothing(run: Run) -> None:
    add(run)
    with run.store.hold(run.study.id) as lease, Store.open(run.store.address) as other:
        with other.hold(run.study.id, take_over=True):
            start(run)
            with pytest.raises(HeldError, match="was taken over"):
                run.note("one")
        assert lease.lost is not None
    assert (trial(run).attempt, run.notes) == (0, [])


def test_what_is_written_together_is_there_together_or_not_at_all(run: Run) -> None:
    add(run)
    store, study_id = run.store, run.study.id
    before = store.studies()[0]
    with suppress(ZeroDivisionError), store.together(study_id):
        store.add_event(study_id, "note", 1, "one")
        raise ZeroDivisionError
    assert (store.studies()[0], run.notes) == (before, [])
    with store.together(study_id):
        store.add_event(study_id, "note", 1, "one")
        store.record_result(study_id, 1, TrialResult(epoch=1, busy_seconds=1.0))
        store.add_event(study_id, "note", 1, "two")
    store.add_event(study_id, "note", 1, "three")
    sequences = [each.sequence for each in store.events(study_id)]
    assert sequences == sorted(set(sequences))
    assert run.notes == ["one", "two", "three"]
