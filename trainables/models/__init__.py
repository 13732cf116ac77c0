"""Models, one file each: `build()` in the file that bears the model's name makes a stack of replicates."""

import sys
from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import cast

import torch
from torch import Tensor

from trainables import discovery
from trainables.hyperparameters import Hyperparameters
from trainables.parameters import FlatParameters


class HiddenBlock(ABC):
    """What gradient stability needs of one hidden block after a forward and a backward pass in training mode."""

    weight: Tensor
    """W_l, shape (replicates, ...)."""
    weight_gradient: Tensor
    """dL/dW_l, of the same shape."""
    output: Tensor
    """The activation before dropout, shape (replicates, units, examples)."""
    delta: Tensor
    """dL/dh_l with h_l the block's output, shape (replicates, units, examples)."""
    saturates: bool
    """Whether a unit is dead when its activation is above 0.97 in size (tanh, sigmoid), not when it is 0."""
    output_is_unipolar: bool
    """Whether activations lie in 0..1 (sigmoid) and are scaled to -1..1 before that comparison."""


class StackModel(ABC):
    """A stack of networks that differ in their weights alone; replicates never mix."""

    parameters: FlatParameters
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


def names() -> tuple[str, ...]:
    """Return the names of all models."""
    return discovery.module_names(sys.modules[__name__])


def build(
    name: str,
    hyperparameters: Hyperparameters,
    *,
    num_features: int,
    num_classes: int,
    init_seeds: Sequence[int],
    generator: torch.Generator,
    device: torch.device,
) -> StackModel:
    """Build a stack of the model called `name`, one replicate for each seed; `generator` drives dropout.

    Raises ValueError that lists the names if there is none of that name.
    """
    module = discovery.find_module(sys.modules[__name__], name, "model")
    model = module.build(
        hyperparameters,
        num_features=num_features,
        num_classes=num_classes,
        init_seeds=init_seeds,
        generator=generator,
        device=device,
    )
    return cast(StackModel, model)
