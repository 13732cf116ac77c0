"""The writer: what it took is in the storage in the end, in order, whatever happened to the storage meanwhile."""

import time
from collections.abc import Callable
from pathlib import Path

import pytest

from studies.base.errors import HeldError, StudiesError
from studies.base.states import Phase
from studies.database import retry, writer
from studies.database.draining import drain, open_spool
from studies.database.rows import StudyRow
from studies.database.spool_problems import SpoolError
from studies.database.store import Store
from studies.database.writer import HeldBackError
from tests.studies.database.faulty import Fault
from tests.studies.database.written import RETRIES, Run, sqlite_url  # noqa: F401 - these tests are about SQLite alone


def seconds(action: Callable[[], object]) -> float:
    started = time.monotonic()
    action()
    return time.monotonic() - started


def test_a_storage_that_works_is_written_at_once(run: Run) -> None:
    run.note("one")
    assert run.notes == ["one"]
    assert (run.told, run.path.parent.exists()) == ([], False)
    assert run.writer.settle(0)


def announce(run: Run, number: int) -> None:
    run.writer.announce_trial(run.study.id, number=number, phase=Phase.SEARCH, cell=None, params={})


def test_an_announced_trial_is_durable_once_it_is_confirmed(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writer, "MAX_SECONDS_DEFERRED", 60.0)
    announce(run, 1)
    assert run.store.trials(run.study.id) == []
    run.writer.confirm_trial(run.study.id, 1)
    run.writer.confirm_trial(run.study.id, 1)
    assert [trial.number for trial in run.store.trials(run.study.id)] == [1]


def test_an_announced_trial_shares_the_transaction_of_the_next_write(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writer, "MAX_SECONDS_DEFERRED", 60.0)
    announce(run, 1)
    run.note("one")
    assert [trial.number for trial in run.store.trials(run.study.id)] == [1]


def test_an_announced_trial_survives_an_outage(run: Run, fault: Fault) -> None:
    fault.begin()
    announce(run, 1)
    run.writer.confirm_trial(run.study.id, 1)
    assert run.path.exists(), "it is in the spool"
    fault.end()
    assert run.writer.settle()
    assert [trial.number for trial in run.store.trials(run.study.id)] == [1]


def test_a_short_outage_is_waited_for(run: Run, fault: Fault) -> None:
    fault.begin(times=1)
    run.note("one")
    assert (run.notes, run.told, fault.num_calls) == (["one"], [], 2)
    assert not run.path.exists()


def test_a_longer_outage_fills_the_spool_which_is_drained_in_order(run: Run, fault: Fault) -> None:
    run.note("0")
    fault.begin()
    assert seconds(lambda: run.note("1")) >= RETRIES
    assert seconds(lambda: run.note("2")) < RETRIES, "once spooling, it only appends"
    assert run.told == [f"the storage is out: nobody answers; meanwhile results are kept in {run.path}"]
    assert run.notes == ["0"]
    fault.end()
    run.note("3")
    assert run.writer.settle()
    run.note("4")
    assert run.notes == ["0", "1", "2", "3", "4"]
    assert run.spooled == 1
    assert run.told[1:] == [f"the storage is back; what waited in {run.path} is in it"]
    assert not run.path.exists()


def test_a_write_whose_commit_was_not_heard_of_is_there_once(run: Run, fault: Fault) -> None:
    fault.begin(comes_after_the_commit=True)
    run.note("1")
    run.note("2")
    fault.end()
    assert run.writer.settle()
    assert run.notes == ["1", "2"]
    assert run.spooled == 1


def test_a_server_that_hangs_keeps_nobody_waiting_for_long(run: Run, fault: Fault) -> None:
    fault.hang()
    assert RETRIES <= seconds(lambda: run.note("1")) < 10 * RETRIES
    run.note("2")
    assert run.told == [f"the storage does not answer; meanwhile results are kept in {run.path}"]
    fault.end()
    assert run.writer.settle()
    assert run.notes == ["1", "2"]


