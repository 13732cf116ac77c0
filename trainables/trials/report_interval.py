"""The results of a trial between two reports, and its replicates' records at the end."""

import math
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace

import torch
from torch import Tensor

from trainables.base.metrics import BEST_EPOCH, HOLDOUT, STOPPED_EPOCH, TEST
from trainables.base.records import CalibrationBin, EpochRecord, EvaluationRecord, Outcome, ReplicateRecord
from trainables.training.evaluation import Tally, answers, evaluate
from trainables.training.stack import Stack
from trainables.training.trained_epoch import Scores, TrainedEpoch
from trainables.trials.artifact import to_bytes
from trainables.trials.trial_spec import TrialSpec


@dataclass(frozen=True, kw_only=True)
class ReportInterval:
    """Records up to `epoch`, the seconds spent on measuring, and the replicates after it; weights and evaluations if
    requested. `elsewhere_seconds` is how much longer other workers were busy, in sum, than this one waited.
    """

    epoch: int
    epochs: tuple[EpochRecord, ...]
    measuring_seconds: float
    replicates: tuple[ReplicateRecord, ...]
    models: tuple[bytes, ...]
    evaluations: tuple[EvaluationRecord, ...]
    elsewhere_seconds: float = 0.0


def interval_of(
    trial_spec: TrialSpec, stack: Stack, trained: Sequence[TrainedEpoch], *, part: range
) -> ReportInterval:
    """Return the interval that ended with the last epoch of `trained`; the stack holds the replicates `part`."""
    last = stack.epoch == trial_spec.epochs
    keeps = last and trial_spec.keeps_models
    records, measuring_seconds = _records(trained)
    evaluations = examine(stack) if keeps else ()
    if part.start:
        records = [replace(record, replicate=part.start + record.replicate) for record in records]
        evaluations = tuple(replace(each, replicate=part.start + each.replicate) for each in evaluations)
    return ReportInterval(
        epoch=stack.epoch,
        epochs=tuple(records),
        measuring_seconds=measuring_seconds,
        replicates=_replicates(
            trial_spec, stack, trained[-1], part, reads_test=last and trial_spec.reads_test
        ),
        models=tuple(_models(stack)) if keeps else (),
        evaluations=evaluations,
    )


def join_intervals(intervals: Sequence[ReportInterval]) -> ReportInterval:
    """Return the interval of a whole trial, joined from those of its parts in order."""
    records = [record for interval in intervals for record in interval.epochs]
    return ReportInterval(
        epoch=intervals[0].epoch,
        epochs=tuple(sorted(records, key=lambda record: (record.epoch, record.replicate))),
        measuring_seconds=math.fsum(interval.measuring_seconds for interval in intervals),
        replicates=tuple(record for interval in intervals for record in interval.replicates),
        models=tuple(model for interval in intervals for model in interval.models)
        if all(interval.models for interval in intervals)
        else (),
        evaluations=tuple(record for interval in intervals for record in interval.evaluations),
    )


def chain_intervals(intervals: Sequence[ReportInterval]) -> ReportInterval:
    """Return the interval that consists of these consecutive ones."""
    return replace(
        intervals[-1],
        epochs=tuple(record for interval in intervals for record in interval.epochs),
        measuring_seconds=math.fsum(interval.measuring_seconds for interval in intervals),
        elsewhere_seconds=math.fsum(interval.elsewhere_seconds for interval in intervals),
    )


def _records(trained: Sequence[TrainedEpoch]) -> tuple[list[EpochRecord], float]:
    """Return the records of these epochs, and the seconds spent on measuring gradients and making their records."""
    records: list[EpochRecord] = []
    seconds = 0.0
    for epoch in trained:
        started = time.perf_counter()
        records += epoch.records()
        if epoch.measured is not None:
            seconds += epoch.measured.seconds + time.perf_counter() - started
    return records, seconds


def _replicates(
    trial_spec: TrialSpec, stack: Stack, latest: TrainedEpoch, part: range, *, reads_test: bool
) -> tuple[ReplicateRecord, ...]:
    tests = _test_scores(stack) if reads_test else [_TestScores()] * len(part)
    data, pools = stack.data, reads_test and trial_spec.scores_holdout
    sizes = (data.validation.shape[1], data.test.shape[1])
    return tuple(
        ReplicateRecord(
            replicate=replicate,
            block=trial_spec.blocks[replicate],
            outcome=Outcome.DIVERGED if diverged else Outcome.COMPLETE,
            val_loss=scores.val_loss,
            val_accuracy=scores.val_accuracy,
            test_loss=test.loss,
            test_accuracy=test.accuracy,
            metrics={
                **scores.further,
                **test.further,
                **epochs,
                **(_holdout_scores(scores, test, sizes) if pools else {}),
            },
        )
        for replicate, diverged, scores, test, epochs in zip(
            part, stack.diverged, latest.standing, tests, _epochs_of(stack), strict=True
        )
    )


