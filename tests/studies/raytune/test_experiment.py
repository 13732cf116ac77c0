"""Small studies on a real Ray: what fails, dies or diverges is recorded so, and the study goes on."""

import gc
import math
import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
import ray
from pandas.testing import assert_frame_equal
from ray.tune.experiment import Trial

from studies.base.errors import StudiesError
from studies.base.states import Decision, Outcome, Phase, TrialState
from studies.cluster import watchdog
from studies.cluster.cluster import Cluster
from studies.database.engines.problems import OutageError
from studies.database.store import Store
from studies.planning.plan import Plan
from studies.planning.planned_trial import PlannedTrial
from studies.raytune import controller, experiment
from studies.raytune.recorder import Recorder
from studies.search.asha import Asha
from studies.search.progress import Progress
from studies.search.trial_queue import TrialQueue
from tests.studies.command import read
from tests.studies.raytune.misbehaving import (
    ALWAYS_DIES,
    DIES_ONCE,
    DIES_TAKING_IT_ON,
    FAILS,
    FAILS_TUNE,
    HANGS,
    HANGS_IN_ITS_START,
    KILLED_FOR_MEMORY,
    RUNS_OUT_OF_MEMORY,
    QuickToSuspect,
    UnluckyActorManager,
    misbehaving,
)
from tests.studies.raytune.plans import plan
from tests.studies.raytune.trained import Trained
from trainables.data.dataset import Dataset

pytestmark = pytest.mark.filterwarnings(
    "ignore::DeprecationWarning:ray.*", "ignore::ResourceWarning", "ignore::FutureWarning:ray.*"
)


@pytest.fixture
def make(tmp_path: Path, cluster: Cluster, digits: Dataset) -> Iterator[Callable[[Plan], Trained]]:
    """Return a function that enrols a plan in a fresh storage."""
    with Store.open(f"sqlite:///{tmp_path}/studies.db") as store:
        yield lambda plan: Trained(plan, store, tmp_path / "folder", cluster, digits)


NAMED = replace(plan(trials=6), name="my-study.v2")


@dataclass(frozen=True, kw_only=True)
class Undisturbed:
    """A whole study, and what was seen of Ray's processes and of Tune's memory meanwhile."""

    trained: Trained
    progress: Progress
    processes: set[str]
    kept_by_tune: int
    """Trials that Tune still had when the run ended."""


@pytest.fixture(scope="module")
def undisturbed(
    tmp_path_factory: pytest.TempPathFactory, cluster: Cluster, digits: Dataset
) -> Iterator[Undisturbed]:
    """Train a plan once, to be looked at by several tests."""
    processes: set[str] = set()
    kept: list[int] = []

    class Spying(Recorder):
        def on_experiment_end(self, trials: Sequence[Any], **info: Any) -> None:
            gc.collect()
            tunes = (each for each in gc.get_objects() if type(each) is Trial)
            kept.append(sum(trial.trainable_name == NAMED.name for trial in tunes))

    def look() -> bool:
        processes.update(actor_processes())
        return False

    folder = tmp_path_factory.mktemp("undisturbed")
    with Store.open(f"sqlite:///{folder}/studies.db") as store, pytest.MonkeyPatch.context() as monkeypatch:
        monkeypatch.setattr(experiment, "Recorder", Spying)
        trained = Trained(NAMED, store, folder, cluster, digits)
        progress = trained.train(look)
        yield Undisturbed(trained=trained, progress=progress, processes=processes, kept_by_tune=kept[0])


def actor_processes() -> list[str]:
    titles = [read(path) for path in Path("/proc").glob("[0-9]*/cmdline")]
    return [title.decode().strip("\0 ") for title in titles if title.startswith(b"ray::")]


def test_decisions_in_the_storage_are_those_of_a_replay(undisturbed: Undisturbed) -> None:
    trained = undisturbed.trained
    asha = Asha(rungs=(1, 3), reduction_factor=3, mode="min")
    decided = trained.store.rung_results(trained.id)
    for result in decided:
        trial = trained.trial(result.trial_number)
        assert result.objective is not None
        if trial.phase is Phase.SEARCH and asha.decides_at(result.epoch):
            again = asha.decide(
                trial.cell, number=trial.number, epoch=result.epoch, objective=result.objective
            )
            assert result.decision is again
        else:
            assert result.decision is Decision.CONTINUE
    stopped = {result.trial_number for result in decided if result.decision is Decision.STOP}
    assert stopped, "nothing was stopped: the test tests nothing"
    assert stopped == {t.number for t in trained.trials if t.state is TrialState.PRUNED}
    assert all(trained.trial(number).stop_reason == "ASHA at epoch 1" for number in stopped)