@pytest.mark.parametrize(
    "error", [HeldError("another run took over", "Wait."), StudiesError("no", "x"), TypeError("a bug")]
)
def test_what_is_refused_is_told_at_once_and_not_spooled(run: Run, fault: Fault, error: Exception) -> None:
    fault.begin(error)
    with pytest.raises(type(error)) as caught:
        run.note("1")
    assert caught.value is error
    assert (fault.num_calls, run.path.exists(), run.writer.failure) == (1, False, None)
    fault.end()
    run.note("2")
    assert run.notes == ["2"]


def test_a_full_spool_makes_writers_wait_and_drops_nothing(
    store: Store, study: StudyRow, tmp_path: Path, fault: Fault, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = Run(store, study, tmp_path / "run", max_bytes=1)
    with run.writer:
        fault.begin()
        run.note("1")
        told: list[str] = []

        def tell(text: str) -> None:
            told.append(text)
            fault.end()

        monkeypatch.setattr(run.writer, "_tell", tell)
        run.note("2")
        assert told[0] == f"{run.path} is full: training waits until the storage is back"
        assert run.writer.settle()
    assert run.notes == ["1", "2"]


def test_a_full_spool_does_not_keep_a_run_from_stopping(
    store: Store, study: StudyRow, tmp_path: Path, fault: Fault
) -> None:
    run = Run(store, study, tmp_path / "run", max_bytes=1)
    with run.writer:
        fault.begin()
        run.note("1")
        run.should_stop = True
        with pytest.raises(HeldBackError):
            run.note("2")
    assert run.writer.failure is None
    fault.end()
    drain(store, study, run.path.parent)
    assert run.notes == ["1"]


def test_a_run_that_is_to_stop_waits_for_nothing_long(
    run: Run, fault: Fault, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retry, "SECONDS_TO_STOP", 0.05)
    monkeypatch.setattr(run.writer, "_max_seconds", 1000.0)
    fault.hang()
    run.should_stop = True
    run.note("1")
    assert not run.writer.settle(1000)
    fault.end()
    run.should_stop = False
    assert run.writer.settle()
    assert run.notes == ["1"]


def test_neither_storage_nor_spool(run: Run, fault: Fault) -> None:
    run.path.parent.write_text("a file in the way")
    fault.begin()
    with pytest.raises(SpoolError, match="cannot be written either") as caught:
        run.note("1")
    assert "Make room on the disk, or mend the storage" in caught.value.advice
    assert caught.value.exit_code == 1


def test_a_run_that_was_taken_over_while_the_storage_was_out_stops(
    store: Store, study: StudyRow, tmp_path: Path, fault: Fault
) -> None:
    with Store.open(f"sqlite:///{tmp_path}/studies.db") as other, store.hold(study.id):
        run = Run(store, study, tmp_path / "run")
        with run.writer:
            fault.begin()
            run.note("1")
            with other.hold(study.id, take_over=True):
                fault.end()
                with pytest.raises(HeldError):
                    run.writer.settle()
                with pytest.raises(HeldError):
                    run.note("2")
    assert run.notes == []
    assert open_spool(store, study, run.path.parent).num_waiting == 1


def test_an_interruption_while_waiting_leaves_it_usable(
    run: Run, fault: Fault, monkeypatch: pytest.MonkeyPatch
) -> None:
    fault.begin()

    def interrupted() -> bool:
        raise KeyboardInterrupt

    with monkeypatch.context() as context:
        context.setattr(run.writer, "_should_stop", interrupted)
        with pytest.raises(KeyboardInterrupt):
            run.note("1")
    fault.end()
    run.note("2")
    assert run.notes[-1] == "2"


def test_a_writer_writes_to_one_study(run: Run) -> None:
    with pytest.raises(AssertionError):
        run.writer.add_event(run.study.id + 1, "note", None, "x")