@dataclass(frozen=True, kw_only=True)
class _TestScores:
    """One replicate's scores on the test part; None if there are none."""

    loss: float | None = None
    accuracy: float | None = None
    further: Mapping[str, float] = field(default_factory=dict)


def _holdout_scores(validation: Scores, test: _TestScores, sizes: tuple[int, int]) -> dict[str, float]:
    """Return one replicate's loss and accuracy over the examples of both parts; none if it lacks a score on either.

    `sizes` are the examples of each part. A mean over both is that of the two means, weighted by them.
    """
    pairs = {
        "loss": (validation.val_loss, test.loss),
        "accuracy": (validation.val_accuracy, test.accuracy),
    }
    return {
        HOLDOUT + name: (sizes[0] * first + sizes[1] * second) / sum(sizes)
        for name, (first, second) in pairs.items()
        if first is not None and second is not None
    }


def _epochs_of(stack: Stack) -> list[dict[str, float]]:
    """Return each replicate's best epoch and the one after which it stopped; empty without early stopping."""
    if stack.stopping is None:
        return [{} for _ in stack.seeds]
    epochs = []
    for watched in stack.stopping.watched:
        named = {BEST_EPOCH: watched.best_epoch, STOPPED_EPOCH: watched.stopped_epoch}
        epochs.append({name: float(epoch) for name, epoch in named.items() if epoch is not None})
    return epochs


def _test_scores(stack: Stack) -> list[_TestScores]:
    """Return every replicate's scores on the test part; a replicate whose loss is not finite is marked as diverged."""
    data, tally = stack.data, Tally.of(stack.data)
    with torch.no_grad():
        losses, accuracies = evaluate(stack.model, data, data.test, tally)
        more = tally.values()
    names = [TEST + name for name in more]
    found = []
    for replicate, (loss, accuracy, *values) in enumerate(
        torch.stack([losses, accuracies, *more.values()]).t().tolist()
    ):
        stack.diverged[replicate] |= not math.isfinite(loss)
        further = dict(zip(names, values, strict=True))
        found.append(
            _TestScores()
            if stack.diverged[replicate]
            else _TestScores(loss=loss, accuracy=accuracy, further=further)
        )
    return found


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


NUM_BINS = 10
"""Number of calibration bins of equal width over the confidence in the predicted class."""


@torch.no_grad()
def examine(stack: Stack) -> tuple[EvaluationRecord, ...]:
    """Return every replicate's confusion counts and calibration bins on its own test part."""
    data = stack.data
    chunks = [(*logits.softmax(1).max(1), truth) for logits, truth in answers(stack.model, data, data.test)]
    confidence, predicted, truth = (torch.cat(values, 1) for values in zip(*chunks, strict=True))
    return tuple(
        EvaluationRecord(
            replicate=replicate,
            confusion=confusion(truth[replicate], predicted[replicate], data.num_classes),
            calibration=calibration(confidence[replicate], predicted[replicate] == truth[replicate]),
        )
        for replicate in range(len(stack.seeds))
    )


def confusion(truth: Tensor, predicted: Tensor, num_classes: int) -> tuple[tuple[int, ...], ...]:
    """Return counts[true][predicted]."""
    counts = torch.bincount(truth * num_classes + predicted, minlength=num_classes**2)
    return tuple(tuple(row) for row in counts.view(num_classes, num_classes).tolist())


def calibration(confidence: Tensor, correct: Tensor) -> tuple[CalibrationBin, ...]:
    """Return the bins of a reliability diagram (Guo et al., 2017); an empty bin has no confidence or accuracy.

    Confidences that are NaN, as of a diverged network, are not counted.
    """
    index = (confidence.nan_to_num(-1.0) * NUM_BINS).floor().clamp(max=NUM_BINS - 1)
    bins = []
    for number in range(NUM_BINS):
        inside = index == number
        count = int(inside.sum())
        bins.append(
            CalibrationBin(
                low=number / NUM_BINS,
                high=(number + 1) / NUM_BINS,
                count=count,
                confidence=float(confidence[inside].mean()) if count else None,
                accuracy=float(correct[inside].float().mean()) if count else None,
            )
        )
    return tuple(bins)
