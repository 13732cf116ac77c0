"""Two drivers and one study: the second is refused, follows a killed one at once, takes over from a frozen one."""

import signal
import socket
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from studies import runs, stop
from studies.database.states import StudyState
from studies.database.store import Store
from tests.studies.database.recorded import contents
from tests.studies.faults.forked import Forked, Nursery
from tests.studies.faults.light_loop import NAME, LightRun
from tests.studies.faults.soundness import results
from tests.studies.faults.traces import Gate, wait_until


@pytest.fixture(params=["sqlite", "postgresql"])
def study(request: pytest.FixtureRequest, drivers: Nursery, tmp_path: Path) -> LightRun:
    """Return a study that nobody has run, once for each kind of database."""
    if request.param == "sqlite":
        url = f"sqlite:///{tmp_path}/studies.db"
    else:
        make: Callable[[], str] = request.getfixturevalue("make_postgres_database")
        url = make()
    return LightRun(drivers, tmp_path / "study", url, workers=1)


def at_work(study: LightRun) -> tuple[Forked, Gate]:
    """Start a driver and return it once it has recorded something and waits at the gate."""
    gate = Gate.of(study.folder / "traces")
    gate.shut()
    driver = study.start()
    wait_until(lambda: gate.is_waited_at, "the first driver at work")
    return driver, gate


def test_the_second_is_refused_and_writes_nothing(study: LightRun) -> None:
    first, gate = at_work(study)
    with Store.open(study.url, create=False) as store:
        before = contents(store)
        second = study.start()
        assert second.finish() == 3
        assert contents(store) == before
    told = second.errors.splitlines()
    who = f"process {first.number} on {socket.gethostname()}, since 20"
    assert told[0].startswith(f"error: study {NAME} is held by another run: {who}")
    assert f"Stop it: python -m studies.stop {NAME}" in told
    gate.open()
    assert first.finish() == 0


def test_of_two_started_together_one_wins(study: LightRun) -> None:
    gate = Gate.of(study.folder / "traces")
    gate.shut()
    drivers = [study.start(), study.start()]
    wait_until(lambda: any(driver.has_ended for driver in drivers), "one of them to be refused")
    (loser,) = [driver for driver in drivers if driver.has_ended]
    (winner,) = [driver for driver in drivers if driver is not loser]
    assert loser.finish() == 3, loser.errors
    assert f"held by another run: process {winner.number} on" in loser.errors
    gate.open()
    assert winner.finish() == 0, winner.errors


def test_the_next_follows_a_killed_one_at_once(study: LightRun, undisturbed: dict[str, Any]) -> None:
    first, gate = at_work(study)
    first.send(signal.SIGKILL)
    killed = time.monotonic()
    gate.open()
    second = study.start()
    with Store.open(study.url, create=False) as store:
        wait_until(lambda: holds(store, second), "the second driver to hold the study")
        assert time.monotonic() - killed < 5
        assert second.finish() == 0, second.errors
        assert results(store) == undisturbed
    assert first.finish() == -signal.SIGKILL


def holds(store: Store, driver: Forked) -> bool:
    (row,) = store.studies()
    holder = store.holder(row.id)
    return driver.has_ended or (holder is not None and holder.process == driver.number)


def num_starts(store: Store) -> int:
    (row,) = store.studies()
    return len(runs.started_with(store.events(row.id)))


def test_a_frozen_one_that_was_taken_over_is_refused_when_it_goes_on(
    study: LightRun, undisturbed: dict[str, Any]
) -> None:
    first, gate = at_work(study)
    first.send(signal.SIGSTOP)
    gate.open()
    second = study.start("--take-over")
    assert second.finish() == 0, second.errors
    first.send(signal.SIGCONT)
    assert first.finish() == 3
    assert f"error: study {NAME} was taken over by another run" in first.errors
    assert "Traceback" not in first.errors
    with Store.open(study.url, create=False) as store:
        assert results(store) == undisturbed
        assert [row.state for row in store.studies()] == [StudyState.COMPLETE]


def test_one_that_is_asked_to_stop_says_how_to_go_on(
    study: LightRun, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("STUDIES_STORAGE", study.url)
    # So long that it does not end by itself before it looks.
    longer = ("--set", "search.trials_per_cell=500", "--name", NAME)
    driver = study.start(*longer)
    with Store.open(study.url) as store:
        wait_until(lambda: bool(store.studies()) and holds(store, driver), "the driver to hold the study")
        assert stop.main([NAME]) == 0
        told = capsys.readouterr().out
        assert told.startswith(f"asked process {driver.number} on {socket.gethostname()} to stop {NAME}; ")
        assert driver.finish() == 143
        error, advice = driver.errors.splitlines()
        assert error == "error: stopped, as asked by python -m studies.stop; everything recorded is kept"
        assert advice.startswith("Go on with: python -m studies.run ./small.py ")
        assert "--take-over" not in advice
        assert [row.state for row in store.studies()] == [StudyState.INTERRUPTED]
        assert stop.main([NAME]) == 0
        assert capsys.readouterr().out == f"no run of {NAME} is going on; there is nothing to stop\n"
        again = study.start(*longer)
        wait_until(lambda: num_starts(store) == 2 or again.has_ended, "the study to go on")
        again.send(signal.SIGTERM)
        assert again.finish() == 143
        assert again.errors.startswith("error: terminated"), "the old request still holds"
