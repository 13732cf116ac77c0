"""Layers for a stack of replicates, with explicit forward and backward passes.

Activations have shape (replicates, features, examples): so every product is one batched matrix product without a copy,
and batch norm reduces over contiguous memory. The backward passes return dL/d(input), on which gradient stability is
measured, so no hooks are needed.
"""

from abc import ABC, abstractmethod

import torch
from torch import Tensor

from trainables.base.mask_generator import RandomWords


class Layer(ABC):
    """A layer of a stack; `backward` refers to the latest `forward` in training mode."""

    @abstractmethod
    def forward(self, inputs: Tensor, *, training: bool) -> Tensor:
        """Return the outputs for `inputs` of shape (replicates, features, examples)."""

    @abstractmethod
    def backward(self, gradient: Tensor) -> Tensor:
        """Store the parameters' gradients and return the loss's gradient with respect to the inputs."""


class Linear(Layer):
    """y = W x + b for each replicate; W has shape (replicates, out, in), b (replicates, out, 1) or None."""

    def __init__(
        self, weight: Tensor, weight_gradient: Tensor, bias: Tensor | None, bias_gradient: Tensor | None
    ) -> None:
        """Take views of the parameters and of their gradients."""
        self.weight, self.weight_gradient = weight, weight_gradient
        self.bias, self.bias_gradient = bias, bias_gradient
        self._inputs: Tensor | None = None

    def forward(self, inputs: Tensor, *, training: bool) -> Tensor:
        """Return W x + b."""
        self._inputs = inputs if training else None
        if self.bias is None:
            return torch.bmm(self.weight, inputs)
        return torch.baddbmm(self.bias, self.weight, inputs)

    def backward(self, gradient: Tensor, *, out: Tensor | None = None) -> Tensor:
        """Store dL/dW and dL/db; return dL/dx, written to `out` if given."""
        self.backward_parameters(gradient)
        return torch.bmm(self.weight.transpose(1, 2), gradient, out=out)

    def backward_parameters(self, gradient: Tensor) -> None:
        """Store dL/dW and dL/db only, for the first layer, whose inputs need no gradient."""
        assert self._inputs is not None, "backward without forward"
        torch.bmm(gradient, self._inputs.transpose(1, 2), out=self.weight_gradient)
        if self.bias_gradient is not None:
            torch.sum(gradient, dim=2, keepdim=True, out=self.bias_gradient)


class BatchNorm(Layer):
    """Batch normalisation over the examples of each replicate (Ioffe and Szegedy, 2015), as torch computes it.

    Scale and shift have shape (replicates, features, 1). `tracking` says whether running statistics are updated.
    """

    eps = 1e-5
    momentum = 0.1

    def __init__(self, scale: Tensor, scale_gradient: Tensor, shift: Tensor, shift_gradient: Tensor) -> None:
        """Take views of the parameters; running statistics start at mean 0 and variance 1."""
        self.scale, self.scale_gradient = scale, scale_gradient
        self.shift, self.shift_gradient = shift, shift_gradient
        self.running_mean = torch.zeros_like(scale)
        self.running_variance = torch.ones_like(scale)
        self.tracking = True
        self._normalised: Tensor | None = None
        self._inverse_std: Tensor | None = None

    def forward(self, inputs: Tensor, *, training: bool) -> Tensor:
        """Normalise by the batch in training, by the running statistics otherwise."""
        if not training:
            factor = self.scale * torch.rsqrt(self.running_variance + self.eps)
            return torch.addcmul(self.shift - self.running_mean * factor, inputs, factor)
        examples = inputs.shape[2]
        mean = inputs.mean(2, keepdim=True)
        centred = inputs - mean
        variance = torch.linalg.vector_norm(centred, dim=2, keepdim=True).square_().div_(examples)
        self._inverse_std = torch.rsqrt(variance + self.eps)
        self._normalised = centred.mul_(self._inverse_std)
        if self.tracking:
            self.running_mean.lerp_(mean, self.momentum)
            self.running_variance.lerp_(variance * (examples / (examples - 1)), self.momentum)
        return torch.addcmul(self.shift, self._normalised, self.scale)

    def backward(self, gradient: Tensor) -> Tensor:
        """Store the gradients of scale and shift and return dL/d(inputs) through mean and variance."""
        normalised, inverse_std = self._normalised, self._inverse_std
        assert normalised is not None, "backward without forward"
        assert inverse_std is not None, "backward without forward"
        examples = gradient.shape[2]
        torch.sum(gradient, dim=2, keepdim=True, out=self.shift_gradient)
        torch.sum(gradient * normalised, dim=2, keepdim=True, out=self.scale_gradient)
        centred = torch.addcmul(gradient, normalised, self.scale_gradient, value=-1 / examples)
        centred.sub_(self.shift_gradient / examples)
        return centred.mul_(self.scale * inverse_std)


