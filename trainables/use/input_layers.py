"""The first layer of a saved network: what was fitted on the training part, as part of the module."""

from collections.abc import Mapping

import torch
from torch import Tensor, nn


class ScaledInputs(nn.Module):
    """Scales inputs (examples, *shape) by fixed means and factors, as in training; missing values (NaN) are filled."""

    def __init__(self, mean: Tensor, factor: Tensor, fill: Tensor | None) -> None:
        """Take one value for each feature; `fill` replaces NaN after scaling, None: no value may be missing."""
        super().__init__()
        self.mean, self.factor = nn.Buffer(mean.float()), nn.Buffer(factor.float())
        self.fill = None if fill is None else nn.Buffer(fill.float())

    def forward(self, inputs: Tensor) -> Tensor:
        """Return the scaled inputs, same shape."""
        scaled = (inputs.flatten(1) - self.mean) * self.factor
        if self.fill is not None:
            scaled = torch.where(torch.isnan(scaled), self.fill, scaled)
        return scaled.reshape(inputs.shape)


class TermCounts(nn.Module):
    """Turns counts of the vocabulary's terms (examples, terms) into TF-IDF features of length 1, as in training."""

    def __init__(self, weights: Tensor) -> None:
        """Take each term's idf, shape (terms,)."""
        super().__init__()
        self.weights = nn.Buffer(weights.float())

    def forward(self, inputs: Tensor) -> Tensor:
        """Return (1 + ln count) x idf for counts above 0, over the row's Euclidean length; a row of zeros stays."""
        values = (
            torch.where(inputs > 0, 1 + torch.log(inputs.clamp_min(1)), torch.zeros_like(inputs))
            * self.weights
        )
        length = values.square().sum(1, keepdim=True).sqrt()
        return values / length.clamp_min(1e-6)


class SavedNetwork(nn.Module):
    """A network with its input layer: raw inputs (examples, *shape), float32, to logits (examples, classes)."""

    def __init__(self, inputs: nn.Module, network: nn.Module) -> None:
        """Join the two."""
        super().__init__()
        self.inputs, self.network = inputs, network

    def forward(self, inputs: Tensor) -> Tensor:
        """Return logits."""
        logits: Tensor = self.network(self.inputs(inputs))
        return logits


SCALING, TEXTS = "scaling.", "texts."
"""Prefixes of what a trial keeps of a network's input beside its weights (`trainables.data.stack_data`)."""


def input_layer(state: Mapping[str, Tensor]) -> nn.Module:
    """Return the input layer from the state that a trial kept."""
    if f"{TEXTS}weights" in state:
        return TermCounts(state[f"{TEXTS}weights"])
    if f"{SCALING}mean" in state:
        return ScaledInputs(state[f"{SCALING}mean"], state[f"{SCALING}factor"], state.get(f"{SCALING}fill"))
    return nn.Identity()


def without_inputs(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return the network's own part of that state."""
    return {name: value for name, value in state.items() if not name.startswith((SCALING, TEXTS))}
