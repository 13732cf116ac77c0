"""The results of one epoch of a stack, from which its records are made."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from torch import Tensor

from trainables.base.metrics import VALIDATION
from trainables.base.records import EpochRecord
from trainables.gradients.measured_epoch import MeasuredEpoch

IN_ORDER = ("train_loss", "train_accuracy", "val_loss", "val_accuracy")
"""The scores that every trained epoch has, in the order in which they are copied from the device."""


@dataclass(frozen=True, kw_only=True)
class Scores:
    """One replicate's losses in nats and accuracies (None if there are none), and further metrics by name."""

    train_loss: float | None = None
    train_accuracy: float | None = None
    val_loss: float | None = None
    val_accuracy: float | None = None
    further: Mapping[str, float] = field(default_factory=dict)

    def monitored(self, monitor: str) -> float | None:
        """Return the score called `monitor`."""
        score: float | None = getattr(self, monitor)
        return score


@dataclass(frozen=True, kw_only=True)
class TrainedEpoch:
    """One epoch's scores and rates by replicate (no rates before training) and, if layers were measured, `measured`.

    A replicate that has stopped early has no scores in `scores` and no record. `standing` has the scores of each
    replicate with its weights after the epoch.

    Records are made on demand: making those of several epochs together takes half the time, because a training step
    empties the processor's caches.
    """

    epoch: int
    scores: Sequence[Scores | None]
    standing: Sequence[Scores]
    learning_rates: Sequence[float] | None
    measured: MeasuredEpoch | None

    def records(self) -> list[EpochRecord]:
        """Return one record for each replicate that was trained in the epoch."""
        measures = None if self.measured is None else self.measured.replicates()
        return [
            EpochRecord(
                replicate=replicate,
                epoch=self.epoch,
                train_loss=scores.train_loss,
                train_accuracy=scores.train_accuracy,
                val_loss=scores.val_loss,
                val_accuracy=scores.val_accuracy,
                learning_rate=None if self.learning_rates is None else self.learning_rates[replicate],
                metrics={**scores.further, **({} if measures is None else measures[replicate].metrics)},
                layers=() if measures is None else measures[replicate].layers,
            )
            for replicate, scores in enumerate(self.scores)
            if scores is not None
        ]


def scores_of(values: Tensor, further: Sequence[str], diverged: Sequence[bool]) -> list[Scores]:
    """Return each replicate's scores; a replicate that diverged has none.

    `values` has shape (scores, replicates): those of `IN_ORDER`, then the `further` metrics, named without prefix.
    """
    names = [VALIDATION + name for name in further]
    return [
        Scores()
        if is_lost
        else Scores(
            **dict(zip(IN_ORDER, of_one, strict=False)),
            further=dict(zip(names, of_one[len(IN_ORDER) :], strict=True)),
        )
        for is_lost, of_one in zip(diverged, values.t().tolist(), strict=True)
    ]
