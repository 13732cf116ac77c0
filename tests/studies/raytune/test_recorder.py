"""The recorder without Ray: what is recorded, what is told to the queue, and that nothing is pickled."""

import pickle
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from ray.exceptions import OutOfMemoryError, RayActorError

from studies.base.errors import HeldError, StudiesError
from studies.base.states import Decision, Outcome, TrialState
from studies.cluster.nodes import Node
from studies.database.draining import open_spool
from studies.database.engines.problems import OutageError
from studies.database.store import Store
from studies.database.writer import Writer
from studies.diagnosis.verdict_accumulator import VerdictAccumulator
from studies.forecast.gpu_fraction import suggest
from studies.planning.planned_trial import PlannedTrial
from studies.raytune.checkpoints import Checkpoints
from studies.raytune.experiment import assign
from studies.raytune.recorder import Recorder
from studies.raytune.retries import Retries
from studies.raytune.worker_allocation import WorkerAllocation
from studies.run_log import run_events
from studies.search.progress import Progress, planned_progress
from studies.search.trial_queue import TrialQueue
from tests.studies.database.so_far import so_far
from tests.studies.raytune.plans import plan
from trainables.base.records import Note, NoteKind, PeakMemory, ReplicateRecord, TrialReport
from trainables.trials.checkpoint import CheckpointRef

PLAN = plan()


class Driver:
    """A recorder with everything around it, and one trial that Tune has started."""

    def __init__(self, store: Store, folder: Path) -> None:
        study = store.create_study(name="x", question="?", plan=PLAN.to_dict(), plan_hash=PLAN.hash, seed=0)
        self.store, self.study_id, self.folder = store, study.id, folder
        self.writer = Writer(store, study.id, open_spool(store, study, folder), max_seconds_of_retries=0.3)
        self.queue = TrialQueue(PLAN)
        self.decisions: dict[int, Decision] = {}
        self.progress: Progress = planned_progress(PLAN, so_far([]), num_networks=0, num_diverged=0)
        self.watchdog = SimpleNamespace(is_ray_lost=lambda: False, words=lambda number: None)
        watchdog: Any = self.watchdog
        self.allocation = WorkerAllocation(num_workers=lambda: 4, model="mlp")
        self.retries = Retries(max_lost_workers=1, max_lost_nodes=2)
        self.lost: Node | None = None
        """The node that is lost with the next worker."""
        self.recorder = Recorder(
            writer=self.writer,
            study_id=study.id,
            folder=folder,
            queue=self.queue,
            decisions=self.decisions,
            progress=self.progress,
            accumulator=VerdictAccumulator(PLAN.study.thresholds, 10),
            checkpoints=Checkpoints(folder),
            versions={"torch": "2"},
            retries=self.retries,
            watchdog=watchdog,
            allocation=self.allocation,
            find_lost_node=lambda actor_id: self.lost,
        )
        planned = self.queue.next_trial()
        assert isinstance(planned, PlannedTrial)
        store.add_trial(study.id, number=1, phase=planned.phase, cell=1, params=dict(planned.params))
        trial_spec = assign(PLAN, planned, keeps_models=False)
        self.trial = SimpleNamespace(config={"trial_spec": trial_spec})
        self.recorder.on_trial_start(0, [], self.trial)

    def lose(self, error: Exception | None = None) -> None:
        """Lose the trial's worker, of which Ray says `error`."""
        said = RayActorError(error_msg="it was killed\nby hand") if error is None else error
        self.recorder.note_loss(1, said)
        self.recorder.on_trial_error(0, [], self.trial)

    def report(self, epoch: int, **changes: Any) -> dict[str, Any]:
        fields: dict[str, Any] = {"objective": 0.5, "epochs": (), "busy_seconds": 2.0, "worker": "here:1"}
        fields["replicates"] = tuple(
            ReplicateRecord(
                replicate=r, block=r, outcome=changes.pop("outcome", Outcome.COMPLETE), val_loss=0.5
            )
            for r in (0, 1)
        )
        result = {"report": TrialReport(epoch=epoch, **(fields | changes)), "objective": 0.5}
        self.recorder.on_trial_result(0, [], self.trial, result)
        return result

    @property
    def row(self) -> Any:
        self.writer.settle(0.5)  # a start is not waited for
        return self.store.trials(self.study_id)[0]


