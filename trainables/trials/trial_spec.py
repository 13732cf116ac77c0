"""The specification of one trial for a worker."""

from collections.abc import Container
from dataclasses import dataclass

from trainables.base.hyperparameters import Hyperparameters
from trainables.base.metrics import COLUMNS, VALIDATION, Metric


@dataclass(frozen=True, kw_only=True)
class TrialSpec:
    """One trial: its configuration, its replicates and when it reports.

    Replicate r trains on the split of `blocks[r]` from `seeds[r]`. The trial reports after the epochs in `rungs`, the
    last of which is its end. Layers are measured in the epochs in `layers_at`; 0 is the initialisation. With
    `reads_test` the test part is read once, at the end; with `scores_holdout` loss and accuracy are then told of both
    held-out parts together, too (not by a user's own loop). With `keeps_models` the last report includes weights and an
    evaluation. `metrics` are the study's own, the primary one first; empty for a classifier's.
    """

    number: int
    model: str
    objective: str
    hyperparameters: Hyperparameters
    blocks: tuple[int, ...]
    seeds: tuple[int, ...]
    rungs: tuple[int, ...]
    layers_at: tuple[int, ...]
    reads_test: bool = False
    scores_holdout: bool = False
    keeps_models: bool = False
    metrics: tuple[Metric, ...] = ()

    @property
    def primary(self) -> str:
        """The name of the metric that the confirm phase compares."""
        return self.metrics[0].name if self.metrics else COLUMNS[0]

    @property
    def scored_at(self) -> Container[int]:
        """The epochs after which the further metrics are computed: at rungs and where layers are measured.

        All epochs if the objective is a further metric, because reports between rungs have the objective, too. All
        epochs with early stopping, because any epoch may be the best.
        """
        is_further = self.objective.removeprefix(VALIDATION) not in COLUMNS
        takes_all = is_further or self.hyperparameters.patience is not None
        return range(1, self.epochs + 1) if takes_all else frozenset((*self.rungs, *self.layers_at))

    @property
    def epochs(self) -> int:
        """Number of epochs to train unless the trial is stopped."""
        return self.rungs[-1]
