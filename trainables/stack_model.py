"""What a model must offer so that a stack of its replicates can be trained, measured and kept."""

from abc import ABC, abstractmethod
from collections.abc import Sequence

from torch import Tensor

from trainables.parameters import FlatParameters


class HiddenBlock(ABC):
    """What gradient stability needs of one hidden block after a forward and a backward pass in training mode."""

    response: Tensor
    """What tells whether a unit is dead, shape (replicates, units, examples): the activation before dropout, or h_l
    where a skip is added and the activation does not saturate."""
    output: Tensor
    """h_l, what the block hands on, of the same shape."""
    delta: Tensor
    """dL/dh_l, of the same shape."""
    saturates: bool
    """Whether a unit is dead when its response is above 0.97 in size (tanh, sigmoid), not when it is 0."""
    response_is_unipolar: bool
    """Whether responses lie in 0..1 (sigmoid) and are scaled to -1..1 before that comparison."""


class StackModel(ABC):
    """A stack of networks that differ in their weights alone; replicates never mix."""

    parameters: FlatParameters
    """Their hidden weights belong to `blocks`, in the same order."""
    blocks: Sequence[HiddenBlock]

    @abstractmethod
    def forward(self, inputs: Tensor, *, training: bool) -> Tensor:
        """Return logits (replicates, classes, examples) for inputs (replicates, examples, features)."""

    @abstractmethod
    def backward(self, gradient: Tensor) -> None:
        """Store every parameter's gradient, given the loss's gradient with respect to the logits."""

    @abstractmethod
    def track_statistics(self, tracking: bool) -> None:
        """Say whether running statistics move with each pass in training mode."""

    @abstractmethod
    def state_dict(self, replicate: int) -> dict[str, Tensor]:
        """Return one replicate's weights under the names that the plain torch model of the same form gives."""
