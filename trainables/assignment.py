"""What a worker is told to train: one trial, complete in itself."""

from dataclasses import dataclass

from trainables.hyperparameters import Hyperparameters


@dataclass(frozen=True, kw_only=True)
class Assignment:
    """One trial: its configuration, its replicates and when it reports.

    Replicate r trains on the split of `blocks[r]` from `seeds[r]`. The trial reports after the epochs in `rungs`
    (the last of them is its end). Layers are measured in the epochs in `layers_at`; 0 is the initialisation.
    `reads_test`: the test part is read once, at the end. `keeps_models`: weights and an evaluation come with the
    last report.
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
    keeps_models: bool = False

    @property
    def epochs(self) -> int:
        """Number of epochs to train unless the trial is stopped."""
        return self.rungs[-1]
