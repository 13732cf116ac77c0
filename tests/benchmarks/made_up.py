"""A storage of any size: a study's own plan, decisions and verdicts, with results that are made up, not trained."""

import math
import random
from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import islice
from types import SimpleNamespace
from typing import Any

from studies.base.states import Decision, Outcome, Phase, StudyState, TrialState
from studies.database.bulk import insert_or_ignore
from studies.database.recording import numbers_needed, record
from studies.database.results import Ending, RungResult, TrialResult, Verdicts
from studies.database.rows import StudyRow
from studies.database.schema import tables
from studies.database.store import Store
from studies.diagnosis.verdict_accumulator import VerdictAccumulator
from studies.planning.plan import Plan
from studies.planning.planned_trial import PlannedTrial
from studies.raytune.experiment import assign
from studies.run_log import run_events
from studies.search.trial_queue import QueueStatus, TrialQueue
from trainables.base.records import EpochRecord, LayerRecord, ReplicateRecord
from trainables.trials.trial_spec import TrialSpec

TRIALS_IN_A_TRANSACTION = 100
NUM_CLASSES = 10
VERSIONS = {"studies": "0.1.0", "torch": "2.13.0"}


def build(store: Store, plan: Plan, *, command: str) -> StudyRow:
    """Record a whole run of `plan` in a few large transactions, as a run of one worker would have left it."""
    study = store.create_study(
        name=plan.name, question=plan.study.question, plan=plan.to_dict(), plan_hash=plan.hash, seed=plan.seed
    )
    run_events.note_start(store, study.id, _details(command))
    run_events.note_cluster(store, study.id, workers=1, threads=1)
    queue, accumulator = TrialQueue(plan), VerdictAccumulator(plan.study.thresholds, NUM_CLASSES)
    trained = _train(plan, queue, accumulator)
    while _write_some(store, study.id, trained):
        pass
    seconds = dict.fromkeys(run_events.SECONDS, 1000.0)
    run_events.note_end(store, study.id, state=StudyState.COMPLETE, looks=queue.num_looks, seconds=seconds)
    store.set_study_state(study.id, StudyState.COMPLETE)
    return study


def _write_some(
    store: Store, study_id: int, trained: "Iterator[tuple[PlannedTrial, list[TrialResult]]]"
) -> bool:
    """Write the next trials in one transaction; return whether there were any."""
    some = list(islice(trained, TRIALS_IN_A_TRANSACTION))
    needed = sum(numbers_needed(result) for _, results in some for result in results)
    with store.writing(study_id, needed) as connection:
        last = connection.execute(tables.study.select().where(tables.study.c.id == study_id)).one().sequence
        sequence = last - needed + 1
        for trial, results in some:
            row = _trial_row(study_id, trial)
            insert_or_ignore(connection, tables.trial, [row])
            for result in results:
                record(connection, SimpleNamespace(**row, fencing_token=0), result, sequence)  # type: ignore[arg-type]
                sequence += numbers_needed(result)
                row |= {"epochs": result.epoch, "attempt_epochs": result.epoch}
                row["busy_seconds"] += result.busy_seconds
                row["rung"] = result.epoch
    return bool(some)


def _trial_row(study_id: int, trial: PlannedTrial) -> dict[str, Any]:
    """Return the row of a trial that has just started."""
    return {
        "study_id": study_id,
        "number": trial.number,
        "phase": trial.phase,
        "cell": None if trial.cell is None else trial.cell.number,
        "params": dict(trial.params),
        "state": TrialState.RUNNING,
        **dict.fromkeys(("epochs", "attempt_epochs"), 0),
        "attempt": 1,
        "started_at": datetime.now(UTC),
        "busy_seconds": 0.0,
        **dict.fromkeys(("rung", "objective", "stop_reason", "ended_at", "error")),
        "worker": "host:1",
        "versions": VERSIONS,
    }


def _train(
    plan: Plan, queue: TrialQueue, accumulator: VerdictAccumulator
) -> Iterator[tuple[PlannedTrial, list[TrialResult]]]:
    """Yield every trial with its reports, one trial at a time."""
    while not isinstance(trial := queue.next_trial(), QueueStatus):
        trial_spec = assign(plan, trial, keeps_models=False)
        yield trial, list(_reports(queue, accumulator, trial, trial_spec))
    assert trial is QueueStatus.FINISHED