def killed(said: str) -> Exception:
    """Return what Ray raises of a worker that it has killed because memory ran low."""
    return OutOfMemoryError(said)  # type: ignore[no-untyped-call]


def failing(error: Exception) -> Callable[..., None]:
    """Return a method that fails."""

    def fail(*_: object, **__: object) -> None:
        raise error

    return fail


@pytest.fixture
def driver(tmp_path: Path) -> Iterator[Driver]:
    """A driver on a fresh storage."""
    with Store.open(f"sqlite:///{tmp_path}/studies.db") as store:
        driver = Driver(store, tmp_path)
        with driver.writer:
            yield driver


def test_a_trial_goes_on_until_its_last_rung(driver: Driver) -> None:
    assert (driver.row.state, driver.row.attempt) == (TrialState.RUNNING, 1)
    driver.report(1)
    assert (driver.row.state, driver.row.rung) == (TrialState.RUNNING, 1)
    assert driver.progress.running[1].epoch == 1
    driver.report(3)
    assert (driver.row.state, driver.row.rung, driver.row.objective) == (TrialState.COMPLETE, 3, 0.5)
    assert driver.row.busy_seconds == driver.progress.busy_seconds == 4.0
    assert driver.queue.trials[1].state is TrialState.COMPLETE
    assert driver.progress.running == {}


def test_a_stopped_trials_networks_count_as_stopped_unless_they_diverged(driver: Driver) -> None:
    driver.decisions[1] = Decision.STOP
    driver.report(1, outcome=Outcome.DIVERGED)
    assert (driver.row.state, driver.row.stop_reason) == (TrialState.PRUNED, "ASHA at epoch 1")
    assert driver.store.outcomes(driver.study_id)[Outcome.DIVERGED] == 1
    assert driver.store.outcomes(driver.study_id)[Outcome.STOPPED] == 1
    assert driver.decisions == {}, "a decision is used once"


def test_a_failed_trial_keeps_its_traceback(driver: Driver) -> None:
    driver.report(1, error="Traceback ...\nRuntimeError: no")
    assert (driver.row.state, driver.row.objective) == (TrialState.FAILED, None)
    assert "RuntimeError: no" in driver.row.error
    assert driver.store.rung_results(driver.study_id) == []


def test_a_trial_whose_worker_was_lost_is_handed_out_again(driver: Driver) -> None:
    driver.report(1)
    counted = driver.progress.network_epochs
    driver.lose()
    assert (driver.row.state, driver.row.attempt) == (TrialState.RUNNING, 1)
    assert driver.progress.running == {}
    assert driver.progress.network_epochs == counted - 2
    (event,) = driver.store.events(driver.study_id)
    assert (event.kind, event.trial_number) == ("worker_lost", 1)
    assert event.detail == "attempt 1: its process ended: it was killed\nby hand"
    again, new = driver.queue.next_trial(), driver.queue.next_trial()
    assert isinstance(again, PlannedTrial)
    assert isinstance(new, PlannedTrial)
    assert (again.number, new.number) == (1, 2)
    driver.recorder.on_trial_start(0, [], driver.trial)
    driver.report(3)
    assert (driver.row.state, driver.row.attempt) == (TrialState.COMPLETE, 2)
    assert driver.progress.network_epochs == 6


