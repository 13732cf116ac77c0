"""Learning-rate schedules: the rate of each replicate in each epoch, as in torch.optim.lr_scheduler."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from trainables.base.hyperparameters import Hyperparameters

if TYPE_CHECKING:
    from trainables.training.trained_epoch import Scores

DECAY = 0.95
"""Factor by which `exponential` multiplies the rate after each epoch."""

PLATEAU_FACTOR = 0.2
"""Factor by which `plateau` multiplies the rate."""

PLATEAU_PATIENCE = 5
"""Epochs without improvement that `plateau` allows, counted as in torch: after one more the rate falls."""

PLATEAU_THRESHOLD = 1e-4
"""Least improvement for `plateau`, as a share of the best value; torch's default."""

SMALLEST_FALL = 1e-8
"""A smaller decrease of the rate is not applied; torch's default."""


@dataclass(frozen=True, kw_only=True)
class Plateau:
    """The state of `plateau` for one replicate: its rate, the best value, and epochs in a row without improvement.

    It equals torch.optim.lr_scheduler.ReduceLROnPlateau with the constants above.
    """

    rate: float
    best: float | None = None
    num_bad: int = 0

    def after(self, value: float | None, *, higher_is_better: bool, min_rate: float) -> "Plateau":
        """Return the state after an epoch with this monitored value; None, for divergence, is no improvement."""
        if value is not None and self._is_better(value, higher_is_better):
            return Plateau(rate=self.rate, best=value)
        if self.num_bad < PLATEAU_PATIENCE:
            return replace(self, num_bad=self.num_bad + 1)
        rate = max(self.rate * PLATEAU_FACTOR, min_rate)
        return Plateau(rate=rate if self.rate - rate > SMALLEST_FALL else self.rate, best=self.best)

    def _is_better(self, value: float, higher_is_better: bool) -> bool:
        if self.best is None:
            return True
        if higher_is_better:
            return value > self.best * (1 + PLATEAU_THRESHOLD)
        return value < self.best * (1 - PLATEAU_THRESHOLD)


class Schedule:
    """The schedule of a stack: each replicate's rate, from epoch to epoch.

    `plateaus` holds the replicates' states; it is empty for other schedules.
    """

    def __init__(self, hyperparameters: Hyperparameters, replicates: int) -> None:
        """Start at the configuration's learning rate; raise ValueError for an unknown schedule."""
        hp = self._hyperparameters = hyperparameters
        if hp.schedule not in ("constant", "exponential", "plateau", "cosine"):
            raise ValueError(
                f"unknown schedule {hp.schedule!r} (choices: constant, exponential, plateau, cosine)"
            )
        self._replicates = replicates
        self.plateaus: list[Plateau] = []
        if hp.schedule == "plateau":
            self.plateaus = [Plateau(rate=hp.learning_rate)] * replicates

    def rates(self, epoch: int, epochs: int) -> list[float]:
        """Return each replicate's rate in `epoch` (1, 2, ...) of `epochs`."""
        if self.plateaus:
            return [plateau.rate for plateau in self.plateaus]
        return [self._common_rate(epoch - 1, epochs)] * self._replicates

    def _common_rate(self, num_trained: int, epochs: int) -> float:
        hp = self._hyperparameters
        match hp.schedule:
            case "exponential":
                return hp.learning_rate * DECAY**num_trained
            case "cosine":
                share = (1 + math.cos(math.pi * num_trained / epochs)) / 2
                return hp.min_lr + (hp.learning_rate - hp.min_lr) * share
        return hp.learning_rate

    def update(self, scores: "Sequence[Scores | None]") -> None:
        """Record each replicate's scores after an epoch (None for a stopped one)."""
        if not self.plateaus:
            return
        hp = self._hyperparameters
        higher_is_better = hp.monitor == "val_accuracy"
        self.plateaus = [
            plateau
            if own is None
            else plateau.after(
                own.monitored(hp.monitor), higher_is_better=higher_is_better, min_rate=hp.min_lr
            )
            for plateau, own in zip(self.plateaus, scores, strict=True)
        ]