def _reports(
    queue: TrialQueue, accumulator: VerdictAccumulator, trial: PlannedTrial, trial_spec: TrialSpec
) -> Iterator[TrialResult]:
    made = random.Random(trial.number)
    start = 0
    for rung in trial_spec.rungs:
        epochs = [
            _epoch(made, trial, trial_spec, replicate, epoch)
            for epoch in range(start if start == 0 else start + 1, rung + 1)
            for replicate in range(len(trial_spec.blocks))
        ]
        accumulator.update(trial.number, epochs)
        losses = [epoch.val_loss for epoch in epochs[-len(trial_spec.blocks) :]]
        objective = math.fsum(loss for loss in losses if loss is not None) / len(losses)
        decision = queue.decide(trial.number, epoch=rung, objective=objective)
        queue.reach(trial.number, epoch=rung, objective=objective)
        state = _state(trial_spec, rung, decision)
        yield TrialResult(
            epoch=rung,
            busy_seconds=0.01 * (rung - start) * len(trial_spec.blocks),
            epochs=epochs,
            rung=RungResult(epoch=rung, objective=objective, decision=decision or Decision.CONTINUE),
            ending=None
            if state is None
            else _ending(accumulator, trial, trial_spec, state, losses, objective),
        )
        start = rung
        if state is not None:
            queue.end(trial.number, state)
            return


def _state(trial_spec: TrialSpec, rung: int, decision: Decision | None) -> TrialState | None:
    if rung == trial_spec.epochs:
        return TrialState.COMPLETE
    return TrialState.PRUNED if decision is Decision.STOP else None


def _epoch(
    made: random.Random, trial: PlannedTrial, trial_spec: TrialSpec, replicate: int, epoch: int
) -> EpochRecord:
    """Return one replicate's epoch: a loss that falls, best at a rate of 0.01, with noise."""
    rate = trial.params["learning_rate"]
    assert isinstance(rate, float)
    loss = 0.2 + 0.3 * (math.log10(rate) + 2) ** 2 + 1.5 / (epoch + 1) + made.gauss(0, 0.02)
    loss = min(max(loss, 0.01), math.log(NUM_CLASSES))
    measured = epoch in trial_spec.layers_at
    depth = trial_spec.hyperparameters.depth
    metrics = {"num_nonfinite": 0.0, "clip_fraction": 0.0, "spike_rate": 0.0} if measured else {}
    layers = tuple(_layer(made, layer, depth, epoch) for layer in range(1, depth + 1)) if measured else ()
    if epoch == 0:
        return EpochRecord(replicate=replicate, epoch=0, train_loss=2.4, metrics=metrics, layers=layers)
    return EpochRecord(
        replicate=replicate,
        epoch=epoch,
        train_loss=loss * 0.9,
        train_accuracy=math.exp(-loss * 0.9),
        val_loss=loss,
        val_accuracy=math.exp(-loss),
        learning_rate=rate,
        metrics=metrics,
        layers=layers,
    )


def _layer(made: random.Random, layer: int, depth: int, epoch: int) -> LayerRecord:
    noise = 1 + 0.1 * made.random()
    return LayerRecord(
        layer=layer,
        grad_l2=0.3 * noise / (epoch + 1),
        grad_l2_max=0.9 * noise / (epoch + 1),
        grad_rms=0.005 * noise / (epoch + 1),
        delta_rms=0.001 * noise * 1.1 ** (depth - layer),
        weight_rms=0.17 * noise,
        update_ratio=None if epoch == 0 else 0.003 * noise,
        activation_mean=0.4 * noise,
        activation_std=0.6 * noise,
        dead_fraction=0.05 * made.random(),
    )


def _ending(
    accumulator: VerdictAccumulator,
    trial: PlannedTrial,
    trial_spec: TrialSpec,
    state: TrialState,
    losses: list[float | None],
    objective: float,
) -> Ending:
    confirms = trial.phase is Phase.CONFIRM
    outcome = Outcome.STOPPED if state is TrialState.PRUNED else Outcome.COMPLETE
    verdicts: dict[int, Verdicts] = accumulator.judge(trial.number, trained=confirms)
    replicates = [
        ReplicateRecord(
            replicate=replicate,
            block=block,
            outcome=outcome,
            val_loss=loss,
            val_accuracy=math.exp(-(loss or 0.0)),
            test_loss=loss if confirms else None,
            test_accuracy=math.exp(-(loss or 0.0)) if confirms else None,
        )
        for replicate, (block, loss) in enumerate(zip(trial_spec.blocks, losses, strict=True))
    ]
    return Ending(
        state=state,
        ended_at=datetime.now(UTC),
        stop_reason=f"ASHA at epoch {trial_spec.rungs[0]}" if state is TrialState.PRUNED else None,
        objective=objective,
        replicates=replicates,
        verdicts=verdicts,
    )


def _details(command: str) -> dict[str, Any]:
    """Return what a run notes when it starts."""
    return {
        "command": command,
        "commit": None,
        "versions": VERSIONS,
        "hardware": {},
        "dataset": {
            "name": "digits",
            "about": "made up",
            "licence": "none",
            "examples": 1797,
            "num_classes": NUM_CLASSES,
            "classes": [str(digit) for digit in range(NUM_CLASSES)],
            "official_test": False,
        },
    }
