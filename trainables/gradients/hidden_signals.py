"""The outputs and gradients of hidden layers of plain torch modules in one pass, observed with hooks."""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils.hooks import RemovableHandle

from trainables.gradients.activations import ActivationBuffers
from trainables.gradients.hidden_layers import HiddenLayer, by_example, tensors


class HiddenSignals:
    """h_l and dL/dh_l of each hidden layer and replicate in the latest pass in training mode, while it `is_on`.

    `outputs`, `responses` and `deltas` are as StackModel has them. If h_l has positions (an image or a sequence), each
    value counts as a unit in `outputs` and `deltas`, and `responses` are sums over positions of abs(h_l): a unit is
    dead if it is 0 everywhere. h_l is what the next layer reads, and its gradient includes everything that follows,
    also skips. If a layer runs several times in a pass, its first run counts.
    """

    def __init__(self, layers: Sequence[HiddenLayer], like: Tensor, *, replicates: int) -> None:
        """Start without hooks; `layers` are those found by `hidden_layers`."""
        self.layers = tuple(layers)
        self.deltas = ActivationBuffers([layer.size for layer in layers], like, replicates)
        self.responses = ActivationBuffers([layer.units for layer in layers], like, replicates)
        self.outputs: list[Tensor] = []
        self.saturates = self.responses_are_unipolar = False
        self.is_on = True
        self._heard: list[list[Tensor | None]] = [[None] * len(layers) for _ in range(replicates)]

    def listen(self, module: nn.Module, replicate: int) -> list[RemovableHandle]:
        """Observe `module` from now on as one replicate; return the hooks."""
        return [
            self._listen_at(
                module.get_submodule(name), replicate, [each for each in self.layers if each.reader == name]
            )
            for name in dict.fromkeys(layer.reader for layer in self.layers)
        ]

    def _listen_at(self, reader: nn.Module, replicate: int, layers: Sequence[HiddenLayer]) -> RemovableHandle:
        def before(_: nn.Module, args: Any, kwargs: Any) -> None:
            if self.is_on:
                given = list(tensors((args, kwargs)))
                for layer in layers:
                    self.update(replicate, layer, given)

        return reader.register_forward_pre_hook(before, with_kwargs=True)

    def update(self, replicate: int, layer: HiddenLayer, given: Sequence[Tensor]) -> None:
        """Record h_l from the input tensors of the layer's reader, and dL/dh_l once it is computed (the hook)."""
        heard, place = self._heard[replicate], self.layers.index(layer)
        if heard[place] is not None:
            return
        output = given[layer.place]
        heard[place] = by_example(
            output.detach(), self._examples, layer.name, reads_channels=layer.reads_channels
        )

        def write(gradient: Tensor) -> None:
            delta = by_example(gradient, self._examples, layer.name, reads_channels=layer.reads_channels)
            self.deltas.buffers.layers[place][replicate].copy_(delta.flatten(1).t())

        if output.requires_grad:
            output.register_hook(write)  # type: ignore[no-untyped-call]

    def begin_pass(self, examples: int) -> None:
        """Prepare the buffers for a pass over `examples`."""
        self._examples = examples
        for delta in self.deltas.prepare(examples):
            delta.zero_()  # layers that the loss does not depend on have no gradient
        for heard in self._heard:
            heard[:] = [None] * len(heard)

    def end_pass(self) -> None:
        """Write `outputs` and `responses`; raise ValueError if a layer did not run in this pass."""
        self.outputs = []
        with torch.no_grad():
            for place, response in enumerate(self.responses.prepare(self._examples)):
                heard = [self._checked(replicate, place) for replicate in range(len(self._heard))]
                for into, output in zip(response, heard, strict=True):
                    into.copy_(self._by_unit(output, self.layers[place]).t())
                self.outputs.append(
                    torch.stack([output.flatten(1).t() for output in heard]).to(response.dtype)
                )
        for each in self._heard:
            each[:] = [None] * len(each)

    def _checked(self, replicate: int, place: int) -> Tensor:
        output, layer = self._heard[replicate][place], self.layers[place]
        if output is None:
            raise ValueError(
                f"layer {layer.reader}, which reads layer {layer.name}, ran in the first pass but not in this one: "
                "have every layer run in each pass in training mode (multiply by 0 where one is to be skipped)"
            )
        if output[0].numel() != layer.size:
            raise ValueError(
                f"layer {layer.name} made {layer.size} values of an example at first, now {output[0].numel()}: have "
                "every pass make as many"
            )
        return output

    @staticmethod
    def _by_unit(output: Tensor, layer: HiddenLayer) -> Tensor:
        """Return the sum over positions of abs(h_l), shape (examples, units)."""
        if output.ndim == 2:
            return output.abs()
        if layer.reads_channels:
            return output.abs().flatten(2).sum(2)
        return output.abs().flatten(1, -2).sum(1)