def test_progress_counts_what_is_recorded(undisturbed: Undisturbed) -> None:
    progress, trials = undisturbed.progress, undisturbed.trained.trials
    assert (progress.num_ended(Phase.SEARCH), progress.num_ended(Phase.CONFIRM)) == (24, 4)
    assert progress.network_epochs == sum(2 * trial.epochs for trial in trials)
    assert progress.busy_seconds == pytest.approx(sum(trial.busy_seconds for trial in trials))
    assert progress.running == {}
    assert progress.best is not None
    assert progress.best.objective == min(
        t.objective for t in trials if t.phase is Phase.SEARCH and t.rung == 3 and t.objective is not None
    )


def test_proposals_are_those_of_a_fresh_sampler(undisturbed: Undisturbed) -> None:
    fresh = TrialQueue(undisturbed.trained.plan)
    for trial in undisturbed.trained.trials[:24]:
        planned = fresh.next_trial()
        assert isinstance(planned, PlannedTrial)
        assert planned.params == trial.params


def test_tune_keeps_no_trial_that_has_ended(undisturbed: Undisturbed) -> None:
    """Thousands of them would each take 40 KiB to the end, and time to be gone through there."""
    assert undisturbed.kept_by_tune <= 2


def test_actors_bear_the_studys_name(undisturbed: Undisturbed) -> None:
    assert "ray::my-study.v2" in undisturbed.processes


