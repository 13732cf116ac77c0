"""A multilayer perceptron: blocks of Linear, BatchNorm, activation, Dropout and skip, then a linear output."""

import math
from collections.abc import Sequence

import torch
from torch import Tensor

from trainables.base.hyperparameters import Hyperparameters
from trainables.base.mask_generator import RandomWords
from trainables.gradients.activations import ActivationBuffers
from trainables.kernels import compiling, layout
from trainables.networks import memory, plain_mlp
from trainables.networks.compiled_mlp import CompiledMLP
from trainables.networks.initialisation import draw_weights
from trainables.networks.layers import ACTIVATIONS, BatchNorm, Dropout, ReLU
from trainables.networks.mixed_precision import linear_of
from trainables.networks.parameters import FlatParameters
from trainables.networks.residual import FixedSkip, LearntSkip, Skip
from trainables.networks.stack_model import StackModel


def build(
    hyperparameters: Hyperparameters,
    *,
    num_features: int,
    num_classes: int,
    init_seeds: Sequence[int],
    words: RandomWords,
    device: torch.device,
    dtype: torch.dtype,
) -> "MLP":
    """Build a stack of MLPs; biases start at 0, and a layer before a batch norm has none.

    The output layer is drawn like the hidden ones, but without `init_gain`.
    """
    hp = hyperparameters
    widths = (num_features, *hp.widths)
    hidden = list(zip(widths[1:], widths[:-1], strict=True))
    parameters = FlatParameters(
        {f"blocks.{index}.weight": shape for index, shape in enumerate(hidden)},
        _other_shapes(num_classes, hp),
        replicates=len(init_seeds),
        device=device,
        dtype=dtype,
    )
    for replicate, seed in enumerate(init_seeds):
        drawn = draw_weights(
            [*hidden, (num_classes, widths[-1])], init=hp.init, activation=hp.activation, seed=seed
        )
        for index, weight in enumerate(drawn[:-1]):
            parameters.value(f"blocks.{index}.weight")[replicate] = weight * hp.init_gain
        parameters.value("output.weight")[replicate] = drawn[-1]
    blocks = [Block(parameters, index, hp, words) for index in range(hp.depth)]
    compiled = None
    has_kernels = hp.precision == "float32" and hp.activation in layout.ACTIVATIONS
    if compiling.are_on() and device.type == "cpu" and has_kernels:
        compiled = CompiledMLP(
            parameters,
            [block.norm for block in blocks],
            [block.skip for block in blocks],
            hp,
            num_features=num_features,
            num_classes=num_classes,
            first_place=words.first,
        )
    return MLP(parameters, blocks, hp, compiled)


build_plain, plain_state = plain_mlp.build_plain, plain_mlp.plain_state


def num_values(hyperparameters: Hyperparameters, input_shape: tuple[int, ...]) -> int:
    """Return about how many numbers are kept to train one network."""
    return memory.num_values(hyperparameters, math.prod(input_shape))


def _other_shapes(num_classes: int, hp: Hyperparameters) -> dict[str, tuple[int, ...]]:
    """Return the shapes of all parameters but the hidden layers' weights."""
    shapes: dict[str, tuple[int, ...]] = {}
    for index, units in enumerate(hp.widths):
        for name in ("scale", "shift") if hp.batch_norm else ("bias",):
            shapes[f"blocks.{index}.{name}"] = (units, 1)
        if hp.residual == "zero" and _has_skip(hp, index):
            shapes[f"blocks.{index}.factor"] = (1, 1)
    return shapes | {"output.weight": (num_classes, hp.widths[-1]), "output.bias": (num_classes, 1)}


def _has_skip(hp: Hyperparameters, index: int) -> bool:
    return hp.residual != "none" and index > 0 and hp.widths[index] == hp.widths[index - 1]


def _skip(parameters: FlatParameters, index: int, hp: Hyperparameters) -> Skip | None:
    if not _has_skip(hp, index):
        return None
    match hp.residual:
        case "plain":
            return FixedSkip(1.0)
        case "scaled":
            return FixedSkip(hp.depth**-0.5)
        case "zero":
            name = f"blocks.{index}.factor"
            return LearntSkip(parameters.value(name), parameters.gradient(name))
    raise ValueError(f"unknown residual {hp.residual!r} (choices: none, plain, scaled, zero)")


