"""Residual connections: h_l = h_{l-1} + factor x branch_l (He et al., 2016), for a stack of replicates."""

from abc import ABC, abstractmethod

import torch
from torch import Tensor


class Skip(ABC):
    """Adds a block's input to its branch; `backward` refers to the latest `forward`."""

    @abstractmethod
    def forward(self, inputs: Tensor, branch: Tensor, *, out: Tensor | None = None) -> Tensor:
        """Return inputs + factor x branch, all (replicates, units, examples), written to `out` if given."""

    @abstractmethod
    def backward(self, gradient: Tensor) -> Tensor:
        """Return dL/d(branch), given dL/d(output), which is also the skip's gradient for the inputs."""


class FixedSkip(Skip):
    """A skip with a constant factor on the branch."""

    def __init__(self, factor: float) -> None:
        """Multiply the branch by `factor`."""
        self.factor = factor

    def forward(self, inputs: Tensor, branch: Tensor, *, out: Tensor | None = None) -> Tensor:
        """Return inputs + factor x branch."""
        return torch.add(inputs, branch, alpha=self.factor, out=out)

    def backward(self, gradient: Tensor) -> Tensor:
        """Return factor x gradient."""
        return gradient if self.factor == 1 else gradient * self.factor


class LearntSkip(Skip):
    """A skip whose factor is learnt, one for each block (ReZero, Bachlechner et al., 2020)."""

    def __init__(self, factor: Tensor, factor_gradient: Tensor) -> None:
        """Take views of the factor and of its gradient, both (replicates, 1, 1)."""
        self.factor, self.factor_gradient = factor, factor_gradient
        self._branch: Tensor | None = None

    def forward(self, inputs: Tensor, branch: Tensor, *, out: Tensor | None = None) -> Tensor:
        """Return inputs + factor x branch."""
        self._branch = branch
        return torch.addcmul(inputs, branch, self.factor, out=out)

    def backward(self, gradient: Tensor) -> Tensor:
        """Store the factor's gradient and return factor x gradient."""
        assert self._branch is not None, "backward without forward"
        torch.sum(gradient * self._branch, dim=(1, 2), keepdim=True, out=self.factor_gradient)
        return gradient * self.factor