def test_what_fails_or_dies_is_recorded_and_the_study_goes_on(
    make: Callable[[Plan], Trained], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(experiment, "StackTrial", misbehaving(tmp_path))
    monkeypatch.setattr(experiment, "MAX_LOST_WORKERS", 1)
    monkeypatch.setattr(watchdog, "StallDetector", QuickToSuspect)
    monkeypatch.setattr(controller, "_ActorManager", UnluckyActorManager)
    for unlucky in (QuickToSuspect, UnluckyActorManager):
        monkeypatch.setattr(unlucky, "folder", tmp_path, raising=False)
    trained = make(plan(trials=2))
    trained.train()
    ended = {trial.number: trial.state for trial in trained.trials}
    in_vain = {FAILS, ALWAYS_DIES, HANGS, RUNS_OUT_OF_MEMORY}
    assert {number for number, state in ended.items() if state is TrialState.FAILED} == in_vain
    assert len(ended) == 12
    assert all(state.has_ended for state in ended.values())

    failed = trained.trial(FAILS)
    assert "RuntimeError: the data has gone" in str(failed.error)
    assert "Traceback" in str(failed.error)
    assert (failed.attempt, failed.objective, failed.epochs) == (1, None, 0)
    died = trained.trial(ALWAYS_DIES)
    assert died.attempt == 2
    assert str(died.error).startswith("the worker was lost 2 times")
    hung = trained.trial(HANGS)
    assert hung.attempt == 2
    assert re.fullmatch(
        r"the worker was lost 2 times; the last time:\nthe trial was silent for [12] s before its first report "
        r"\(.*\) and taken to hang, so its worker was killed",
        str(hung.error),
    )
    assert str(trained.trial(RUNS_OUT_OF_MEMORY).error).splitlines()[-1] == "MemoryError"

    again = trained.trial(DIES_ONCE)
    assert again.attempt == 2
    assert again.state is not TrialState.FAILED
    taken_on = trained.trial(DIES_TAKING_IT_ON)
    assert (taken_on.attempt, taken_on.state) == (1, TrialState.COMPLETE)
    events = [(event.kind, event.trial_number) for event in trained.store.events(trained.id)]
    assert Counter(events) == {
        ("run_started", None): 1,
        ("worker_lost", FAILS_TUNE): 1,
        ("worker_lost", KILLED_FOR_MEMORY): 1,
        ("worker_lost", HANGS_IN_ITS_START): 1,
        ("worker_lost", DIES_ONCE): 1,
        ("worker_lost", DIES_TAKING_IT_ON): 1,
        ("worker_lost", ALWAYS_DIES): 1,
        ("worker_lost", HANGS): 1,
        ("checkpoint_used", DIES_ONCE): 1,
    }

    said = {
        event.trial_number: event.detail
        for event in trained.store.events(trained.id)
        if event.kind == "worker_lost"
    }
    assert said[KILLED_FOR_MEMORY] == (
        "attempt 1: memory ran low on its machine: killed, as memory ran low\n"
        "It is trained again in 2 stacks, on 1 of 1 workers at a time"
    )
    assert said[FAILS_TUNE] == (
        "attempt 1: Ray Tune failed and was started again: Ray failed: Caught unexpected exception: of Ray's"
    )
    assert re.match(
        r"before attempt 1: the trial was silent for \d+ s while its worker started",
        said[HANGS_IN_ITS_START],
    )

    outcomes = trained.frame("replicates").groupby("trial_number")["outcome"].agg(set).to_dict()
    assert all(outcomes[number] == {Outcome.FAILED} for number in in_vain)
    epochs = trained.frame("epochs")
    assert not epochs.duplicated(["trial_number", "replicate", "epoch"]).any()
    assert sorted(epochs[epochs["trial_number"] == DIES_ONCE]["epoch"].unique()) == list(
        range(1, again.epochs + 1)
    )
    accounting = trained.report()["accounting"]
    assert (accounting["failed"], accounting["retried"], accounting["planned"]) == (4, 5, 12)


def test_diverging_trials_score_as_chance(make: Callable[[Plan], Trained]) -> None:
    small = plan(trials=2)
    # Each step of SGD multiplies the weights by about -1000.
    study = replace(
        small.study,
        nuisances={"learning_rate": {"low": 90.0, "high": 100.0, "log": True}},
        fixed={"width": 16, "weight_decay": 10.0},
    )
    trained = make(replace(small, study=study))
    trained.train()
    sgd = [trial for trial in trained.trials if trial.params["optimizer"] == "sgd"]
    assert [trial.state for trial in sgd if trial.phase is Phase.CONFIRM] == [TrialState.COMPLETE] * 2
    assert all(trial.objective == pytest.approx(math.log(10)) for trial in sgd)
    replicates = trained.frame("replicates")
    of_sgd = replicates[replicates["trial_number"].isin([trial.number for trial in sgd])]
    assert set(of_sgd["outcome"]) == {Outcome.DIVERGED}
    assert of_sgd["test_loss"].isna().all()
    report = trained.report()
    assert report["accounting"]["diverged"] == int((replicates["outcome"] == Outcome.DIVERGED).sum())


def test_a_run_that_is_stopped_is_resumed(make: Callable[[Plan], Trained], undisturbed: Undisturbed) -> None:
    trained = make(NAMED)
    trained.train(lambda: sum(trial.state.has_ended for trial in trained.trials) >= 10)
    assert 10 <= sum(trial.state.has_ended for trial in trained.trials) < 28
    trained.train()
    assert [(t.params, t.state, t.objective, t.rung) for t in trained.trials] == [
        (t.params, t.state, t.objective, t.rung) for t in undisturbed.trained.trials
    ]


def test_a_storage_that_is_out_costs_no_epoch_and_fails_no_trial(
    make: Callable[[Plan], Trained], undisturbed: Undisturbed, monkeypatch: pytest.MonkeyPatch
) -> None:
    trained = make(NAMED)
    spool = trained.folder / "spool.jsonl"

    def gone(*_: object, **__: object) -> None:
        raise OutageError("the server is gone", "Start it.")

    with monkeypatch.context() as outage:

        def look() -> bool:
            if not spool.exists() and 3 <= sum(trial.state.has_ended for trial in trained.trials) < 10:
                for method in ("add_trial", "start_trial", "record_result"):
                    outage.setattr(Store, method, gone)
            if spool.exists() and len(spool.read_bytes().splitlines()) > 40:
                outage.undo()
            return False

        trained.train(look)
    assert [event.kind for event in trained.store.events(trained.id)] == ["run_started", "spooled"]
    assert not spool.exists()
    for name in ("epochs", "gradients", "replicates"):
        found, expected = trained.frame(name), undisturbed.trained.frame(name)
        columns = found.columns.drop("sequence", errors="ignore")
        assert_frame_equal(found[columns], expected[columns])
    assert [rung.decision for rung in trained.store.rung_results(trained.id)] == [
        rung.decision for rung in undisturbed.trained.store.rung_results(undisturbed.trained.id)
    ]
    assert [(t.params, t.state, t.attempt) for t in trained.trials] == [
        (t.params, t.state, t.attempt) for t in undisturbed.trained.trials
    ]


def test_a_storage_that_refuses_ends_the_run_in_words(
    make: Callable[[Plan], Trained], monkeypatch: pytest.MonkeyPatch
) -> None:
    trained = make(plan(trials=1))

    def refuse(*_: object, **__: object) -> None:
        raise StudiesError("the tables are gone", "Restore a backup.")

    for method in ("add_trial", "record_result"):
        with monkeypatch.context() as broken:
            broken.setattr(Store, method, refuse)
            with pytest.raises(StudiesError, match="the tables are gone"):
                trained.train()
    states = {trial.state for trial in trained.trials}
    assert states <= {TrialState.RUNNING, TrialState.WAITING}, (
        "none has a result; the next one may be announced"
    )
    assert states


def test_ray_runs_for_these_tests_alone(cluster: Cluster) -> None:
    assert ray.is_initialized()
    assert (cluster.num_workers, cluster.threads, cluster.find_dashboard) == (1, 1, None)
