"""The Ray Tune run that trains everything a study still has to train."""

import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

from ray import tune

from studies.base.errors import StudiesError
from studies.base.states import Phase
from studies.base.stop_signal import RayLostError
from studies.base.stopwatch import Stopwatch
from studies.base.wording import configuration
from studies.cluster.cluster import Cluster
from studies.cluster.liveness import watch_ray
from studies.cluster.watchdog import Watchdog
from studies.database.rows import HeldStudy
from studies.database.store import Store
from studies.database.writer import Writer
from studies.definition.holdout import pools_holdout
from studies.diagnosis.verdict_accumulator import VerdictAccumulator
from studies.planning.plan import Plan
from studies.planning.planned_trial import PlannedTrial
from studies.planning.resources import Resources
from studies.raytune.adapters import LooksAhead, NoReport, NoTrialProgress, QueueSearcher, RungScheduler
from studies.raytune.checkpoints import Checkpoints
from studies.raytune.controller import controlled
from studies.raytune.lost_worker import loss_of
from studies.raytune.recorder import Recorder
from studies.raytune.retries import MAX_LOST_WORKERS, Retries
from studies.raytune.slots import Sharing, Slots
from studies.raytune.worker_allocation import WorkerAllocation
from studies.run_log import looks
from studies.search.progress import Progress, best_of
from studies.search.trial_queue import TrialQueue
from studies.storage.copier import Copying
from trainables.base.hyperparameters import Hyperparameters
from trainables.base.seeds import derive_seed
from trainables.data.dataset import Dataset
from trainables.data.splits import Splits
from trainables.trial import StackTrial
from trainables.trials.trial_log import DETAILS, TITLE
from trainables.trials.trial_spec import TrialSpec

MOST_TRIALS_AT_A_TIME = 1_000_000
"""What Tune is told: it keeps to it for a whole run, while the real limit, the allocation's, follows the cluster."""
MAX_FRUITLESS_STARTS = 2 * MAX_LOST_WORKERS + 1
"""How often Tune itself is started again, should it fail, without a report in between: by then a trial that makes it
fail each time has failed, and the next one can run."""


def open_queue(plan: Plan, store: Store, study_id: int) -> TrialQueue:
    """Return the queue rebuilt from the recorded rows; record an event if the sampler would now propose differently."""
    trials, events = store.trials(study_id), store.events(study_id)
    _, *later_looks = looks.cells_by_look(plan, trials, events)
    queue = TrialQueue(plan, trials, store.rung_results(study_id), later_looks)
    if queue.changed_proposals:
        numbers = ", ".join(map(str, queue.changed_proposals[:10]))
        store.add_event(
            study_id,
            "proposals_changed",
            None,
            f"today's sampler would propose {len(queue.changed_proposals)} recorded trials otherwise: {numbers}",
        )
    return queue


