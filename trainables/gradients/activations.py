"""Activations of hidden units over one epoch: mean, standard deviation, and units that never respond."""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor


@dataclass(frozen=True, kw_only=True)
class BatchBuffers:
    """Memory for batches of `examples`, as views of three shapes.

    `layers` has a tensor (replicates, units, examples) for each layer; `by_layer` has one of shape (layers,
    replicates, units x examples), `by_unit` one of shape (layers x replicates x units, examples), for each run of
    consecutive layers of equal width.
    """

    examples: int
    layers: list[Tensor]
    by_layer: list[Tensor]
    by_unit: list[Tensor]


class ActivationBuffers:
    """One signal of every hidden layer, in `buffers` prepared for the latest batch.

    `shapes` has (layers, replicates, units) for each run of consecutive layers of equal width.
    """

    buffers: BatchBuffers

    def __init__(self, widths: Sequence[int], like: Tensor, replicates: int) -> None:
        """Allocate on demand, for layers of these widths; `like` gives device and precision."""
        self.widths, self.like, self.replicates = tuple(widths), like, replicates
        self.shapes = [(len(list(run)), replicates, width) for width, run in itertools.groupby(widths)]
        self._buffers_by_size: dict[int, BatchBuffers] = {}

    def prepare(self, examples: int) -> list[Tensor]:
        """Return the `layers` buffers for a batch of `examples`; their earlier content is overwritten."""
        if examples not in self._buffers_by_size:
            runs = [self.like.new_empty(*shape, examples) for shape in self.shapes]
            self._buffers_by_size[examples] = BatchBuffers(
                examples=examples,
                layers=[layer for run in runs for layer in run.unbind()],
                by_layer=[run.flatten(2) for run in runs],
                by_unit=[run.flatten(0, 2) for run in runs],
            )
        self.buffers = self._buffers_by_size[examples]
        return self.buffers.layers


SATURATION = 0.97
"""A tanh or sigmoid unit is saturated where the absolute value of its response, scaled to -1..1, is larger."""


class Hidden(Protocol):
    """Signals of the hidden layers in the latest pass, as StackModel has them."""

    @property
    def outputs(self) -> Sequence[Tensor]:
        """h_l of each layer."""

    @property
    def responses(self) -> ActivationBuffers:
        """The responses from which dead units are found."""

    @property
    def saturates(self) -> bool:
        """Whether a unit is dead if its response is large, rather than 0."""

    @property
    def responses_are_unipolar(self) -> bool:
        """Whether responses lie in 0..1."""


class ActivationRecorder:
    """Collects mean, standard deviation and dead fraction of every hidden layer and replicate over one epoch."""

    def __init__(self, model: Hidden) -> None:
        """Start an epoch."""
        self._model = model
        values, start = model.responses.like, 1.0 if model.saturates else 0.0
        self._responses = [values.new_full(shape, start) for shape in model.responses.shapes]
        self._by_unit = [known.view(-1) for known in self._responses]
        self._ones = values.new_empty(0)
        self._moments: list[Tensor] = []
        self._sizes: list[int] = []

    def note_responses(self) -> None:
        """Record which units respond in the latest batch: a dead unit does not respond in the whole epoch."""
        for known, run in zip(self._by_unit, self._model.responses.buffers.by_unit, strict=True):
            if self._model.saturates:
                torch.minimum(known, self._least_saturation(run), out=known)
            else:
                # The sum of a ReLU's responses is 0 if there is none; one product adds it to the earlier sum.
                known.addmv_(run, self._ones_for(run.shape[1]))

    def _ones_for(self, examples: int) -> Tensor:
        if len(self._ones) != examples:
            self._ones = self._ones.new_ones(examples)
        return self._ones

    def _least_saturation(self, run: Tensor) -> Tensor:
        if self._model.responses_are_unipolar:
            return (run - 0.5).abs_().amin(1).mul_(2)
        return run.abs().amin(1)

    def note_moments(self) -> None:
        """Record mean and norm of h_l over the units and examples of the latest batch."""
        for output in self._model.outputs:
            self._moments.append(output.mean((1, 2)))
            self._moments.append(torch.linalg.vector_norm(output, dim=(1, 2)))
            self._sizes.append(output[0].numel())

    def columns(self) -> list[NDArray[np.float64]]:
        """Return mean and standard deviation of h_l and the dead fraction, each (layers, replicates).

        Standard deviations below a thousandth of the mean are lost to rounding.
        """
        layers = len(self._model.outputs)
        if not layers:
            return [np.empty((0, self._model.responses.replicates))] * 3
        moments = torch.stack(self._moments).cpu().numpy().astype(float)
        means, norms = moments.reshape(-1, layers, 2, moments.shape[1]).transpose(2, 0, 1, 3)
        squares = norms**2 / np.reshape(self._sizes, (-1, layers, 1))
        mean = means.mean(0)
        std = np.sqrt(np.maximum(squares.mean(0) - mean**2, 0.0))
        return [mean, std, self._dead_fraction()]

    def _dead_fraction(self) -> NDArray[np.float64]:
        runs = [known.cpu().numpy() for known in self._responses]
        dead = [run > SATURATION if self._model.saturates else run == 0 for run in runs]
        return np.concatenate([run.mean(2) for run in dead])
