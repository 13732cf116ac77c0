"""Draining a spool: what an earlier run left behind is in the storage, once, or put aside."""

from pathlib import Path

import pytest

from studies.base.errors import HeldError, StudiesError
from studies.base.states import StudyState
from studies.database.draining import PUT_ASIDE, drain, open_spool
from studies.database.rows import StudyRow
from studies.database.spool_problems import SpoolError
from studies.database.store import Store
from tests.studies.database.faulty import Fault
from tests.studies.database.written import Run, sqlite_url  # noqa: F401 - these tests are about SQLite alone


@pytest.mark.parametrize(
    ("error", "exit_code", "message"),
    [
        (HeldError("another run took over", "Wait."), 3, "another run took over"),
        (StudiesError("the tables are gone", "x"), 1, "(number 1) is refused: the tables are gone"),
        (TypeError("a bug"), 1, "(number 1) is refused: TypeError: a bug"),
    ],
)
def test_what_is_refused_while_draining_ends_the_run_and_keeps_the_spool(
    run: Run, fault: Fault, error: Exception, exit_code: int, message: str
) -> None:
    fault.begin()
    run.note("1")
    fault.begin(error)
    with pytest.raises(StudiesError) as caught:
        run.writer.settle()
    assert (caught.value.exit_code, caught.value) == (exit_code, run.writer.failure)
    assert message in caught.value.message
    fault.end()
    with pytest.raises(StudiesError):
        run.note("2")
    assert open_spool(run.store, run.study, run.path.parent).num_waiting == 1


def test_what_is_left_behind_is_drained_by_the_next_run(
    store: Store, study: StudyRow, tmp_path: Path, fault: Fault
) -> None:
    run = Run(store, study, tmp_path / "run")
    with run.writer:
        fault.begin()
        run.note("1")
        run.writer.set_study_state(study.id, StudyState.COMPLETE)
        assert not run.writer.settle(0.1)
        error = run.writer.left_behind()
    assert error.message == f"the storage is out: nobody answers; writes that wait in {run.path}: 2"
    assert "the same command again on this machine" in error.advice
    fault.end()
    assert drain(store, study, run.path.parent).state is StudyState.COMPLETE
    assert (run.notes, run.spooled, run.path.exists()) == (["1"], 1, False)
    assert drain(store, study, run.path.parent) == study, "there was nothing to drain"


def test_a_run_that_died_after_taking_the_study_changes_nothing(
    store: Store, study: StudyRow, tmp_path: Path, fault: Fault
) -> None:
    with store.hold(study.id):
        run = Run(store, study, tmp_path / "run")
        with run.writer:
            run.note("0")
            fault.begin()
            run.note("1")
        fault.end()
    with store.hold(study.id):
        pass
    with store.hold(study.id):
        drain(store, study, run.path.parent)
    assert (run.notes, run.spooled) == (["0", "1"], 1)


def test_a_drain_that_was_broken_off_goes_on_under_a_new_token(
    store: Store, study: StudyRow, tmp_path: Path, fault: Fault
) -> None:
    with store.hold(study.id):
        run = Run(store, study, tmp_path / "run")
        with run.writer:
            fault.begin()
            run.note("1")
            run.note("2")
        fault.end()
    with store.hold(study.id):
        fault.begin(after=1)
        with pytest.raises(SpoolError, match="writes that wait in"):
            drain(store, study, run.path.parent, max_seconds_out=0.1)
        fault.end()
    assert run.notes == ["1"]
    with store.hold(study.id):
        drain(store, study, run.path.parent)
    assert (run.notes, run.spooled) == (["1", "2"], 1)


def test_what_another_run_went_on_without_is_put_aside(
    store: Store, study: StudyRow, tmp_path: Path, fault: Fault
) -> None:
    with store.hold(study.id):
        run = Run(store, study, tmp_path / "run")
        with run.writer:
            fault.begin()
            run.note("1")
        fault.end()
    with store.hold(study.id):
        store.add_event(study.id, "run_started", None, "on another machine")
    with store.hold(study.id):
        assert drain(store, study, run.path.parent) == study
    assert (run.notes, run.spooled, run.path.exists()) == ([], 0, False)
    (aside,) = run.path.parent.iterdir()
    assert aside.name.startswith("spool.jsonl.aside-20")
    put_aside = store.events(study.id)[-1]
    assert put_aside.kind == PUT_ASIDE
    assert put_aside.detail == (
        f"another run went on without what waited in spool.jsonl (writes: 1); it is in {aside.name}"
    )


def test_draining_gives_up_where_the_storage_stays_out(run: Run, fault: Fault) -> None:
    fault.begin()
    run.note("1")
    with run.writer:
        pass
    with pytest.raises(SpoolError, match=r"writes that wait in .*: 1"):
        drain(run.store, run.study, run.path.parent, max_seconds_out=0.1)