def train_study(
    plan: Plan,
    *,
    writer: Writer,
    study_id: int,
    queue: TrialQueue,
    checkpoints: Checkpoints,
    dataset: Dataset,
    splits: Splits,
    folder: Path,
    cluster: Cluster,
    resources: Resources,
    progress: Progress,
    versions: Mapping[str, str],
    go_on: Callable[[], bool],
    copying: Copying | None = None,
    should_stop: Callable[[], bool],
    held: Callable[[], Sequence[HeldStudy]] | None = None,
) -> None:
    """Train until nothing is left or `should_stop` returns True.

    When every trial of the looks that are open has ended, `go_on` is called: it opens the next look and returns True,
    or returns False. `held` returns the studies that run now, among which those on the same cluster share it.

    Raises the StudiesError that made recording impossible, and RayLostError if Ray no longer answers. In every case no
    more is recorded afterwards, and a trial that has not ended can be resumed.
    """

    def is_to_stop() -> bool:
        return bool(recorder.failure or searcher.failure) or should_stop()

    liveness = watch_ray(is_local=resources.address is None)
    watchdog = Watchdog(should_stop=is_to_stop, liveness=liveness)
    accumulator = VerdictAccumulator(
        plan.study.thresholds, None if plan.study.metrics else dataset.num_classes
    )
    for number, records in checkpoints.histories.items():
        accumulator.update(number, records)
    scheduler = RungScheduler(queue)
    slots = Slots(
        num_workers=cluster.num_workers,
        asked=resources.workers,
        bundle=cluster.bundle(resources),
        nodes=cluster.nodes,
        sharing=None
        if held is None or cluster.ray_cluster is None
        else Sharing(ray_cluster=cluster.ray_cluster, study_id=study_id, held=held),
        progress=progress,
    )
    allocation = WorkerAllocation(num_workers=slots, model=plan.study.model)
    recorder = Recorder(
        writer=writer,
        study_id=study_id,
        folder=folder,
        queue=queue,
        decisions=scheduler.decisions,
        progress=progress,
        accumulator=accumulator,
        checkpoints=checkpoints,
        versions=versions,
        retries=Retries(max_lost_workers=MAX_LOST_WORKERS),
        watchdog=watchdog,
        allocation=allocation,
        copying=copying,
    )

    def announce(trial: PlannedTrial) -> bool:
        cell = None if trial.cell is None else trial.cell.number
        writer.announce_trial(
            study_id, number=trial.number, phase=trial.phase, cell=cell, params=dict(trial.params)
        )
        return True

    def hand_out(trial: PlannedTrial) -> dict[str, Any]:
        writer.confirm_trial(study_id, trial.number)
        trial_spec = assign(
            plan,
            trial,
            keeps_models=queue.keeps_models(trial),
            official_test=dataset.official_test is not None,
        )
        checkpoint = recorder.take_up(trial_spec)
        workers = allocation.give(trial_spec, num_waiting=queue.num_waiting)
        stacks = recorder.num_stacks(trial.number)
        given = {"trial_spec": trial_spec, "workers": workers, "stacks": stacks, **titles(plan, trial)}
        return given if checkpoint is None else {**given, "checkpoint": checkpoint}

    searcher = QueueSearcher(
        queue,
        metric="objective",
        mode=queue.mode,
        announce=lambda trial: bool(recorder.attempt(lambda: announce(trial))),
        hand_out=lambda trial: recorder.attempt(lambda: hand_out(trial)),
        go_on=lambda: bool(recorder.attempt(go_on)),
        allocation=allocation,
    )
    progress.best = best_of(queue.best_search_trial())

    def run_tune() -> None:
        tune.Tuner(
            _trainable(plan, dataset, splits, cluster, resources),
            tune_config=tune.TuneConfig(
                search_alg=searcher,
                scheduler=scheduler,
                num_samples=-1,
                max_concurrent_trials=MOST_TRIALS_AT_A_TIME,
                reuse_actors=True,
                trial_dirname_creator=lambda trial: f"trial-{trial.config['trial_spec'].number}",
            ),
            run_config=tune.RunConfig(
                name=plan.name,
                storage_path=str(cluster.scratch),
                stop=watchdog,
                callbacks=[allocation, recorder, watchdog, LooksAhead(searcher), NoTrialProgress()],
                failure_config=tune.FailureConfig(max_failures=0),
                checkpoint_config=tune.CheckpointConfig(checkpoint_at_end=False),
                progress_reporter=NoReport(),
                verbose=0,
            ),
        ).fit()

    def run_on() -> None:
        """Run Tune, again if it fails for a reason of its own: the queue knows what is left."""
        num_reports, num_fruitless = 0, 0
        while True:
            try:
                with controlled(
                    update=recorder.note_loss,
                    see_starting=watchdog.see_starting,
                    is_full=allocation.is_full,
                ):
                    return run_tune()
            except Exception as error:
                if is_to_stop() or liveness.is_lost():
                    return None
                num_fruitless = 1 if recorder.num_reports > num_reports else num_fruitless + 1
                num_reports = recorder.num_reports
                if num_fruitless > MAX_FRUITLESS_STARTS:
                    raise _failed(error) from error
                watchdog.kill_all()
                allocation.take_back_all()
                recorder.lose_all(error)

    def is_lost() -> bool:
        progress.cluster_problem = liveness.notice()
        return liveness.loss() is not None

    with liveness.asking(), slots.followed(watchdog.has_workers), closing(recorder):
        has_ended = fit(run_on, should_stop=is_to_stop, is_lost=is_lost)
    if not has_ended:
        cluster.leave()
    loss = liveness.loss()
    failure = recorder.failure or searcher.failure or (None if loss is None else RayLostError(loss))
    if failure is not None:
        raise failure


def titles(plan: Plan, trial: PlannedTrial) -> dict[str, str]:
    """Return what a worker's log and Ray's dashboard call a trial: where it belongs, and what distinguishes it."""
    cell = "" if trial.cell is None else f", cell {trial.cell.number}"
    return {
        TITLE: f"{plan.name} trial {trial.number}{cell}",
        DETAILS: f"{trial.phase}, attempt {trial.attempt + 1}, {configuration(trial.params)}",
    }