def test_a_trial_that_loses_too_many_workers_has_failed_with_rays_words(driver: Driver) -> None:
    driver.lose()
    driver.recorder.on_trial_start(0, [], driver.trial)
    driver.lose()
    assert driver.row.state is TrialState.FAILED
    assert (
        driver.row.error
        == "the worker was lost 2 times; the last time:\nits process ended: it was killed\nby hand"
    )
    assert driver.store.outcomes(driver.study_id)[Outcome.FAILED] == 2
    driver.lose()
    assert driver.store.outcomes(driver.study_id)[Outcome.FAILED] == 2


def test_after_running_out_of_memory_it_is_trained_in_smaller_stacks_on_fewer_workers(driver: Driver) -> None:
    others = [assign(PLAN, driver.queue.trials[1], keeps_models=False) for _ in range(2)]
    for number, other in enumerate(others, start=2):
        driver.allocation.give(replace(other, number=number), num_waiting=lambda: 0)
    assert driver.recorder.num_stacks(1) == 1
    driver.lose(killed("killed, as the node ran low on memory.\nMemory exceeded 95%\nTable:\n1 2"))
    assert driver.recorder.num_stacks(1) == 2
    assert driver.store.events(driver.study_id)[-1].detail == (
        "attempt 1: memory ran low on its machine: killed, as the node ran low on memory.\nMemory exceeded 95%\n"
        "It is trained again in 2 stacks, on 2 of 4 workers at a time"
    )
    assert driver.allocation.is_full()
    driver.recorder.on_trial_start(0, [], driver.trial)
    driver.lose(killed("killed again"))
    assert driver.row.error.startswith(
        "the worker was lost 2 times; the last time:\nmemory ran low on its machine: "
    )
    assert driver.row.error.endswith("or end what else takes memory there.")


def test_all_in_hand_are_lost_with_tune_and_no_decision_stays(driver: Driver) -> None:
    driver.recorder.take_up(driver.trial.config["trial_spec"])
    driver.decisions[1] = Decision.STOP
    driver.recorder.lose_all(RuntimeError("Caught unexpected exception"))
    assert driver.decisions == {}, "it would be taken for one on the next report"
    assert driver.store.events(driver.study_id)[-1].detail == (
        "attempt 1: Ray Tune failed and was started again: Ray failed: Caught unexpected exception"
    )
    again = driver.queue.next_trial()
    assert isinstance(again, PlannedTrial)
    assert again.number == 1
    driver.recorder.lose_all(RuntimeError("nothing is in hand"))
    assert len(driver.store.events(driver.study_id)) == 1


def test_a_worker_lost_in_its_start_counts_for_no_attempt(driver: Driver) -> None:
    new = driver.queue.next_trial()
    assert isinstance(new, PlannedTrial)
    driver.store.add_trial(driver.study_id, number=2, phase=new.phase, cell=1, params=dict(new.params))
    trial = SimpleNamespace(config={"trial_spec": assign(PLAN, new, keeps_models=False)})
    driver.recorder.on_trial_error(0, [], trial)
    (event,) = driver.store.events(driver.study_id)
    assert event.detail == "before attempt 1: Ray does not say why"


RAYS_WORDS = (
    "The actor died unexpectedly before finishing this task.\nThe actor is dead because its worker process has died. "
    "Worker exit type: SYSTEM_ERROR Worker exit detail: Worker unexpectedly exits with a connection error code 2."
)


def lose(driver: Driver, words: str = RAYS_WORDS) -> None:
    """Lose the trial's worker, and start the trial again where it has not failed."""
    driver.lose(RayActorError(error_msg=words))
    if driver.row.state is not TrialState.FAILED:
        driver.recorder.on_trial_start(0, [], driver.trial)


