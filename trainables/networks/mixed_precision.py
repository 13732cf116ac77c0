"""Linear layers whose matrix products are of bfloat16 numbers, with master weights and all the rest in float32."""

import torch
from torch import Tensor

from trainables.base.hyperparameters import Hyperparameters
from trainables.networks.layers import Linear


class MixedLinear(Linear):
    """y = W x + b as automatic mixed precision computes it (Micikevicius et al., 2018), forward and backward.

    Factors are rounded to bfloat16, which has float32's range, so that no loss needs scaling; sums are rounded once
    more. Parameters, their gradients, what comes in and what goes out keep their own precision.
    """

    def forward(self, inputs: Tensor, *, training: bool) -> Tensor:
        """Return W x + b; the rounded factors are kept for the backward pass."""
        self._weight, rounded = self.weight.bfloat16(), inputs.bfloat16()
        self._inputs = rounded if training else None
        product = torch.bmm(self._weight, rounded).to(inputs.dtype)
        return product if self.bias is None else product.add_(self.bias)

    def backward(self, gradient: Tensor, *, out: Tensor | None = None) -> Tensor:
        """Store dL/dW and dL/db and return dL/dx, written to `out` where it is given."""
        rounded = self._store_gradients(gradient)
        product = torch.bmm(self._weight.transpose(1, 2), rounded)
        return product.to(gradient.dtype) if out is None else out.copy_(product)

    def backward_parameters(self, gradient: Tensor) -> None:
        """Store dL/dW and dL/db alone."""
        self._store_gradients(gradient)

    def _store_gradients(self, gradient: Tensor) -> Tensor:
        """Store dL/dW and dL/db, and return the rounded gradient."""
        assert self._inputs is not None, "backward without forward"
        rounded = gradient.bfloat16()
        self.weight_gradient.copy_(torch.bmm(rounded, self._inputs.transpose(1, 2)))
        if self.bias_gradient is not None:
            torch.sum(gradient, dim=2, keepdim=True, out=self.bias_gradient)
        return rounded


def linear_of(hyperparameters: Hyperparameters) -> type[Linear]:
    """Return the kind of linear layer that computes in the precision wanted; raise ValueError for an unknown one."""
    match hyperparameters.precision:
        case "float32":
            return Linear
        case "bfloat16":
            return MixedLinear
    raise ValueError(f"unknown precision {hyperparameters.precision!r} (choices: float32, bfloat16)")
