"""Gradient stability of a stack: what every hidden layer's gradients do over one epoch.

Measured after the backward pass and before clipping. Values stay in buffers on the device and leave it once an
epoch, so measuring never makes the host wait within an epoch.
"""

import torch
from torch import Tensor

from trainables.records import LayerRecord
from trainables.stack_model import HiddenBlock, StackModel

MIN_MEASURED_STEPS = 20
"""delta_rms and update_ratio are taken at least this often an epoch, or at every step where there are fewer."""

SATURATION = 0.97
"""A tanh or sigmoid unit is saturated where its activation, scaled to -1..1, is above this in size."""


class GradientRecorder:
    """Collects one epoch's measures of every hidden layer and replicate."""

    def __init__(self, model: StackModel, *, num_steps: int) -> None:
        """Prepare buffers for an epoch of `num_steps` steps."""
        self._parameters = model.parameters
        self._blocks = model.blocks
        replicates, layers = model.parameters.replicates, len(model.blocks)
        device = model.parameters.values.device
        self._stride = max(1, num_steps // MIN_MEASURED_STEPS)
        sampled = -(-num_steps // self._stride)
        self._norms = torch.empty(num_steps, layers, replicates, device=device)
        self._deltas = torch.empty(sampled, layers, replicates, device=device)
        self._ratios = torch.full((sampled, layers, replicates), torch.nan, device=device)
        self._responses: list[Tensor | None] = [None] * layers
        self._before = torch.empty_like(model.parameters.values)
        self._step = 0

    @property
    def _samples_step(self) -> bool:
        return self._step % self._stride == 0

    def after_backward(self) -> None:
        """Measure the gradients of the step that just went backward; call it before clipping."""
        for layer, block in enumerate(self._blocks):
            gradient = block.weight_gradient.flatten(1)
            torch.linalg.vector_norm(gradient, dim=1, out=self._norms[self._step, layer])
            self._note_responses(layer, block)
            if self._samples_step:
                delta = block.delta
                rms = torch.linalg.vector_norm(delta, dim=(1, 2)) / (delta.shape[1] * delta.shape[2]) ** 0.5
                self._deltas[self._step // self._stride, layer] = rms
        if self._samples_step:
            self._before.copy_(self._parameters.values)

    def after_update(self) -> None:
        """Measure the update that the optimizer made: parameters after it minus parameters before it."""
        if self._samples_step:
            row = self._ratios[self._step // self._stride]
            update = torch.sub(self._parameters.values, self._before, out=self._before)
            for layer, block in enumerate(self._blocks):
                weight = block.weight.flatten(1)
                offset = weight.storage_offset()
                moved = update[offset : offset + weight.numel()].view_as(weight)
                norm = torch.linalg.vector_norm(moved, dim=1)
                row[layer] = norm / torch.linalg.vector_norm(weight, dim=1)
        self._step += 1

    def after_measure(self) -> None:
        """End a step that updates nothing, as at the initialisation."""
        self._step += 1

    def records(self) -> list[tuple[LayerRecord, ...]]:
        """Return each replicate's layers; this is where the epoch's values leave the device."""
        num_weights = torch.tensor([block.weight[0].numel() for block in self._blocks]).view(-1, 1)
        mean = self._norms.mean(0).cpu()
        columns = torch.stack(
            [
                mean,
                self._norms.amax(0).cpu(),
                mean / num_weights.sqrt(),
                _median(self._deltas).cpu(),
                _median(self._ratios).cpu(),
                torch.stack([self._dead_fraction(layer) for layer in range(len(self._blocks))]).cpu(),
            ],
            dim=2,
        )
        by_replicate = columns.transpose(0, 1).tolist()
        return [
            tuple(_layer_record(layer, values) for layer, values in enumerate(layers, start=1))
            for layers in by_replicate
        ]

    def _note_responses(self, layer: int, block: HiddenBlock) -> None:
        """Keep, for every unit, the sign of life closest to a response: the largest, or the least saturated."""
        if block.saturates:
            scaled = 2 * block.output - 1 if block.output_is_unipolar else block.output
            response, keep = scaled.abs().amin(2), torch.minimum
        else:
            response, keep = block.output.amax(2), torch.maximum
        known = self._responses[layer]
        self._responses[layer] = response if known is None else keep(known, response)

    def _dead_fraction(self, layer: int) -> Tensor:
        response = self._responses[layer]
        assert response is not None, "nothing was measured"
        dead = response > SATURATION if self._blocks[layer].saturates else response <= 0
        return dead.float().mean(1)


def _median(values: Tensor) -> Tensor:
    """Return the median over axis 0; the mean of the middle two where the count is even."""
    return torch.quantile(values, 0.5, dim=0)


def _layer_record(layer: int, values: list[float]) -> LayerRecord:
    grad_l2, grad_l2_max, grad_rms, delta_rms, update_ratio, dead_fraction = values
    return LayerRecord(
        layer=layer,
        grad_l2=grad_l2,
        grad_l2_max=grad_l2_max,
        grad_rms=grad_rms,
        delta_rms=delta_rms,
        update_ratio=None if update_ratio != update_ratio else update_ratio,
        dead_fraction=dead_fraction,
    )