def test_a_process_that_vanishes_twice_at_a_place_is_the_trials_doing(driver: Driver) -> None:
    driver.retries._max_lost_workers = 9
    lose(driver)
    driver.report(1)
    lose(driver)
    assert not driver.row.state.has_ended, "after epoch 0, then after epoch 1"
    driver.report(1)
    lose(driver)
    assert driver.row.state is TrialState.FAILED
    first, *rest = driver.row.error.splitlines()
    assert first.startswith(
        "the worker was lost 3 times, twice after epoch 1 and without an error: something in this"
    )
    assert "os._exit()" in first
    assert rest == f"its process ended: {RAYS_WORDS}".splitlines()
    assert driver.store.outcomes(driver.study_id)[Outcome.FAILED] == 2


def test_a_worker_that_was_lost_for_a_reason_is_not_the_trials_doing(driver: Driver) -> None:
    driver.retries._max_lost_workers = 9
    for _ in range(5):
        lose(driver, "The actor died because its node has died. Node Id: 7")
    driver.watchdog.words = {1: "the trial was silent for 9 s"}.get
    for _ in range(4):
        lose(driver)
    assert (driver.row.state, driver.row.attempt) == (TrialState.RUNNING, 10)


NODE = Node(node_id="a2fc8ef81a0f" + "0" * 44, address="10.0.0.3", host="gpu-7")


def test_a_lost_node_is_told_once_and_is_no_trials_fault(driver: Driver) -> None:
    driver.lost = NODE
    for epoch in (0, 1, 2):
        if epoch:
            driver.report(epoch)
        for _ in range(2):
            lose(driver)
    assert (driver.row.state, driver.row.attempt) == (TrialState.RUNNING, 7)
    events = driver.store.events(driver.study_id)
    assert run_events.lost_nodes(events) == [
        {"address": "10.0.0.3", "host": "gpu-7", "node_id": NODE.node_id}
    ]
    (first, *rest) = [event for event in events if event.kind == "worker_lost"]
    assert len(rest) == 5
    assert first.detail.startswith(
        "attempt 1: its node was lost, 10.0.0.3 (host gpu-7, Ray node a2fc8ef81a0f): its process ended: "
    )
    assert driver.progress.losses[0].words.startswith("its node was lost, 10.0.0.3")
    driver.lost = None
    lose(driver)
    assert not driver.row.state.has_ended, "the first worker that is lost by itself"
    lose(driver)
    assert driver.row.state is TrialState.FAILED


def test_a_trial_that_takes_every_node_down_has_failed(driver: Driver) -> None:
    driver.lost = NODE
    for _ in range(3):
        driver.report(1)  # it has no checkpoint yet, and starts anew each time
        assert not driver.row.state.has_ended
        lose(driver)
    assert driver.row.state is TrialState.FAILED
    assert driver.row.error.startswith(
        "3 nodes in a row were lost under this trial, and it got no further than epoch 1: "
    )
    assert "Use a smaller width" in driver.row.error


def test_a_trial_that_hung_says_so(driver: Driver) -> None:
    driver.watchdog.words = {1: "the trial was silent for 9 s"}.get
    driver.recorder.on_trial_error(0, [], driver.trial)
    assert driver.store.events(driver.study_id)[-1].detail == "attempt 1: the trial was silent for 9 s"
    driver.recorder.on_trial_start(0, [], driver.trial)
    driver.recorder.on_trial_error(0, [], driver.trial)
    assert driver.row.error == "the worker was lost 2 times; the last time:\nthe trial was silent for 9 s"


def test_no_trial_is_blamed_for_a_lost_ray(driver: Driver) -> None:
    driver.watchdog.is_ray_lost = lambda: True
    for _ in range(5):
        driver.recorder.on_trial_error(0, [], driver.trial)
    assert (driver.row.state, driver.row.attempt) == (TrialState.RUNNING, 1)
    assert driver.store.events(driver.study_id) == []
    assert driver.queue.trials[1].state is TrialState.WAITING


def test_a_closed_recorder_records_nothing(driver: Driver) -> None:
    driver.recorder.close()
    driver.report(3)
    driver.recorder.on_trial_error(0, [], driver.trial)
    assert (driver.row.state, driver.row.epochs) == (TrialState.RUNNING, 0)
    assert driver.store.events(driver.study_id) == []
    assert driver.recorder.failure is None