class ReLU(Layer):
    """max(x, 0). As in every activation, `forward` writes to `out` if given."""

    def __init__(self) -> None:
        """Start without outputs."""
        self.outputs: Tensor | None = None

    def forward(self, inputs: Tensor, *, training: bool, out: Tensor | None = None) -> Tensor:
        """Return max(x, 0)."""
        self.outputs = torch.clamp_min(inputs, 0, out=out)
        return self.outputs

    def backward(self, gradient: Tensor) -> Tensor:
        """Return the gradient where the unit responded, 0 elsewhere."""
        result: Tensor = torch.ops.aten.threshold_backward(gradient, self.outputs, 0)
        return result


class Tanh(ReLU):
    """The hyperbolic tangent."""

    def forward(self, inputs: Tensor, *, training: bool, out: Tensor | None = None) -> Tensor:
        """Return tanh(x)."""
        self.outputs = torch.tanh(inputs, out=out)
        return self.outputs

    def backward(self, gradient: Tensor) -> Tensor:
        """Return g (1 - y^2)."""
        assert self.outputs is not None, "backward without forward"
        return torch.addcmul(gradient, gradient * self.outputs, self.outputs, value=-1)


class Sigmoid(ReLU):
    """The logistic function."""

    def forward(self, inputs: Tensor, *, training: bool, out: Tensor | None = None) -> Tensor:
        """Return 1 / (1 + exp(-x))."""
        self.outputs = torch.sigmoid(inputs, out=out)
        return self.outputs

    def backward(self, gradient: Tensor) -> Tensor:
        """Return g y (1 - y)."""
        assert self.outputs is not None, "backward without forward"
        return gradient * self.outputs * (1 - self.outputs)


ACTIVATIONS: dict[str, type[ReLU]] = {"relu": ReLU, "tanh": Tanh, "sigmoid": Sigmoid}


class Dropout(Layer):
    """Inverted dropout (Srivastava et al., 2014) with masks from random integers.

    An activation is kept if a 16-bit slice of a random 64-bit integer lies below a threshold, which on a CPU is several
    times faster than Bernoulli draws; the rate is exact to 1/65,536 and the scale is its inverse.
    """

    def __init__(self, rate: float, words: RandomWords) -> None:
        """Drop with probability `rate`, 0 <= rate < 1, by the integers that `words` draws."""
        kept = round((1 - rate) * 65536)
        self.active = kept < 65536
        self._threshold = kept - 32768
        self._scale = 65536 / max(kept, 1)
        self._words = words
        self._mask: Tensor | None = None

    def forward(self, inputs: Tensor, *, training: bool) -> Tensor:
        """Apply dropout in training mode; return the inputs otherwise."""
        if not (training and self.active):
            return inputs
        self._mask = torch.lt(self._words.draw(inputs), self._threshold, out=torch.empty_like(inputs))
        self._mask.mul_(self._scale)
        return inputs * self._mask

    def backward(self, gradient: Tensor) -> Tensor:
        """Return the gradient through the kept activations."""
        if not self.active:
            return gradient
        assert self._mask is not None, "backward without forward"
        return gradient * self._mask
