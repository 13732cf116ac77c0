"""A study whose networks are really trained, in this process and without Ray, and recorded as a driver records them."""

from collections.abc import Iterator
from datetime import UTC, datetime

import torch

from studies.base.states import Outcome, Phase, StudyState, TrialState
from studies.database.results import Ending, TrialResult
from studies.database.store import Store
from studies.diagnosis.verdict_accumulator import VerdictAccumulator
from studies.planning.plan import Plan
from studies.planning.planned_trial import PlannedTrial
from studies.raytune.conversion import evaluation, rung_result, stopped, trial_state
from studies.raytune.experiment import assign, open_queue
from studies.run_log import run_events
from studies.search.trial_queue import QueueStatus, TrialQueue
from tests.studies.raytune.driving import next_look_of, register
from trainables.data.dataset import Dataset
from trainables.data.splits import split_blocks
from trainables.data.stack_data import StackData
from trainables.trials.reporting import train_trial_spec


def train(plan: Plan, store: Store, dataset: Dataset) -> None:
    """Train all of a plan, look by look and one trial after the other."""
    study = register(plan, store)
    run_events.note_start(
        store, study.id, {"plan_hash": plan.hash, "dataset": {"num_classes": dataset.num_classes}}
    )
    accumulator = VerdictAccumulator(plan.study.thresholds, dataset.num_classes)
    queue = open_queue(plan, store, study.id)
    next_look = next_look_of(plan, store, queue)
    go_on = True
    while go_on:
        while not isinstance(trial := queue.next_trial(), QueueStatus):
            cell = None if trial.cell is None else trial.cell.number
            store.add_trial(
                study.id, number=trial.number, phase=trial.phase, cell=cell, params=dict(trial.params)
            )
            store.start_trial(study.id, trial.number, worker="w", started_at=datetime.now(UTC), versions={})
            for result in _results(plan, queue, accumulator, trial, dataset):
                store.record_result(study.id, trial.number, result)
        assert trial is QueueStatus.FINISHED
        go_on = next_look()
    seconds = dict.fromkeys(run_events.SECONDS, 1.0)
    run_events.note_end(store, study.id, state=StudyState.COMPLETE, looks=queue.num_looks, seconds=seconds)
    store.set_study_state(study.id, StudyState.COMPLETE)


def _results(
    plan: Plan, queue: TrialQueue, accumulator: VerdictAccumulator, trial: PlannedTrial, dataset: Dataset
) -> Iterator[TrialResult]:
    """Yield the reports of a trial as results, and tell the queue of them."""
    trial_spec = assign(plan, trial, keeps_models=queue.keeps_models(trial))
    splits = split_blocks(dataset, seed=plan.seed, blocks=trial_spec.blocks)
    data = StackData.make(dataset, [splits[None, block] for block in trial_spec.blocks], torch.device("cpu"))
    for report in train_trial_spec(trial_spec, data, worker="w"):
        decision = None
        if trial.phase is Phase.SEARCH and report.epoch in trial_spec.rungs:
            decision = queue.decide(trial.number, epoch=report.epoch, objective=report.objective)
        state, rung = trial_state(trial_spec, report, decision), rung_result(trial_spec, report, decision)
        accumulator.update(trial.number, report.epochs)
        ending = None
        if state is not None:
            is_stopped = state is TrialState.PRUNED
            ending = Ending(
                state=state,
                ended_at=datetime.now(UTC),
                objective=report.objective,
                replicates=[stopped(each) for each in report.replicates] if is_stopped else report.replicates,
                evaluations=[evaluation(each) for each in report.evaluations],
                verdicts=accumulator.judge(
                    trial.number,
                    trained=trial.phase is Phase.CONFIRM and state is TrialState.COMPLETE,
                    diverged={r.replicate for r in report.replicates if r.outcome is Outcome.DIVERGED},
                ),
            )
        yield TrialResult(
            epoch=report.epoch,
            busy_seconds=report.busy_seconds,
            epochs=report.epochs,
            rung=rung,
            ending=ending,
            worker=report.worker,
        )
        if rung is not None:
            queue.reach(trial.number, epoch=report.epoch, objective=report.objective)
        if state is not None:
            queue.end(trial.number, state)
            return