def test_a_worker_that_never_came_up_is_lost_like_others(driver: Driver) -> None:
    driver.progress.running.clear()
    driver.recorder.on_trial_error(0, [], driver.trial)
    driver.recorder.on_trial_error(0, [], driver.trial)
    assert driver.recorder.failure is None
    assert driver.row.state is TrialState.FAILED
    assert (driver.progress.network_epochs, driver.progress.running) == (0, {})


def test_a_checkpoint_is_kept_while_its_trial_goes_on(driver: Driver) -> None:
    driver.report(1, checkpoint=b"one")
    path = driver.folder / "checkpoints" / "trial-1-epoch-1.safetensors"
    assert path.read_bytes() == b"one"
    driver.report(2)
    assert path.exists()
    driver.report(3, checkpoint=b"three")
    assert list(path.parent.iterdir()) == []


def test_a_stopped_trials_checkpoint_is_not_kept(driver: Driver) -> None:
    driver.decisions[1] = Decision.STOP
    driver.report(1, checkpoint=b"one")
    assert not (driver.folder / "checkpoints").exists()


def test_a_checkpoint_whose_epochs_could_not_be_recorded_is_not_kept(
    driver: Driver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Store, "record_result", failing(StudiesError("no", "Help it.")))
    driver.report(1, checkpoint=b"one")
    assert not (driver.folder / "checkpoints").exists()


def test_checkpoints_that_cannot_be_written_cost_themselves_alone_and_are_told_once(driver: Driver) -> None:
    (driver.folder / "checkpoints").write_text("in the way")
    driver.report(1, checkpoint=b"one")
    driver.report(2, checkpoint=b"two")
    assert (driver.row.state, driver.row.epochs) == (TrialState.RUNNING, 2)
    (event,) = driver.store.events(driver.study_id)
    assert (event.kind, event.trial_number) == ("checkpoint_failed", 1)
    assert event.detail.startswith("checkpoints cannot be written: ")
    driver.report(3)
    assert driver.row.state is TrialState.COMPLETE
    assert driver.recorder.failure is None


def test_an_attempt_that_goes_on_from_a_checkpoint_is_counted_from_there(driver: Driver) -> None:
    driver.recorder.on_trial_error(0, [], driver.trial)
    checkpoint_ref = CheckpointRef(1, b"one")
    driver.trial.config["checkpoint"] = checkpoint_ref
    driver.recorder.on_trial_start(0, [], driver.trial)
    assert checkpoint_ref.data is None, "it has arrived"
    assert driver.progress.running[1].epoch == 1
    assert driver.progress.network_epochs == driver.progress.resumed_network_epochs == 2
    event = driver.store.events(driver.study_id)[-1]
    assert (event.kind, event.trial_number) == ("checkpoint_used", 1)
    assert event.detail == "goes on after epoch 1"
    driver.report(3)
    assert driver.progress.network_epochs == 6


def test_what_a_worker_notes_becomes_an_event(driver: Driver) -> None:
    notes = (
        Note(kind=NoteKind.CHECKPOINT_REFUSED, text="started over, because ..."),
        Note(kind=NoteKind.STACK_HALVED, text="memory ran out ..."),
    )
    driver.report(1, notes=notes)
    assert [(e.kind, e.trial_number, e.detail) for e in driver.store.events(driver.study_id)] == [
        ("checkpoint_refused", 1, "here:1: started over, because ..."),
        ("stack_halved", 1, "here:1: memory ran out ..."),
    ]


def test_that_no_graph_holds_the_steps_is_told_once(driver: Driver) -> None:
    for epoch in (1, 2):
        driver.report(epoch, notes=(Note(kind=NoteKind.GRAPH_REFUSED, text="no graph"),))
    (event,) = driver.store.events(driver.study_id)
    assert (event.kind, event.detail) == ("graph_refused", "here:1: no graph")


