"""The data of a stack: a dataset on the device, and each replicate's rows and scaling."""

import warnings
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor

from trainables.data.dataset import Dataset
from trainables.data.scaling import Scaling
from trainables.data.splits import Split
from trainables.data.text_features import TextFeatures


@dataclass(frozen=True, kw_only=True)
class StackData:
    """A dataset on the device and each replicate's rows, shapes (replicates, rows of the part).

    All replicates share one copy of the raw inputs; `gather` returns them as each replicate sees them. If examples are
    texts, `inputs` has no column, and `texts` makes each replicate's features.
    """

    inputs: Tensor
    targets: Tensor
    train: Tensor
    validation: Tensor
    test: Tensor
    num_classes: int
    classes: tuple[str, ...] = ()
    shape: tuple[int, ...] | None = None
    """An example's shape before flattening; None if it has no other."""
    scaling: Scaling | None = None
    texts: TextFeatures | None = None

    @classmethod
    def make(cls, dataset: Dataset, splits: Sequence[Split], device: torch.device) -> "StackData":
        """Put `dataset` on the device once, with one split for each replicate, and fit scaling and vocabularies."""

        def rows(part: str) -> Tensor:
            return torch.from_numpy(np.stack([getattr(split, part) for split in splits])).to(device)

        scaling, texts = None, None
        training_parts = [split.train for split in splits]
        if dataset.groups is not None:
            scaling = Scaling.fit(dataset.inputs, dataset.groups, training_parts, device)
        if dataset.texts is not None:
            texts = TextFeatures.fit(dataset.texts, dataset.targets, training_parts, device)
        return cls(
            inputs=_tensor(dataset.inputs, device),
            targets=_tensor(dataset.targets, device),
            train=rows("train"),
            validation=rows("validation"),
            test=rows("test"),
            num_classes=dataset.num_classes,
            classes=dataset.classes,
            shape=dataset.shape,
            scaling=scaling,
            texts=texts,
        )

    @property
    def num_features(self) -> int:
        """Number of features of the inputs that `gather` returns."""
        return self.inputs.shape[1] if self.texts is None else self.texts.num_features

    @property
    def input_shape(self) -> tuple[int, ...]:
        """The shape of an example for networks that do not take flat inputs."""
        return self.shape or (self.num_features,)

    def gather(self, rows: Tensor) -> Tensor:
        """Return a copy of the inputs in `rows` (replicates, examples), processed for each replicate."""
        if self.texts is not None:
            return self.texts.gather(rows)
        gathered = self.inputs.index_select(0, rows.reshape(-1)).view(*rows.shape, -1)
        return gathered if self.scaling is None else self.scaling.apply(gathered)

    def part(self, replicates: range) -> "StackData":
        """Return the same data with the rows of some replicates only, as views."""
        cut = slice(replicates.start, replicates.stop)
        return replace(
            self,
            train=self.train[cut],
            validation=self.validation[cut],
            test=self.test[cut],
            scaling=None if self.scaling is None else self.scaling.part(cut),
            texts=None if self.texts is None else self.texts.part(cut),
        )

    def fitted_state(self, replicate: int) -> dict[str, Tensor]:
        """Return what was fitted for one replicate, which its network needs besides its weights."""
        fitted = [part for part in (self.scaling, self.texts) if part is not None]
        return {name: value for part in fitted for name, value in part.state_dict(replicate).items()}


def _tensor(array: np.ndarray, device: torch.device) -> Tensor:
    """Return a tensor that nobody writes into: an array from Ray's shared memory is read-only, of which torch warns."""
    with warnings.catch_warnings():
        warnings.filterwarnings(
            "ignore", message="The given NumPy array is not writable", category=UserWarning
        )
        return torch.from_numpy(array).to(device)
