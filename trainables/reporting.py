"""One assignment in training, rung by rung, as a worker does it and without Ray."""

import math
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, replace

import torch

from trainables.artifact import to_bytes
from trainables.assignment import Assignment
from trainables.checkpoint import CheckpointError, restore, save
from trainables.evaluation import capped_loss, evaluate
from trainables.examination import examine
from trainables.records import EpochRecord, Outcome, ReplicateRecord, TrialReport
from trainables.trained_epoch import Scores, TrainedEpoch
from trainables.training import Stack, StackData, train_epochs

MAX_SECONDS_BETWEEN_REPORTS = 5.0
"""A trial that takes longer from rung to rung reports in between, so that progress is seen."""

CHECKPOINT_SECONDS = 10.0
"""A checkpoint comes with a report when so much was trained since the last: a short trial never pays for one."""

CHECKPOINT_BYTES_PER_SECOND = 2_000_000
"""A large one waits longer: it costs a worker about a hundredth of its time, and one driver writes for all of them."""


def train_assignment(
    assignment: Assignment,
    data: StackData,
    *,
    worker: str,
    checkpoint: bytes | None = None,
    seconds_between_reports: float = MAX_SECONDS_BETWEEN_REPORTS,
    seconds_between_checkpoints: float = CHECKPOINT_SECONDS,
    clock: Callable[[], float] = time.perf_counter,
) -> Iterator[TrialReport]:
    """Train and report at every rung; the last report, at the last rung, is complete.

    With a `checkpoint` training goes on after it, to the same numbers as without; the initialisation is measured
    again. One that cannot be used is named in the first report's notes, and the trial starts over.
    `busy_seconds` counts this trial's work alone, not the time between reports; `measuring_seconds` are part of it.
    """
    started = clock()
    stack = Stack.make(assignment.model, assignment.hyperparameters, data, seeds=assignment.seeds)
    pending, notes = ([], ()) if checkpoint is None else _take_up(stack, checkpoint, assignment)
    del checkpoint
    saver = _Saver(assignment, seconds_between_checkpoints)
    for trained in train_epochs(stack, epochs=assignment.epochs, layers_at=assignment.layers_at):
        pending.append(trained)
        late = trained.epoch > 0 and clock() - started > seconds_between_reports
        if trained.epoch in assignment.rungs or late:
            report = _report(assignment, stack, trained.scores, worker=worker)
            records, measuring_seconds = _records(pending)
            yield replace(
                report,
                epochs=records,
                measuring_seconds=measuring_seconds,
                checkpoint=saver.after(stack, clock() - started),
                busy_seconds=clock() - started,
                notes=notes,
            )
            pending, notes, started = [], (), clock()


def _records(trained: Sequence[TrainedEpoch]) -> tuple[tuple[EpochRecord, ...], float]:
    """Return the records of these epochs, and the seconds spent on measuring gradients and making records of them."""
    records, seconds = [], 0.0
    for epoch in trained:
        started = time.perf_counter()
        records += epoch.records()
        if epoch.measured is not None:
            seconds += epoch.measuring_seconds + time.perf_counter() - started
    return tuple(records), seconds


def _take_up(
    stack: Stack, checkpoint: bytes, assignment: Assignment
) -> tuple[list[TrainedEpoch], tuple[str, ...]]:
    """Put a fresh stack where a checkpoint left off; return its initialisation, if it is asked for, and notes."""
    initial = list(train_epochs(stack, epochs=0, layers_at=assignment.layers_at))
    try:
        restore(stack, checkpoint, assignment)
    except CheckpointError as error:
        return [], (f"started over, because its checkpoint cannot be used: {error}",)
    return initial, ()


class _Saver:
    """Makes a checkpoint where it saves more training than it costs."""

    def __init__(self, assignment: Assignment, seconds: float) -> None:
        self._assignment, self._least = assignment, seconds
        self._due, self._unsaved = seconds, 0.0

    def after(self, stack: Stack, seconds: float) -> bytes | None:
        """Return a checkpoint after so many more seconds of training; None too soon, and where the trial is done."""
        self._unsaved += seconds
        if stack.epoch >= self._assignment.epochs or self._unsaved < self._due:
            return None
        saved = save(stack, self._assignment)
        self._due, self._unsaved = max(self._least, len(saved) / CHECKPOINT_BYTES_PER_SECOND), 0.0
        return saved


def _report(assignment: Assignment, stack: Stack, scores: Sequence[Scores], *, worker: str) -> TrialReport:
    """Return how the trial stands after the latest epoch."""
    last = stack.epoch == assignment.epochs
    keeps = last and assignment.keeps_models
    replicates = _replicates(assignment, stack, scores, reads_test=last and assignment.reads_test)
    return TrialReport(
        epoch=stack.epoch,
        objective=objective(assignment.objective, replicates, stack.data.num_classes),
        epochs=(),
        replicates=replicates,
        busy_seconds=0.0,
        worker=worker,
        models=tuple(_models(stack)) if keeps else (),
        evaluations=examine(stack) if keeps else (),
    )


def objective(name: str, replicates: Sequence[ReplicateRecord], num_classes: int) -> float:
    """Return the mean over replicates of `val_loss` in nats, capped at ln C, or of `val_accuracy`.

    A replicate that diverged scores as chance: ln C, 1/C.
    """
    if name == "val_loss":
        return math.fsum(capped_loss(r.val_loss, num_classes) for r in replicates) / len(replicates)
    if name == "val_accuracy":
        chance = 1 / num_classes
        values = [chance if r.val_accuracy is None else r.val_accuracy for r in replicates]
        return math.fsum(values) / len(replicates)
    raise ValueError(f"unknown objective {name!r} (choices: val_loss, val_accuracy)")


def _replicates(
    assignment: Assignment, stack: Stack, scores: Sequence[Scores], *, reads_test: bool
) -> tuple[ReplicateRecord, ...]:
    tests: list[tuple[float | None, float | None]] = [(None, None)] * len(scores)
    if reads_test:
        tests = _test_scores(stack)
    return tuple(
        ReplicateRecord(
            replicate=replicate,
            block=assignment.blocks[replicate],
            outcome=Outcome.DIVERGED if stack.diverged[replicate] else Outcome.COMPLETE,
            val_loss=latest.val_loss,
            val_accuracy=latest.val_accuracy,
            test_loss=test_loss,
            test_accuracy=test_accuracy,
        )
        for replicate, (latest, (test_loss, test_accuracy)) in enumerate(zip(scores, tests, strict=True))
    )


def _test_scores(stack: Stack) -> list[tuple[float | None, float | None]]:
    """Return test loss and accuracy of every replicate; a loss that is not finite makes it diverged."""
    data = stack.data
    with torch.no_grad():
        losses, accuracies = evaluate(stack.model, data.inputs, data.targets, data.test)
    scores: list[tuple[float | None, float | None]] = []
    for replicate, (loss, accuracy) in enumerate(zip(losses.tolist(), accuracies.tolist(), strict=True)):
        stack.diverged[replicate] |= not math.isfinite(loss)
        scores.append((None, None) if stack.diverged[replicate] else (loss, accuracy))
    return scores


def _models(stack: Stack) -> Iterator[bytes]:
    hp = stack.hyperparameters
    metadata = {
        "hyperparameters": asdict(hp),
        "num_features": stack.data.inputs.shape[1],
        "num_classes": stack.data.num_classes,
    }
    for replicate in range(len(stack.seeds)):
        yield to_bytes(stack.model.state_dict(replicate), metadata)
