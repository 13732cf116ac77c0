"""A convolutional network: blocks of two 3x3 convolutions and a pooling, then two dense layers and the output.

Its replicates are plain torch modules side by side. On a CPU that is faster than one network with grouped convolutions
for all of them, for which torch does not use its fastest memory layout.
"""

import itertools
import math
from collections.abc import Collection, Iterator, Mapping

import torch
from torch import Tensor, nn

from trainables.base.hyperparameters import Hyperparameters
from trainables.networks.initialisation import draw_weights

ACTIVATIONS: Mapping[str, type[nn.Module]] = {"relu": nn.ReLU, "tanh": nn.Tanh, "sigmoid": nn.Sigmoid}

DENSE = (16, 8)
"""Units of the two dense layers, as multiples of the first block's channels: 512 and 256 for 32."""


def build_module(
    hyperparameters: Hyperparameters, input_shape: tuple[int, ...], num_classes: int
) -> nn.Module:
    """Build one network; `depth` counts blocks, and each has twice the channels of the one before.

    `width` is the first block's number of channels, or a tuple with every block's. `dropout` is that of the dense
    layers; a block has half of it after its pooling. Biases start at 0; a layer before a batch norm has none.
    Raises ValueError if `misfits` yields a reason.
    """
    stated = {name: [getattr(hyperparameters, name)] for name in ("depth", "residual")}
    for misfit in misfits(stated, input_shape):
        raise ValueError(misfit)
    network = Network(hyperparameters, input_shape, num_classes)
    _initialise(network, hyperparameters)
    return network


def misfits(stated: Mapping[str, Collection[object]], input_shape: tuple[int, ...]) -> Iterator[str]:
    """Yield why such a network cannot be trained; `stated` has the study's values of each hyperparameter."""
    if len(input_shape) not in (2, 3):
        yield f"model cnn needs images, (height, width) or (channels, height, width); inputs have shape {input_shape}"
        return
    height, width = input_shape[-2:]
    most = min(height, width).bit_length() - 1
    depths = [depth for depth in stated.get("depth", ()) if isinstance(depth, int) and depth > most]
    if depths:
        yield (
            f"depth counts a cnn's blocks, each of which halves the image: at most {most} for {height} x {width} "
            f"pixels; got {max(depths)}"
        )
    skips = [residual for residual in stated.get("residual", ()) if residual != "none"]
    if skips:
        yield f'residual must be "none" with model cnn, which has no skips; got "{skips[0]}"'


def channels_of(hyperparameters: Hyperparameters) -> tuple[int, ...]:
    """Return each block's number of channels.

    >>> channels_of(Hyperparameters(depth=3, width=32))
    (32, 64, 128)
    """
    width = hyperparameters.width
    return width if isinstance(width, tuple) else tuple(width * 2**k for k in range(hyperparameters.depth))


