"""Linear layers with bfloat16 matrix products; master weights and everything else are in float32."""

import torch
from torch import Tensor

from trainables.base.hyperparameters import Hyperparameters
from trainables.networks.layers import Linear


class MixedLinear(Linear):
    """y = W x + b, computed forward and backward in mixed precision (Micikevicius et al., 2018).

    Factors are rounded to bfloat16, which has float32's range, so that the loss needs no scaling; sums are rounded once
    more. Parameters, gradients, inputs and outputs keep their own precision.
    """

    def forward(self, inputs: Tensor, *, training: bool) -> Tensor:
        """Return W x + b; keep the rounded factors for the backward pass."""
        self._weight, rounded = self.weight.bfloat16(), inputs.bfloat16()
        self._inputs = rounded if training else None
        product = torch.bmm(self._weight, rounded).to(inputs.dtype)
        return product if self.bias is None else product.add_(self.bias)

    def backward(self, gradient: Tensor, *, out: Tensor | None = None) -> Tensor:
        """Store dL/dW and dL/db; return dL/dx, written to `out` if given."""
        rounded = self._store_gradients(gradient)
        product = torch.bmm(self._weight.transpose(1, 2), rounded)
        return product.to(gradient.dtype) if out is None else out.copy_(product)

    def backward_parameters(self, gradient: Tensor) -> None:
        """Store dL/dW and dL/db only."""
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
    """Return the class of linear layers for the configured precision; raise ValueError for an unknown one."""
    match hyperparameters.precision:
        case "float32":
            return Linear
        case "bfloat16":
            return MixedLinear
    raise ValueError(f"unknown precision {hyperparameters.precision!r} (choices: float32, bfloat16)")
