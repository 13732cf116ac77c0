"""The training of one trial in a worker, from report to report, without Ray."""

import math
import time
from collections.abc import Callable, Iterator, Sequence

from trainables.base.metrics import COLUMNS, VALIDATION, Metric, classification, direction, find
from trainables.base.records import Note, Outcome, ReplicateRecord, TrialReport
from trainables.data.stack_data import StackData
from trainables.networks.memory import MemoryLimits, forget_peak, peak_memory
from trainables.networks.module_stack import BuildModule
from trainables.trials.loop_resuming import usable
from trainables.trials.loop_trial import LoopTrial
from trainables.trials.spread_trial import Helper, SpreadTrial, Trainer
from trainables.trials.trial_spec import TrialSpec
from trainables.trials.trial_stacks import TrialStacks, cut
from trainables.user_code.loop import Loop

MAX_SECONDS_BETWEEN_REPORTS = 5.0
"""A trial that takes longer between rungs reports in between, so that progress is visible."""

CHECKPOINT_SECONDS = 10.0
"""A report includes a checkpoint after at least this much training since the last one; short trials have none."""

CHECKPOINT_BYTES_PER_SECOND = 2_000_000
"""A larger checkpoint waits longer, so that it costs a worker about 1 % of its time; one driver writes all of them."""


def train_trial_spec(
    trial_spec: TrialSpec,
    data: StackData,
    *,
    worker: str,
    checkpoint: bytes | None = None,
    limits: MemoryLimits | None = None,
    build: BuildModule | None = None,
    loop: Loop | None = None,
    helpers: Sequence[Helper] = (),
    seconds_between_reports: float = MAX_SECONDS_BETWEEN_REPORTS,
    seconds_between_checkpoints: float = CHECKPOINT_SECONDS,
    clock: Callable[[], float] = time.perf_counter,
) -> Iterator[TrialReport]:
    """Train a trial and yield a report at every rung; the last one, at the last rung, is complete.

    With a `checkpoint` training continues after it, with the same numbers as without; the initialisation is measured
    again. If it cannot be used, or a `loop` would continue with other numbers, the first report's notes say so, and the
    trial starts over.
    If memory runs out, the replicates are trained in smaller stacks, one after the other, with the same numbers; the
    reports still cover all replicates, and a note says so. `limits` is what the worker has learnt about memory.
    A search trial whose objective is undefined in every network at a rung fails, as in Optuna, because it cannot be
    ranked.
    With `build` the networks are the modules that it returns; with `loop` that trains each replicate, and checkpoints
    contain the states that it yields. Each of the `helpers` trains a share of the replicates.
    `busy_seconds` is the time of this trial's work, including the helpers', without the time between reports;
    `measuring_seconds` and, in the first report, `first_epoch_seconds` are parts of it.
    """
    started = clock()
    forget_peak(data.inputs.device)
    notes: tuple[Note, ...] = ()
    if loop is not None and checkpoint is not None:
        checkpoint, notes = usable(checkpoint, loop, trial_spec, data)
    own, *others = cut(range(len(trial_spec.seeds)), 1 + len(helpers))
    for helper, part in zip(helpers, others, strict=True):
        helper.begin(trial_spec, checkpoint=checkpoint, part=part)
    stacks = trainer_of(
        trial_spec, data, checkpoint=checkpoint, limits=limits, build=build, loop=loop, part=own
    )
    if helpers:
        stacks = SpreadTrial(trial_spec, stacks, helpers, clock)
    del checkpoint
    metrics = trial_spec.metrics or classification(data.num_classes)
    saver = _Saver(trial_spec, seconds_between_checkpoints)
    first_epoch_seconds: float | None = None
    has_reported, last_reported = False, 0

    def ends(epoch: int) -> bool:
        nonlocal first_epoch_seconds
        if epoch > 0 and first_epoch_seconds is None and not has_reported:
            first_epoch_seconds = clock() - started
        # Stacks that take turns all train up to the epoch at which the first one ends.
        late = epoch > 0 and (clock() - started) * stacks.num_stacks > seconds_between_reports
        return epoch in trial_spec.rungs or late

    while stacks.epoch < trial_spec.epochs:
        interval = stacks.train_interval(ends)
        reached = objective(trial_spec.objective, interval.replicates, metrics)
        if math.isnan(reached) and interval.epoch in trial_spec.rungs and not trial_spec.reads_test:
            error = _without_objective(trial_spec, interval.epoch)
            yield failed_report(trial_spec, worker=worker, epoch=last_reported, error=error)
            return
        yield TrialReport(
            epoch=interval.epoch,
            objective=reached,
            epochs=interval.epochs,
            replicates=interval.replicates,
            models=interval.models,
            evaluations=interval.evaluations,
            worker=", ".join([worker, *(helper.name for helper in helpers)]),
            measuring_seconds=interval.measuring_seconds,
            checkpoint=saver.after(stacks, clock() - started),
            busy_seconds=clock() - started + interval.elsewhere_seconds,
            # Includes the helpers' time, as busy_seconds does, so that their difference is the time since then.
            first_epoch_seconds=first_epoch_seconds and first_epoch_seconds + interval.elsewhere_seconds,
            notes=(*notes, *stacks.take_notes()),
            memory=peak_memory(data.inputs.device),
        )
        started, first_epoch_seconds, has_reported, notes = clock(), None, True, ()
        last_reported = interval.epoch