def num_values(hyperparameters: Hyperparameters, input_shape: tuple[int, ...]) -> int:
    """Return about how many numbers are kept to train one network, counted as in `trainables.networks.memory`."""
    hp, pixels = hyperparameters, math.prod(input_shape[-2:])
    channels = channels_of(hp)
    into = (math.prod(input_shape) // pixels, *channels)
    units = [channels[-1] * (pixels >> 2 * hp.depth), *(channels[0] * factor for factor in DENSE)]
    weights = sum(9 * out * (before + out) for before, out in zip(into, channels, strict=False))
    weights += sum(before * out for before, out in itertools.pairwise(units))
    outputs = sum(2 * out * (pixels >> 2 * block) for block, out in enumerate(channels))
    return weights + hp.batch_size * (math.prod(input_shape) + outputs + sum(units))


class Network(nn.Module):
    """The blocks, the dense layers and the output, in sequence."""

    def __init__(self, hp: Hyperparameters, input_shape: tuple[int, ...], num_classes: int) -> None:
        """Create the layers for images of `input_shape`."""
        super().__init__()
        height, width = input_shape[-2:]
        self._image_shape = (input_shape[0] if len(input_shape) == 3 else 1, height, width)
        channels = channels_of(hp)
        into = (self._image_shape[0], *channels)
        self.blocks = nn.Sequential(*(Block(hp, *ends) for ends in zip(into, channels, strict=False)))
        units = [channels[0] * factor for factor in DENSE]
        flat = channels[-1] * (height >> hp.depth) * (width >> hp.depth)
        self.dense = nn.Sequential(
            *(Dense(hp, *ends) for ends in zip((flat, *units), units, strict=False)),
        )
        self.output = nn.Linear(units[-1], num_classes)

    def forward(self, inputs: Tensor) -> Tensor:
        """Return logits (examples, classes) for images (examples, *input_shape)."""
        images = inputs.reshape(-1, *self._image_shape)
        if images.device.type == "cpu":
            # Convolutions there are up to a fifth faster with channels last, a layout that later layers keep.
            images = torch.empty_like(images, memory_format=torch.channels_last).copy_(images)
        logits: Tensor = self.output(self.dense(self.blocks(images).flatten(1)))
        return logits


class Block(nn.Sequential):
    """Two convolutions, each with activation and optional batch norm; then pooling and dropout."""

    def __init__(self, hp: Hyperparameters, into: int, out: int) -> None:
        """Map `into` channels to `out` channels of half the height and width."""
        super().__init__(
            *_convolution(hp, into, out),
            *_convolution(hp, out, out),
            nn.MaxPool2d(2),
            *_dropout(hp.dropout / 2),
        )


class Dense(nn.Sequential):
    """Linear, optional batch norm, activation and dropout."""

    def __init__(self, hp: Hyperparameters, into: int, out: int) -> None:
        """Map `into` units to `out` units."""
        norm = [nn.BatchNorm1d(out)] if hp.batch_norm else []
        super().__init__(
            nn.Linear(into, out, bias=not hp.batch_norm),
            *norm,
            ACTIVATIONS[hp.activation](),
            *_dropout(hp.dropout),
        )


def _convolution(hp: Hyperparameters, into: int, out: int) -> Iterator[nn.Module]:
    yield nn.Conv2d(into, out, 3, padding=1, bias=not hp.batch_norm)
    if hp.batch_norm:
        yield nn.BatchNorm2d(out)
    yield ACTIVATIONS[hp.activation]()


def _dropout(rate: float) -> Iterator[nn.Module]:
    if rate:
        yield Dropout(rate)


class Dropout(nn.Module):
    """Inverted dropout with masks from random integers of torch's generator, several times as fast as nn.Dropout.

    The rate is exact to 1/65,536, and the scale is that rate's inverse.
    """

    def __init__(self, rate: float) -> None:
        """Drop with probability `rate`, 0 < rate < 1."""
        super().__init__()
        self._kept = min(max(round((1 - rate) * 65536), 1), 65535)

    def forward(self, inputs: Tensor) -> Tensor:
        """Apply dropout in training mode; return the inputs otherwise."""
        if not self.training:
            return inputs
        words = torch.empty(-(-inputs.numel() // 4), dtype=torch.int64, device=inputs.device)
        words = words.random_(-(2**63), None).view(torch.int16)[: inputs.numel()]
        # With the memory layout of the inputs, so that the product needs no copy.
        mask = torch.empty_like(inputs)
        torch.lt(words, self._kept - 32768, out=mask.as_strided((inputs.numel(),), (1,)))
        return inputs * mask.mul_(65536 / self._kept)


@torch.no_grad()
def _initialise(network: Network, hp: Hyperparameters) -> None:
    """Draw the weights as an MLP's, a convolution's as the matrix of its products; the output layer has no gain."""
    layers = [layer for layer in network.modules() if isinstance(layer, nn.Conv2d | nn.Linear)]
    shapes = [(len(layer.weight), layer.weight[0].numel()) for layer in layers]
    seed = int(torch.randint(2**62, ()))
    drawn = draw_weights(shapes, init=hp.init, activation=hp.activation, seed=seed)
    for layer, weight in zip(layers, drawn, strict=True):
        gain = 1.0 if layer is network.output else hp.init_gain
        layer.weight.copy_(weight.view_as(layer.weight) * gain)
        if layer.bias is not None:
            layer.bias.zero_()