class Block:
    """Linear, optional batch norm, activation, dropout, and the skip if there is one."""

    def __init__(
        self, parameters: FlatParameters, index: int, hp: Hyperparameters, words: RandomWords
    ) -> None:
        """Take the views of block `index`'s parameters."""
        value, gradient, name = parameters.value, parameters.gradient, f"blocks.{index}"
        bias, norm = None, None
        if hp.batch_norm:
            scale, shift = f"{name}.scale", f"{name}.shift"
            value(scale).fill_(1.0)
            norm = BatchNorm(value(scale), gradient(scale), value(shift), gradient(shift))
        else:
            bias = f"{name}.bias"
        self.linear = linear_of(hp)(
            value(f"{name}.weight"),
            gradient(f"{name}.weight"),
            None if bias is None else value(bias),
            None if bias is None else gradient(bias),
        )
        self.norm: BatchNorm | None = norm
        self.activation: ReLU = ACTIVATIONS[hp.activation]()
        self.dropout = Dropout(hp.dropout, words)
        self.skip = _skip(parameters, index, hp)
        # A unit that passes its input on is not dead, so its output is its response.
        self._responds_by_output = self.skip is not None and hp.activation == "relu"

    def forward(self, inputs: Tensor, *, training: bool, response: Tensor | None = None) -> Tensor:
        """Return h_l, shape (replicates, units, examples); write the responses for dead units to `response`."""
        signal = self.linear.forward(inputs, training=training)
        if self.norm is not None:
            signal = self.norm.forward(signal, training=training)
        activated = self.activation.forward(
            signal, training=training, out=None if self._responds_by_output else response
        )
        branch = self.dropout.forward(activated, training=training)
        if self.skip is None:
            return branch
        return self.skip.forward(inputs, branch, out=response if self._responds_by_output else None)

    def backward(self, delta: Tensor, *, out: Tensor | None) -> None:
        """Store the parameters' gradients and write dL/d(input) to `out`, None for the first block."""
        gradient = delta
        if self.skip is not None:
            gradient = self.skip.backward(gradient)
        gradient = self.activation.backward(self.dropout.backward(gradient))
        if self.norm is not None:
            gradient = self.norm.backward(gradient)
        if out is None:
            self.linear.backward_parameters(gradient)
            return
        self.linear.backward(gradient, out=out)
        if self.skip is not None:
            out.add_(delta)


class MLP(StackModel):
    """Hidden blocks and a linear output, for every replicate at once.

    `compiled` are the same networks in compiled kernels, None where there are none: then torch's operations evaluate.
    """

    def __init__(
        self,
        parameters: FlatParameters,
        blocks: Sequence[Block],
        hp: Hyperparameters,
        compiled: CompiledMLP | None = None,
    ) -> None:
        """Combine the blocks with an output layer."""
        self.compiled = compiled
        self.parameters, self.blocks = parameters, blocks
        self.outputs: list[Tensor] = []
        self.responses = ActivationBuffers(hp.widths, parameters.values, parameters.replicates)
        self.deltas = ActivationBuffers(hp.widths, parameters.values, parameters.replicates)
        self.saturates = hp.activation != "relu"
        self.responses_are_unipolar = hp.activation == "sigmoid"
        value, gradient = parameters.value, parameters.gradient
        self._output = linear_of(hp)(
            value("output.weight"), gradient("output.weight"), value("output.bias"), gradient("output.bias")
        )

    def forward(self, inputs: Tensor, *, training: bool) -> Tensor:
        """Return logits (replicates, classes, examples) for inputs (replicates, examples, features)."""
        if not training and self.compiled is not None:
            return self.compiled.logits(inputs)
        signal = inputs.transpose(1, 2)
        if not training:
            for block in self.blocks:
                signal = block.forward(signal, training=False)
            return self._output.forward(signal, training=False)
        self.outputs = []
        for block, response in zip(self.blocks, self.responses.prepare(inputs.shape[1]), strict=True):
            signal = block.forward(signal, training=True, response=response)
            self.outputs.append(signal)
        return self._output.forward(signal, training=True)

    def backward(self, gradient: Tensor) -> None:
        """Store every parameter's gradient, from the last layer to the first."""
        deltas = self.deltas.prepare(gradient.shape[2])
        self._output.backward(gradient, out=deltas[-1])
        for index in reversed(range(len(self.blocks))):
            self.blocks[index].backward(deltas[index], out=deltas[index - 1] if index else None)

    def track_statistics(self, tracking: bool) -> None:
        """Switch the update of the batch norms' running statistics on or off."""
        for block in self.blocks:
            if block.norm is not None:
                block.norm.tracking = tracking

    def buffers(self) -> dict[str, Tensor]:
        """Return the batch norms' running statistics, with names such as `blocks.0.running_mean`."""
        return {
            f"blocks.{index}.{name}": getattr(block.norm, name)
            for index, block in enumerate(self.blocks)
            if block.norm is not None
            for name in ("running_mean", "running_variance")
        }

    def state_dict(self, replicate: int) -> dict[str, Tensor]:
        """Return one replicate's state: `blocks.0.weight`, `blocks.0.running_mean`, `output.bias` and so on."""
        state = {name: self.parameters.value(name) for name in self.parameters.names} | self.buffers()
        one = {name: tensor[replicate].clone() for name, tensor in state.items()}
        return {name: tensor if name.endswith("weight") else tensor.flatten() for name, tensor in one.items()}
