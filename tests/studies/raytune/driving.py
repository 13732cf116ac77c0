"""A driver without Ray: trains a plan's trials one at a time with made-up results, and dies when told to."""

import math
from collections.abc import Callable, Iterator
from datetime import UTC, datetime

from studies.base.errors import StudiesError
from studies.base.states import Decision, Outcome, Phase, TrialState, Until
from studies.database.results import Ending, RungResult, TrialResult
from studies.database.rows import StudyRow
from studies.database.store import Store
from studies.execution.next_look import NextLook, looks_of_a_run
from studies.planning.plan import Plan
from studies.planning.planned_trial import PlannedTrial
from studies.raytune.experiment import assign, open_queue
from studies.run_log import looks
from studies.search.progress import planned_progress
from studies.search.trial_queue import QueueStatus, TrialQueue
from tests.studies.database.so_far import so_far
from trainables.base.records import EpochRecord, LayerRecord, ReplicateRecord
from trainables.trials.trial_spec import TrialSpec

VERSIONS = {"torch": "0", "studies": "0"}


class DriverDiedError(Exception):
    """The driver dies here."""


def objective(trial: PlannedTrial, epoch: int) -> float:
    """A made-up loss: best at a rate of 0.01, better with epochs, never twice the same."""
    rate = trial.params["learning_rate"]
    assert isinstance(rate, float)
    return 1 + (math.log10(rate) + 2) ** 2 / epoch + 0.01 * len(str(trial.params["optimizer"]))


def register(plan: Plan, store: Store) -> StudyRow:
    """Add a plan's study, before its first trial."""
    return store.create_study(
        name=plan.name, question=plan.study.question, plan=plan.to_dict(), plan_hash=plan.hash, seed=plan.seed
    )


class Direct:
    """Records what was decided in the storage at once; `write` is called before."""

    def __init__(self, store: Store, write: Callable[[], None] = lambda: None) -> None:
        """Record in `store`."""
        self._store, self._write = store, write

    def add_event(self, study_id: int, kind: str, trial_number: int | None, detail: str) -> None:
        """Add an event."""
        self._write()
        self._store.add_event(study_id, kind, trial_number, detail)

    def settle(self) -> bool:
        """Say that everything is in the storage."""
        return True

    def left_behind(self) -> StudiesError:
        """Say what was left behind: never anything."""
        raise AssertionError("everything is in the storage")


def next_look_of(
    plan: Plan,
    store: Store,
    queue: TrialQueue,
    *,
    until: Until = Until.CLEAR,
    write: Callable[[], None] = lambda: None,
    seconds_left: Callable[[], float | None] = lambda: None,
) -> NextLook:
    """What opens a study's next look, as the driver has it."""
    study = store.find_study(plan.name)
    assert study is not None
    decided = {each["look"] for each in looks.decisions(store.events(study.id))}
    return NextLook(
        plan=plan,
        store=store,
        study=study,
        writer=Direct(store, write),
        queue=queue,
        progress=planned_progress(plan, so_far([]), num_networks=0, num_diverged=0),
        most_looks=looks_of_a_run(plan, queue, until=until, decided=decided),
        num_workers=1,
        seconds_left=seconds_left,
        should_stop=lambda: False,
    )


def drive(
    plan: Plan,
    store: Store,
    *,
    die_after: int | None = None,
    fails: frozenset[int] = frozenset(),
    until: Until = Until.CLEAR,
) -> TrialQueue:
    """Train a plan one trial at a time as the driver would, until the end or the given number of writes."""
    study = store.find_study(plan.name) or register(plan, store)
    queue = open_queue(plan, store, study.id)
    writes = iter(range(10**9))

    def write() -> None:
        if next(writes) == die_after:
            raise DriverDiedError

    next_look = next_look_of(plan, store, queue, until=until, write=write)
    while True:
        trial = queue.next_trial()
        if trial is QueueStatus.FINISHED and next_look():
            continue
        if isinstance(trial, QueueStatus):
            break
        write()
        cell = None if trial.cell is None else trial.cell.number
        store.add_trial(
            study.id, number=trial.number, phase=trial.phase, cell=cell, params=dict(trial.params)
        )
        store.start_trial(study.id, trial.number, worker="w", started_at=datetime.now(UTC), versions=VERSIONS)
        trial_spec = assign(plan, trial, keeps_models=False)
        for result, state in results(queue, trial, trial_spec, fails):
            write()
            _take(store, study.id, queue, trial, result, state)
    assert trial is QueueStatus.FINISHED
    return queue


def drive_together(plan: Plan, store: Store, *, num_workers: int) -> TrialQueue:
    """Train a plan several trials at a time; of those in training the one begun last always reports first."""
    study = store.find_study(plan.name) or register(plan, store)
    queue = TrialQueue(plan, store.trials(study.id), store.rung_results(study.id))
    running: dict[int, Iterator[tuple[TrialResult, TrialState | None]]] = {}
    while True:
        while len(running) < num_workers and isinstance(trial := queue.next_trial(), PlannedTrial):
            cell = None if trial.cell is None else trial.cell.number
            store.add_trial(
                study.id, number=trial.number, phase=trial.phase, cell=cell, params=dict(trial.params)
            )
            now = datetime.now(UTC)
            store.start_trial(study.id, trial.number, worker="w", started_at=now, versions=VERSIONS)
            trial_spec = assign(plan, trial, keeps_models=False)
            running[trial.number] = results(queue, trial, trial_spec, frozenset())
        if not running:
            return queue
        for number in sorted(running, reverse=True):
            result, state = next(running[number])
            _take(store, study.id, queue, queue.trials[number], result, state)
            if state is not None:
                del running[number]


