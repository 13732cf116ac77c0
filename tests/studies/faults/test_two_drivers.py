"""Two drivers and one study: the second is refused, follows a killed one at once, takes over from a frozen one."""

import signal
import socket
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from studies import stop
from studies.base.states import StudyState
from studies.database.store import Store
from studies.run_log import run_events
from tests.studies.database.recorded import contents
from tests.studies.faults.forked import Forked, Nursery
from tests.studies.faults.light_run import LightRun
from tests.studies.faults.traces import Gate, wait_until
from tests.studies.faults.watched_run import NAME

LONGER = ("--set", "search.trials_per_cell=500", "--name", NAME)
"""So long that it does not end before anybody looks."""


class Rivals:
    """Drivers that work on one study, and wait at the gate of its training while that is shut."""

    def __init__(self, run: LightRun) -> None:
        self.url = run.url
        self._run = run
        self.gate = Gate.of(run.folder / "traces")
        self.drivers: list[Forked] = []

    def start(self, *arguments: str) -> Forked:
        """Start one more."""
        self.drivers.append(self._run.start(*arguments))
        return self.drivers[-1]

    def start_until_at_work(self, *arguments: str) -> Forked:
        """Start one more and wait until it trains."""
        self.gate.shut()
        driver = self.start(*arguments)
        wait_until(lambda: self.gate.is_waited_at or driver.has_ended, "a driver at work")
        assert not driver.has_ended, driver.errors
        return driver

    def kill(self) -> None:
        """Leave none."""
        for driver in self.drivers:
            driver.send(signal.SIGKILL)
            driver.finish()


@pytest.fixture(params=["sqlite", "postgresql"])
def rivals(request: pytest.FixtureRequest, drivers: Nursery, tmp_path: Path) -> Iterator[Rivals]:
    """Return drivers of a study that nobody has run, once for each kind of database."""
    if request.param == "sqlite":
        url = f"sqlite:///{tmp_path}/studies.db"
    else:
        make: Callable[[], str] = request.getfixturevalue("make_postgres_database")
        url = make()
    made = Rivals(LightRun(drivers, tmp_path / "study", url, workers=1))
    try:
        yield made
    finally:
        made.kill()


def is_held_by(store: Store, driver: Forked) -> bool:
    """Say whether the driver holds the study; fail if it has ended."""
    assert not driver.has_ended, driver.errors
    holders = [store.holder(row.id) for row in store.studies()]
    return [holder.process for holder in holders if holder is not None] == [driver.number]


def written_with(store: Store, token: int) -> list[dict[str, Any]]:
    """Return every row that the holder with this token wrote."""
    rows = contents(store)
    return [
        row
        for table in ("epoch", "rung_result", "event")
        for row in rows[table]
        if row["fencing_token"] == token
    ]


def test_the_second_is_refused_and_writes_nothing(rivals: Rivals) -> None:
    first = rivals.start_until_at_work()
    with Store.open(rivals.url, create=False) as store:
        # A trial's start may be written a moment after the trial has begun.
        wait_until(
            lambda: "running" in str(contents(store)["trial"]), "the first trial's start to be written"
        )
        before = contents(store)
        second = rivals.start()
        assert second.finish() == 3
        assert contents(store) == before
    told = second.errors.splitlines()
    who = f"process {first.number} on {socket.gethostname()}, since 20"
    assert told[0].startswith(f"error: study {NAME} is held by another run: {who}")
    assert f"Stop it: studies stop {NAME}" in told


def test_of_two_started_together_one_wins(rivals: Rivals) -> None:
    rivals.gate.shut()
    drivers = [rivals.start(), rivals.start()]
    wait_until(lambda: any(driver.has_ended for driver in drivers), "one of them to be refused")
    (loser,) = [driver for driver in drivers if driver.has_ended]
    (winner,) = [driver for driver in drivers if driver is not loser]
    assert loser.finish() == 3, loser.errors
    assert f"held by another run: process {winner.number} on" in loser.errors
    wait_until(lambda: rivals.gate.is_waited_at or winner.has_ended, "the other at work")
    assert not winner.has_ended, winner.errors


def test_the_next_follows_a_killed_one_at_once(rivals: Rivals) -> None:
    first = rivals.start_until_at_work()
    first.send(signal.SIGKILL)
    first.finish()  # a process that is killed is there until the machine finds time to end it
    killed = time.monotonic()
    second = rivals.start()
    with Store.open(rivals.url, create=False) as store:
        wait_until(lambda: is_held_by(store, second), "the second driver to hold the study")
    assert time.monotonic() - killed < 5


def test_a_frozen_one_that_was_taken_over_is_refused_when_it_goes_on(rivals: Rivals) -> None:
    first = rivals.start_until_at_work()
    first.send(signal.SIGSTOP)
    second = rivals.start_until_at_work("--take-over")
    with Store.open(rivals.url, create=False) as store:
        # A driver stops a moment after it was told to, and until then may say that it is at the gate.
        wait_until(lambda: is_held_by(store, second), "the second driver to hold the study")
        before = written_with(store, 1)
        assert before
        rivals.gate.open()
        first.send(signal.SIGCONT)
        assert first.finish() == 3
        assert (
            f"error: study {NAME} was taken over by another run: process {second.number} on" in first.errors
        )
        assert "Traceback" not in first.errors
        assert written_with(store, 1) == before
        wait_until(lambda: bool(written_with(store, 2)), "the second to write")


def test_one_that_is_asked_to_stop_says_how_to_go_on(
    rivals: Rivals, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("STUDIES_STORAGE", rivals.url)
    driver = rivals.start(*LONGER)
    with Store.open(rivals.url) as store:
        wait_until(lambda: is_held_by(store, driver), "the driver to hold the study")
        assert stop.main([NAME]) == 0
        told = capsys.readouterr().out
        assert told.startswith(f"asked process {driver.number} on {socket.gethostname()} to stop {NAME}; ")
        assert driver.finish() == 143
        error, advice = driver.errors.splitlines()
        assert error == "error: stopped, as asked by studies stop; everything recorded is kept"
        assert advice.startswith("Go on with: studies run ./small.py ")
        (study,) = store.studies()
        assert study.state is StudyState.INTERRUPTED
        assert stop.main([NAME]) == 0
        assert capsys.readouterr().out == f"no run of {NAME} is going on; there is nothing to stop\n"
        again = rivals.start(*LONGER)
        wait_until(lambda: len(run_events.started_with(store.events(study.id))) == 2, "the study to go on")
        again.send(signal.SIGTERM)
        assert again.finish() == 143
        assert again.errors.startswith("error: terminated"), "the old request still holds"
