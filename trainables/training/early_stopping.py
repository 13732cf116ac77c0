"""Early stopping: a replicate whose monitor no longer improves is frozen with the weights of its best epoch."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from trainables.networks.stack_model import PARAMETERS, StackModel
from trainables.training.stopping_rule import is_better
from trainables.training.trained_epoch import Scores

NO_SCORES = Scores()


@dataclass(frozen=True, kw_only=True)
class Watched:
    """The state of one replicate: its best epoch so far, the scores there, and the epoch after which it stopped.

    `stopped_epoch` is None while it trains, `best_epoch` before the first epoch and if it diverged.
    """

    best_epoch: int | None = None
    best: Scores = NO_SCORES
    stopped_epoch: int | None = None

    def after(self, epoch: int, scores: Scores, *, monitor: str, patience: int) -> "Watched":
        """Return the state after one more epoch; a replicate that diverged stops at once, without a best epoch."""
        value = scores.monitored(monitor)
        if value is None:
            return Watched(stopped_epoch=epoch)
        best = self.best.monitored(monitor)
        if self.best_epoch is None or best is None or is_better(value, best, monitor):
            return Watched(best_epoch=epoch, best=scores)
        return replace(self, stopped_epoch=epoch if epoch - self.best_epoch >= patience else None)


class EarlyStopping:
    """Watches the replicates of a stack, and keeps the weights and running statistics of each one's best epoch.

    As in Keras' EarlyStopping with restore_best_weights, a replicate stops after `patience` epochs in a row without a
    better `monitor`, and its best weights are restored; they also are if it reaches the last epoch without stopping. A
    stopped replicate still takes part in the steps of the others, and is restored after each epoch. One that diverged
    stays as it was after the epoch in which it did.
    """

    def __init__(self, model: StackModel, *, monitor: str, patience: int) -> None:
        """Start before the first epoch."""
        self._model, self._monitor, self._patience = model, monitor, patience
        self.watched = [Watched()] * model.parameters.replicates
        self.kept = {name: tensor.clone() for name, tensor in model.tensors().items()}
        """The tensors that each stopped replicate is restored to, named as the model's own."""

    @property
    def trains(self) -> list[bool]:
        """Whether each replicate still trains."""
        return [watched.stopped_epoch is None for watched in self.watched]

    @property
    def scores(self) -> list[Scores]:
        """The scores of each replicate's best epoch."""
        return [watched.best for watched in self.watched]

    def update(self, epoch: int, scores: Sequence[Scores | None], *, is_last: bool) -> list[Scores]:
        """Record an epoch's scores (None for a stopped replicate), and restore stopped ones; all if it is the last.

        Returns each replicate's scores with its present weights.
        """
        self.watched = [
            watched
            if own is None
            else watched.after(epoch, own, monitor=self._monitor, patience=self._patience)
            for watched, own in zip(self.watched, scores, strict=True)
        ]
        own_tensors = self._model.tensors()
        is_new = [
            own is not None and now.best_epoch in (epoch, None)
            for own, now in zip(scores, self.watched, strict=True)
        ]
        self._copy(own_tensors, self.kept, is_new)
        rests = [is_last or watched.stopped_epoch is not None for watched in self.watched]
        self._copy(self.kept, own_tensors, rests)
        return [
            watched.best if own is None or resting else own
            for own, watched, resting in zip(scores, self.watched, rests, strict=True)
        ]

    def _copy(
        self, source: Mapping[str, Tensor], target: Mapping[str, Tensor], which: Sequence[bool]
    ) -> None:
        """Copy the tensors of the chosen replicates, bit by bit."""
        chosen = [replicate for replicate, is_chosen in enumerate(which) if is_chosen]
        if not chosen:
            return
        numbers, runs = torch.tensor(chosen, device=source[PARAMETERS].device), self._model.parameters.runs
        for one, other in zip(runs(source[PARAMETERS]), runs(target[PARAMETERS]), strict=True):
            other[:, numbers] = one[:, numbers]
        for name in source:
            if name != PARAMETERS:
                target[name][numbers] = source[name][numbers]
