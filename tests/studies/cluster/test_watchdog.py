"""The watchdog without Ray: whose worker it kills, when it ends the run, and that it never goes on in a lost Ray."""

import pickle
import threading
from types import SimpleNamespace
from typing import Any

import pytest
import ray

from studies.base.stopwatch import Stopwatch
from studies.cluster.watchdog import StallDetector, Watchdog
from tests.studies.base.test_stopwatch import Clock


def trial_of(number: int, actor: str) -> Any:
    """Return what callbacks ask of a trial of Tune's."""
    trial_spec = SimpleNamespace(number=number)
    return SimpleNamespace(
        config={"trial_spec": trial_spec}, temporary_state=SimpleNamespace(ray_actor=actor)
    )


class Run:
    """A watchdog as Tune calls it, with trials 1 and 2 at work."""

    def __init__(self) -> None:
        self.clock = Clock()
        self.killed: list[str] = []
        self.loss: str | None = None
        self.is_to_stop = False
        liveness: Any = SimpleNamespace(loss=lambda: self.loss, is_lost=lambda: self.loss is not None)
        self.watchdog = Watchdog(
            should_stop=lambda: self.is_to_stop,
            liveness=liveness,
            stalls=StallDetector(min_seconds=10.0, stopwatch=lambda: Stopwatch(self.clock)),
        )
        self.trials = {number: self.start(number) for number in (1, 2)}

    def start(self, number: int) -> Any:
        """Start a trial in a worker of its own."""
        trial = trial_of(number, f"worker {number}")
        self.watchdog.on_trial_start(0, [], trial)
        return trial

    def wait(self, seconds: int) -> None:
        for _ in range(seconds):
            self.clock.now += 1.0
            assert not self.watchdog.stop_all()


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch) -> Run:
    """A run with two trials; workers are killed in name alone."""
    run = Run()
    monkeypatch.setattr(ray, "kill", lambda actor, no_restart: run.killed.append(actor))
    return run


def test_the_worker_of_a_silent_trial_is_killed_once(run: Run) -> None:
    for _ in range(25):
        run.wait(1)
        run.watchdog.on_trial_result(0, [], run.trials[2], {"epoch": 1})
    assert run.killed == ["worker 1"]
    assert str(run.watchdog.words(1)).startswith("the trial was silent for 21 s before its first report")
    assert run.watchdog.words(2) is None


@pytest.mark.parametrize("ended", ["on_trial_complete", "on_trial_error"])
def test_a_trial_that_has_ended_is_watched_no_more(run: Run, ended: str) -> None:
    getattr(run.watchdog, ended)(0, [], run.trials[1])
    run.wait(11)
    run.is_to_stop = True
    assert run.watchdog.stop_all()
    assert run.killed == ["worker 2"]


def test_at_the_end_every_worker_is_killed_and_those_that_come_later(run: Run) -> None:
    run.is_to_stop = True
    assert run.watchdog.stop_all()
    assert run.killed == ["worker 1", "worker 2"]
    run.start(3)
    assert run.watchdog.stop_all()
    assert run.killed == ["worker 1", "worker 2", "worker 3"]


def test_a_worker_that_does_not_come_up_is_killed_and_watched_again_when_it_is_tried_again(run: Run) -> None:
    for trial in run.trials.values():
        run.watchdog.on_trial_complete(0, [], trial)
    for seconds, actor in ((10, "worker 3"), (20, "its next worker")):
        for _ in range(seconds + 5):
            run.watchdog.see_starting({3: actor})
            run.wait(1)
        assert run.killed[-1] == actor
        assert str(run.watchdog.words(3)).startswith(
            f"the trial was silent for {seconds + 1} s while its worker started"
        )
        run.watchdog.on_trial_error(0, [], trial_of(3, actor))
    assert run.killed == ["worker 3", "its next worker"]


def test_a_worker_that_came_up_may_be_silent_anew(run: Run) -> None:
    run.watchdog.see_starting({3: "worker 3"})
    run.wait(9)
    run.start(3)
    run.watchdog.see_starting({})
    assert run.watchdog.words(3) is None
    run.clock.now += 0.5
    assert not run.watchdog.stop_all()
    assert run.killed == []


def test_at_the_end_a_worker_that_starts_is_killed_too(run: Run) -> None:
    run.watchdog.see_starting({3: "worker 3"})
    run.is_to_stop = True
    assert run.watchdog.stop_all()
    assert set(run.killed) == {"worker 1", "worker 2", "worker 3"}


def test_tune_does_not_go_on_in_a_lost_ray(run: Run) -> None:
    run.loss = "Ray is gone"
    assert run.watchdog.is_ray_lost()
    thread = threading.Thread(target=run.watchdog.stop_all, name="tune", daemon=True)
    thread.start()
    thread.join(0.5)
    assert thread.is_alive()
    assert run.killed == [], "a call to a lost Ray may end the process"


def test_no_trial_is_stopped_by_its_results(run: Run) -> None:
    assert run.watchdog("a trial", {"done": True}) is False


def test_nothing_of_it_is_pickled(run: Run) -> None:
    assert pickle.loads(pickle.dumps(run.watchdog)).__dict__ == {}