def test_a_trial_that_takes_more_of_a_gpu_than_those_before_is_noted(driver: Driver) -> None:
    for epoch, gib in ((1, 3), (2, 2), (3, 4)):
        driver.report(
            epoch, memory=PeakMemory(allocated_bytes=gib * 2**30, total_bytes=80 * 2**30, gpu="made up")
        )
    events = driver.store.events(driver.study_id)
    assert [(event.kind, event.trial_number) for event in events] == [("peak_memory", 1)] * 2
    share = suggest(events, num_workers=99)
    assert share is not None
    assert share.memory.allocated_bytes == 4 * 2**30


def test_a_damaged_checkpoint_is_noted_and_none_taken_up(driver: Driver) -> None:
    driver.report(1, checkpoint=b"spoilt")
    assert driver.recorder.take_up(driver.trial.config["trial_spec"]) is None
    (event,) = driver.store.events(driver.study_id)
    assert (event.kind, event.trial_number) == ("checkpoint_refused", 1)
    assert event.detail.startswith("trial-1-epoch-1.safetensors: the checkpoint is damaged")


def test_a_report_does_not_stay_in_tunes_result(driver: Driver) -> None:
    assert set(driver.report(1)) == {"objective"}


def test_a_result_recorded_while_the_storage_is_out_counts_as_recorded(
    driver: Driver, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as out:
        out.setattr(Store, "record_result", failing(OutageError("the server is gone", "Start it.")))
        driver.report(1)
        driver.report(3)
        assert driver.recorder.failure is None
        assert driver.queue.trials[1].state is TrialState.COMPLETE
        assert driver.row.state is TrialState.RUNNING
    assert driver.writer.settle()
    assert (driver.row.state, driver.row.rung, driver.row.busy_seconds) == (TrialState.COMPLETE, 3, 4.0)


@pytest.mark.parametrize(
    ("error", "exit_code"),
    [
        (HeldError("another run took over", "Wait for it."), 3),
        (StudiesError("the trial is not in the storage", "Add it."), 1),
        (TypeError("a number was expected"), 1),
    ],
)
def test_a_refused_result_is_the_failure_and_the_queue_not_told(
    driver: Driver, monkeypatch: pytest.MonkeyPatch, error: Exception, exit_code: int
) -> None:
    monkeypatch.setattr(Store, "record_result", failing(error))
    driver.report(3)
    assert isinstance(driver.recorder.failure, StudiesError)
    assert str(error) in str(driver.recorder.failure)
    assert driver.recorder.failure.exit_code == exit_code
    assert driver.queue.trials[1].state is TrialState.WAITING
    assert driver.row.state is TrialState.RUNNING
    assert not (driver.folder / "spool.jsonl").exists()
    assert driver.recorder.attempt(lambda: True) is None, "after a failure nothing more is done"


def test_attempts_are_counted_on(driver: Driver) -> None:
    driver.recorder.on_trial_start(0, [], driver.trial)
    assert (driver.row.attempt, driver.queue.trials[1].attempt) == (2, 2)
    resumed = TrialQueue(PLAN, driver.store.trials(driver.study_id))
    assert resumed.start(1) == 3


def test_a_study_that_was_taken_over_is_not_written(driver: Driver, tmp_path: Path) -> None:
    with (
        Store.open(f"sqlite:///{tmp_path}/studies.db") as other,
        driver.store.hold(driver.study_id) as lost,
        other.hold(driver.study_id, take_over=True),
    ):
        driver.report(1)
        assert driver.recorder.failure is lost.lost is not None
        assert not (driver.folder / "spool.jsonl").exists()


def test_nothing_of_it_is_pickled(driver: Driver) -> None:
    assert pickle.loads(pickle.dumps(driver.recorder)).__dict__ == {}