def _failed(error: Exception) -> StudiesError:
    return StudiesError(
        f"Ray Tune failed {MAX_FRUITLESS_STARTS + 1} times in a row: {loss_of(error).words.splitlines()[0]}",
        "Everything recorded is kept; mend the cause and give the same command again (--debug shows the traceback).",
    )


def _trainable(
    plan: Plan, dataset: Dataset, splits: Splits, cluster: Cluster, resources: Resources
) -> type[tune.Trainable]:
    """Return the trainable class with its data in the object store; actors have the study's name in the dashboard.

    The resources are a class method, because tune.with_resources would give the class another name.
    """
    needs = cluster.bundle(resources)
    takes = {"CPU": needs.cpus, "GPU": needs.gpus}
    bundle = {kind: amount for kind, amount in takes.items() if amount}
    with_data = tune.with_parameters(
        StackTrial,
        dataset=replace(dataset, raw_texts=()),
        splits=splits,
        threads=cluster.threads,
        code=plan.code,
    )

    def request(_: type[tune.Trainable], config: dict[str, Any]) -> tune.PlacementGroupFactory:
        # Several workers of a trial on as many nodes as have room: each has its node's memory and caches for itself.
        strategy = "SPREAD" if config["workers"] > 1 else "PACK"
        return tune.PlacementGroupFactory([bundle] * config["workers"], strategy=strategy)

    # Subclassed to set the name, because Tune's own class is shown as "_Inner".
    return type(plan.name, (with_data,), {"default_resource_request": classmethod(request)})


def assign(plan: Plan, trial: PlannedTrial, *, keeps_models: bool, official_test: bool = False) -> TrialSpec:
    """Return the specification of `trial` for its worker.

    A replicate's seed derives from the study's seed, the phase and its block: the same in every cell, fresh in the
    confirm phase. Layers are measured at the initialisation and at the rungs; in the confirm phase at every epoch.
    `official_test` says whether the data have an official test set: blocks of later looks are then not scored on both
    held-out parts.
    """
    rungs = tuple(plan.study.search.rungs)
    confirms = trial.phase is Phase.CONFIRM
    last = plan.study.all_looks[trial.look]
    blocks = tuple(range(last - plan.num_replicates(trial.look), last))
    return TrialSpec(
        number=trial.number,
        model=plan.study.model,
        objective=plan.study.objective,
        metrics=plan.study.metrics,
        hyperparameters=Hyperparameters.from_dict(
            plan.hyperparameters(trial.params), own=plan.study.hyperparameters
        ),
        blocks=blocks,
        seeds=tuple(derive_seed(plan.seed, str(trial.phase), block) for block in blocks),
        rungs=rungs,
        layers_at=tuple(range(rungs[-1] + 1)) if confirms else (0, *rungs),
        reads_test=confirms,
        scores_holdout=confirms
        and trial.look > 0
        and pools_holdout(plan.to_dict(), official_test=official_test, has_loop=plan.loop is not None),
        keeps_models=keeps_models,
    )


MAX_SECONDS_TO_END = 5.0
"""How long Tune may take to stop its trials and end, before its thread is abandoned."""
SECONDS_BETWEEN_LOOKS = 0.05


def fit(
    work: Callable[[], object],
    *,
    should_stop: Callable[[], bool],
    is_lost: Callable[[], bool],
    max_seconds: float = MAX_SECONDS_TO_END,
) -> bool:
    """Run `work`, Tune's loop, in a thread and raise what it raised; return whether it ended.

    The thread is abandoned as soon as `is_lost`, and `max_seconds` after `should_stop`: inside Ray's calls no signal
    is handled and no exception arrives. It then goes on, as far as Ray lets it, until the process ends.
    """
    raised: list[BaseException] = []

    def run() -> None:
        try:
            work()
        except BaseException as error:
            raised.append(error)

    thread = threading.Thread(target=run, name="tune", daemon=True)
    thread.start()
    stopping: Stopwatch | None = None
    while thread.is_alive():
        thread.join(SECONDS_BETWEEN_LOOKS)
        if is_lost():
            return False
        if stopping is None and should_stop():
            stopping = Stopwatch()
        if stopping is not None and stopping.look() > max_seconds:
            return False
    if raised:
        raise raised[0]
    return True
