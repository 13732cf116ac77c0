"""A multilayer perceptron as a plain torch module, with the layers of one network of the stack (`models.mlp`)."""

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from trainables.base.hyperparameters import Hyperparameters

ACTIVATIONS: Mapping[str, type[nn.Module]] = {"relu": nn.ReLU, "tanh": nn.Tanh, "sigmoid": nn.Sigmoid}

_NAMES: Mapping[str, str] = {
    "weight": "linear.weight",
    "bias": "linear.bias",
    "scale": "norm.weight",
    "shift": "norm.bias",
    "running_mean": "norm.running_mean",
    "running_variance": "norm.running_var",
    "factor": "factor",
}


class PlainMLP(nn.Module):
    """Hidden blocks and a linear output: (examples, ...) to logits (examples, classes); inputs are flattened."""

    def __init__(self, hp: Hyperparameters, num_features: int, num_classes: int) -> None:
        """Make the layers, with torch's own initialisation."""
        super().__init__()
        into = (num_features, *hp.widths)
        self.blocks = nn.ModuleList(
            PlainBlock(hp, before, units) for before, units in zip(into, hp.widths, strict=False)
        )
        self.output = nn.Linear(into[-1], num_classes)

    def forward(self, inputs: Tensor) -> Tensor:
        """Return logits."""
        signal = inputs.flatten(1)
        for block in self.blocks:
            signal = block(signal)
        logits: Tensor = self.output(signal)
        return logits


class PlainBlock(nn.Module):
    """Linear, optional batch norm, activation, dropout, and the skip where its width is that of its input."""

    def __init__(self, hp: Hyperparameters, into: int, units: int) -> None:
        """Map `into` features to `units`. The first block has no skip: its input is the example."""
        super().__init__()
        self.linear = nn.Linear(into, units, bias=not hp.batch_norm)
        self.norm = nn.BatchNorm1d(units) if hp.batch_norm else nn.Identity()
        self.activation = ACTIVATIONS[hp.activation]()
        self.dropout = nn.Dropout(hp.dropout)
        self.skip = "none"
        self.branch_factor = hp.depth**-0.5 if hp.residual == "scaled" else 1.0

    def add_skip(self, residual: str) -> None:
        """Add the block's input to its output; the factor of its branch is learnt where `residual` is "zero"."""
        self.skip = residual
        if residual == "zero":
            self.factor = nn.Parameter(torch.zeros(1))

    def forward(self, inputs: Tensor) -> Tensor:
        """Return the block's output, shape (examples, units)."""
        branch: Tensor = self.dropout(self.activation(self.norm(self.linear(inputs))))
        if self.skip == "none":
            return branch
        return inputs + (self.factor if self.skip == "zero" else self.branch_factor) * branch


def build_plain(hp: Hyperparameters, input_shape: tuple[int, ...], num_classes: int) -> nn.Module:
    """Return the module for examples of `input_shape`."""
    num_features = 1
    for size in input_shape:
        num_features *= size
    made = PlainMLP(hp, num_features, num_classes)
    if hp.residual != "none":
        for index, block in enumerate(made.blocks):
            if index and hp.widths[index] == hp.widths[index - 1]:
                assert isinstance(block, PlainBlock)
                block.add_skip(hp.residual)
    return made


def plain_state(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return the module's state, given that of one network of the stack."""
    made: dict[str, Tensor] = {}
    for name, value in state.items():
        if not name.startswith("blocks."):
            made[name] = value
            continue
        block, index, last = name.split(".")
        made[f"{block}.{index}.{_NAMES[last]}"] = value
        if last == "running_mean":
            made[f"{block}.{index}.norm.num_batches_tracked"] = torch.tensor(0)
    return made
