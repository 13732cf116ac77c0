"""What a trial did from one report to the next, and how its replicates stand then."""

import math
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace

import torch

from trainables.artifact import to_bytes
from trainables.assignment import Assignment
from trainables.evaluation import evaluate
from trainables.examination import examine
from trainables.records import EpochRecord, EvaluationRecord, Outcome, ReplicateRecord
from trainables.trained_epoch import TrainedEpoch
from trainables.training import Stack


@dataclass(frozen=True, kw_only=True)
class Leg:
    """Records up to `epoch`, the seconds spent on measuring, and the replicates after it; weights and evaluations where
    they were asked for.
    """

    epoch: int
    epochs: tuple[EpochRecord, ...]
    measuring_seconds: float
    replicates: tuple[ReplicateRecord, ...]
    models: tuple[bytes, ...]
    evaluations: tuple[EvaluationRecord, ...]


def leg_of(assignment: Assignment, stack: Stack, trained: Sequence[TrainedEpoch], *, part: range) -> Leg:
    """Return the leg that ended with the last epoch of `trained`; the stack holds replicates `part`."""
    last = stack.epoch == assignment.epochs
    keeps = last and assignment.keeps_models
    records, measuring_seconds = _records(trained)
    evaluations = examine(stack) if keeps else ()
    if part.start:
        records = [replace(record, replicate=part.start + record.replicate) for record in records]
        evaluations = tuple(replace(each, replicate=part.start + each.replicate) for each in evaluations)
    return Leg(
        epoch=stack.epoch,
        epochs=tuple(records),
        measuring_seconds=measuring_seconds,
        replicates=_replicates(
            assignment, stack, trained[-1], part, reads_test=last and assignment.reads_test
        ),
        models=tuple(_models(stack)) if keeps else (),
        evaluations=evaluations,
    )


def join_legs(legs: Sequence[Leg]) -> Leg:
    """Return the leg of a whole trial, given those of its parts, in order."""
    records = [record for leg in legs for record in leg.epochs]
    return Leg(
        epoch=legs[0].epoch,
        epochs=tuple(sorted(records, key=lambda record: (record.epoch, record.replicate))),
        measuring_seconds=math.fsum(leg.measuring_seconds for leg in legs),
        replicates=tuple(record for leg in legs for record in leg.replicates),
        models=tuple(model for leg in legs for model in leg.models),
        evaluations=tuple(record for leg in legs for record in leg.evaluations),
    )


def _records(trained: Sequence[TrainedEpoch]) -> tuple[list[EpochRecord], float]:
    """Return the records of these epochs, and the seconds spent on measuring gradients and making records of them."""
    records: list[EpochRecord] = []
    seconds = 0.0
    for epoch in trained:
        started = time.perf_counter()
        records += epoch.records()
        if epoch.measured is not None:
            seconds += epoch.measured.seconds + time.perf_counter() - started
    return records, seconds


def _replicates(
    assignment: Assignment, stack: Stack, latest: TrainedEpoch, part: range, *, reads_test: bool
) -> tuple[ReplicateRecord, ...]:
    tests: list[tuple[float | None, float | None]] = [(None, None)] * len(part)
    if reads_test:
        tests = _test_scores(stack)
    return tuple(
        ReplicateRecord(
            replicate=replicate,
            block=assignment.blocks[replicate],
            outcome=Outcome.DIVERGED if diverged else Outcome.COMPLETE,
            val_loss=scores.val_loss,
            val_accuracy=scores.val_accuracy,
            test_loss=test_loss,
            test_accuracy=test_accuracy,
        )
        for replicate, diverged, scores, (test_loss, test_accuracy) in zip(
            part, stack.diverged, latest.scores, tests, strict=True
        )
    )


def _test_scores(stack: Stack) -> list[tuple[float | None, float | None]]:
    """Return test loss and accuracy of every replicate; a loss that is not finite makes it diverged."""
    data = stack.data
    with torch.no_grad():
        losses, accuracies = evaluate(stack.model, data, data.test)
    scores: list[tuple[float | None, float | None]] = []
    for replicate, (loss, accuracy) in enumerate(zip(losses.tolist(), accuracies.tolist(), strict=True)):
        stack.diverged[replicate] |= not math.isfinite(loss)
        scores.append((None, None) if stack.diverged[replicate] else (loss, accuracy))
    return scores


def _models(stack: Stack) -> Iterator[bytes]:
    hp = stack.hyperparameters
    metadata = {
        "hyperparameters": asdict(hp),
        "num_features": stack.data.num_features,
        "num_classes": stack.data.num_classes,
        "input_shape": stack.data.input_shape,
        "classes": stack.data.classes,
    }
    texts = stack.data.texts
    for replicate in range(len(stack.seeds)):
        own = {} if texts is None else {"vocabulary": texts.vocabulary(replicate)}
        state = stack.model.state_dict(replicate) | stack.data.fitted_state(replicate)
        yield to_bytes(state, metadata | own)