def _take(
    store: Store,
    study_id: int,
    queue: TrialQueue,
    trial: PlannedTrial,
    result: TrialResult,
    state: TrialState | None,
) -> None:
    """Record a report, then tell the queue."""
    store.record_result(study_id, trial.number, result)
    if result.rung is not None and result.rung.objective is not None:
        queue.reach(trial.number, epoch=result.rung.epoch, objective=result.rung.objective)
    if state is not None:
        queue.end(trial.number, state)


def results(
    queue: TrialQueue, trial: PlannedTrial, trial_spec: TrialSpec, fails: frozenset[int]
) -> Iterator[tuple[TrialResult, TrialState | None]]:
    """Yield the reports of a trial at epochs 1 and 3, with what ASHA makes of them."""
    for start, epoch in ((0, 1), (1, 3)):
        if trial.number in fails:
            yield report(trial, start, epoch, trial_spec, None, TrialState.FAILED), TrialState.FAILED
            return
        value = objective(trial, epoch)
        decision = queue.decide(trial.number, epoch=epoch, objective=value)
        stopped = TrialState.PRUNED if decision is Decision.STOP else None
        state = TrialState.COMPLETE if epoch == 3 else stopped
        yield report(trial, start, epoch, trial_spec, decision, state), state
        if state is not None:
            return


def report(
    trial: PlannedTrial,
    start: int,
    epoch: int,
    trial_spec: TrialSpec,
    decision: Decision | None,
    state: TrialState | None,
) -> TrialResult:
    """Return a report with an epoch record for each replicate and epoch since `start`."""
    failed = state is TrialState.FAILED
    value = None if failed else objective(trial, epoch)
    rung = RungResult(epoch=epoch, objective=value, decision=decision or Decision.CONTINUE)
    records = (
        []
        if failed
        else [record(trial, r, e) for e in range(start, epoch + 1) for r, _ in enumerate(trial_spec.blocks)]
    )
    return TrialResult(
        epoch=0 if failed else epoch,
        busy_seconds=0.0 if failed else 0.01 * (epoch - start),
        epochs=records,
        rung=None if failed else rung,
        ending=None if state is None else ending(trial, epoch, trial_spec, state),
    )


def record(trial: PlannedTrial, replicate: int, epoch: int) -> EpochRecord:
    """Return one replicate's made-up epoch; epoch 0 carries its one layer alone."""
    layer = LayerRecord(
        layer=1,
        grad_l2=1.0,
        grad_l2_max=1.0,
        grad_rms=0.1,
        delta_rms=0.1,
        weight_rms=0.1,
        update_ratio=None,
        activation_mean=0.0,
        activation_std=1.0,
        dead_fraction=0.0,
    )
    if epoch == 0:
        return EpochRecord(replicate=replicate, epoch=0, layers=(layer,))
    return EpochRecord(replicate=replicate, epoch=epoch, val_loss=objective(trial, epoch))


def ending(trial: PlannedTrial, epoch: int, trial_spec: TrialSpec, state: TrialState) -> Ending:
    """Return the end of a trial, with the test scores of the confirm phase."""
    outcome = {TrialState.PRUNED: Outcome.STOPPED, TrialState.FAILED: Outcome.FAILED}.get(
        state, Outcome.COMPLETE
    )
    cell = 0 if trial.cell is None else trial.cell.number
    tested, pools = trial.phase is Phase.CONFIRM, trial_spec.scores_holdout and outcome is Outcome.COMPLETE
    loss = objective(trial, epoch)
    replicates = [
        ReplicateRecord(
            replicate=replicate,
            block=block,
            outcome=outcome,
            val_loss=loss,
            test_loss=loss + 0.01 * _luck(cell, block) if tested else None,
            test_accuracy=0.5 if tested else None,
            metrics={"holdout_loss": loss + 0.005 * _luck(cell, block), "holdout_accuracy": 0.5}
            if pools
            else {},
        )
        for replicate, block in enumerate(trial_spec.blocks)
    ]
    value = None if state is TrialState.FAILED else loss
    return Ending(state=state, ended_at=datetime.now(UTC), objective=value, replicates=replicates)


def _luck(cell: int, block: int) -> int:
    """How well a network does by chance, from 0 to 6: otherwise in each cell, so that differences have a spread."""
    return ((block + 1) * (2 * cell + 3) ** 2) % 7


def summary(store: Store, name: str) -> list[tuple[object, ...]]:
    """Return what a study recorded of its trials, times and workers apart."""
    study = store.find_study(name)
    assert study is not None
    return [
        (row.number, row.phase, row.cell, dict(row.params), row.state, row.rung, row.objective)
        for row in store.trials(study.id)
    ]
