"""The data of a stack: a dataset on the device, each replicate's rows of it, and how it is scaled for each."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor

from trainables.datasets import Dataset
from trainables.scaling import Scaling
from trainables.splits import Split


@dataclass(frozen=True, kw_only=True)
class StackData:
    """A dataset on the device and each replicate's rows, shapes (replicates, rows of the part).

    The inputs are one copy, as the dataset has them; what a replicate sees of them is what `gather` returns.
    """

    inputs: Tensor
    targets: Tensor
    train: Tensor
    validation: Tensor
    test: Tensor
    num_classes: int
    scaling: Scaling | None = None

    @classmethod
    def make(cls, dataset: Dataset, splits: Sequence[Split], device: torch.device) -> "StackData":
        """Put `dataset` on the device once, with the rows of one split for each replicate, and fit its scaling."""

        def rows(part: str) -> Tensor:
            return torch.from_numpy(np.stack([getattr(split, part) for split in splits])).to(device)

        scaling = None
        if dataset.groups is not None:
            training_parts = [split.train for split in splits]
            scaling = Scaling.fit(dataset.inputs, dataset.groups, training_parts, device)
        return cls(
            inputs=torch.from_numpy(dataset.inputs).to(device),
            targets=torch.from_numpy(dataset.targets).to(device),
            train=rows("train"),
            validation=rows("validation"),
            test=rows("test"),
            num_classes=dataset.num_classes,
            scaling=scaling,
        )

    def gather(self, rows: Tensor) -> Tensor:
        """Return a copy of the inputs in `rows` (replicates, examples), scaled for each replicate."""
        gathered = self.inputs.index_select(0, rows.reshape(-1)).view(*rows.shape, -1)
        return gathered if self.scaling is None else self.scaling.apply(gathered)

    def part(self, replicates: range) -> "StackData":
        """Return the same data with the rows of these replicates alone, without a copy."""
        cut = slice(replicates.start, replicates.stop)
        return replace(
            self,
            train=self.train[cut],
            validation=self.validation[cut],
            test=self.test[cut],
            scaling=None if self.scaling is None else self.scaling.part(cut),
        )