def _without_objective(trial_spec: TrialSpec, epoch: int) -> str:
    """Return why a search trial fails although it trained: its objective is undefined, so it cannot be ranked."""
    return (
        f"{trial_spec.objective} is undefined in every network after epoch {epoch}, so that the trial cannot be "
        "ranked: train() must yield a number, or a class is missing from the validation part; choose another objective"
    )


def trainer_of(
    trial_spec: TrialSpec,
    data: StackData,
    *,
    checkpoint: bytes | None,
    limits: MemoryLimits | None,
    build: BuildModule | None,
    loop: Loop | None,
    part: range,
) -> Trainer:
    """Return the object that trains the replicates `part` in this process."""
    if loop is not None:
        return LoopTrial(trial_spec, data, loop, checkpoint=checkpoint, part=part)
    limits = limits or MemoryLimits()
    return TrialStacks(trial_spec, data, checkpoint=checkpoint, limits=limits, build=build, part=part)


def failed_report(trial_spec: TrialSpec, *, worker: str, epoch: int, error: str) -> TrialReport:
    """Return the last report of a trial that failed after `epoch`; its replicates count as failed."""
    return TrialReport(
        epoch=epoch,
        objective=direction(trial_spec.objective, trial_spec.metrics).worst,
        epochs=(),
        replicates=tuple(
            ReplicateRecord(replicate=replicate, block=block, outcome=Outcome.FAILED)
            for replicate, block in enumerate(trial_spec.blocks)
        ),
        busy_seconds=0.0,
        worker=worker,
        error=error,
    )


class _Saver:
    """Makes a checkpoint when it saves more training than it costs."""

    def __init__(self, trial_spec: TrialSpec, seconds: float) -> None:
        self._trial_spec, self._least = trial_spec, seconds
        self._due, self._unsaved = seconds, 0.0

    def after(self, stacks: Trainer, seconds: float) -> bytes | None:
        """Return a checkpoint after `seconds` more of training; None if it is too early or the trial is complete."""
        self._unsaved += seconds
        if stacks.epoch >= self._trial_spec.epochs or self._unsaved < self._due:
            return None
        saved = stacks.seal([stacks.state()])
        size = 0 if saved is None else len(saved)
        self._due, self._unsaved = max(self._least, size / CHECKPOINT_BYTES_PER_SECOND), 0.0
        return saved


def objective(name: str, replicates: Sequence[ReplicateRecord], metrics: Sequence[Metric]) -> float:
    """Return the mean over replicates of one of `metrics` on the validation part; a replicate that diverged scores as a
    failure, and none scores worse. Replicates with an undefined score are left out; NaN if all are.
    """
    metric = find(metrics, name)
    scores = [
        metric.score(validation_score(each, name)) for each in replicates if not is_undefined(each, name)
    ]
    return math.fsum(scores) / len(scores) if scores else math.nan


def is_undefined(record: ReplicateRecord, name: str) -> bool:
    """Return whether a sound replicate lacks a score because it is undefined, as ROC AUC is with a single class.

    A classifier's loss and accuracy are always defined: if they are missing, the network diverged or failed.
    """
    if record.outcome in (Outcome.DIVERGED, Outcome.FAILED) or name.removeprefix(VALIDATION) in COLUMNS:
        return False
    value = validation_score(record, name)
    return value is None or math.isnan(value)


def validation_score(record: ReplicateRecord, name: str) -> float | None:
    """Return a replicate's validation score by its recorded name, None if there is none."""
    if name.removeprefix(VALIDATION) in COLUMNS:
        score: float | None = getattr(record, name)
        return score
    return record.metrics.get(name)
