"""All parameters of a stack in one flat tensor, so that one stock optimizer updates them in one call."""

import math
from collections.abc import Mapping

import torch
from torch import Tensor


class FlatParameters:
    """Named parameters of a stack of replicates, each of shape (replicates, ...), and their gradients.

    `values` and `gradients` are flat; `value(name)` and `gradient(name)` are views into them.
    """

    def __init__(
        self, shapes: Mapping[str, tuple[int, ...]], *, replicates: int, device: torch.device
    ) -> None:
        """Lay out parameters of the given shapes (without the axis of replicates), all zero."""
        self.replicates = replicates
        self.names = tuple(shapes)
        total = replicates * sum(math.prod(shape) for shape in shapes.values())
        self.values = torch.zeros(total, device=device)
        self.gradients = torch.zeros(total, device=device)
        self._values: dict[str, Tensor] = {}
        self._gradients: dict[str, Tensor] = {}
        start = 0
        for name, shape in shapes.items():
            end = start + replicates * math.prod(shape)
            self._values[name] = self.values[start:end].view(replicates, *shape)
            self._gradients[name] = self.gradients[start:end].view(replicates, *shape)
            start = end

    def value(self, name: str) -> Tensor:
        """Return the parameter, shape (replicates, ...), as a view."""
        return self._values[name]

    def gradient(self, name: str) -> Tensor:
        """Return the parameter's gradient, shape (replicates, ...), as a view."""
        return self._gradients[name]

    def gradient_norms(self) -> Tensor:
        """Return the norm of each replicate's whole gradient, shape (replicates,)."""
        parts = [gradient.flatten(1).square().sum(1) for gradient in self._gradients.values()]
        return torch.stack(parts).sum(0).sqrt()

    def clip_gradients(self, max_norm: float) -> None:
        """Scale each replicate's gradient down to `max_norm`, as torch.nn.utils.clip_grad_norm_ does for one."""
        scale = (max_norm / (self.gradient_norms() + 1e-6)).clamp(max=1.0)
        for gradient in self._gradients.values():
            gradient.mul_(scale.view(-1, *[1] * (gradient.ndim - 1)))
