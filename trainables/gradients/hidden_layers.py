"""Finds the hidden layers of a network, and where their outputs are read, from one forward pass."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils.hooks import RemovableHandle

NORMS = (nn.LayerNorm, nn.RMSNorm, nn.GroupNorm)
"""Normalization modules, whose scales may have two dimensions without being a layer's weights."""

CONVOLUTIONS = (nn.Conv1d, nn.Conv2d, nn.Conv3d, nn.ConvTranspose1d, nn.ConvTranspose2d, nn.ConvTranspose3d)
"""Modules that read channels from the axis after the examples; others read units from the last axis."""


@dataclass(frozen=True, kw_only=True)
class HiddenLayer:
    """A module with weights, its dotted name, and where its output h_l is observed.

    `weights` are its parameters with two or more dimensions. h_l is tensor number `place` among the inputs of the
    module `reader` when that first runs in a pass. It has `size` values per example: `units`, times the positions of an
    image or a sequence. If it `reads_channels`, units are the axis after the examples, else the last one.
    """

    name: str
    weights: tuple[str, ...]
    reader: str
    place: int
    size: int
    units: int
    reads_channels: bool


@dataclass(kw_only=True)
class _Run:
    """The first run of a module: its input tensors, their graph nodes, and the graph nodes of its outputs."""

    given: list[Tensor]
    read_from: list[Any]
    made: list[Any] = field(default_factory=list)


def find_hidden_layers(module: nn.Module, runs: Mapping[str, _Run], examples: int) -> tuple[HiddenLayer, ...]:
    """Return the hidden layers in the order in which they first ran.

    A layer is a module with trained parameters of two or more dimensions (Linear, Conv, Embedding, attention; not
    normalization) that contains no other such module that ran. It is hidden if another layer reads its output, even
    through other modules: so activation, normalization, dropout, pooling and skips belong to the layer before them.
    """
    names = _innermost(runs)
    readers = [(name, _ancestors(tensor), place) for name in names for place, tensor in _read(runs[name])]
    modules, taken = dict(module.named_modules()), set[str]()
    layers = []
    for number, name in enumerate(names):
        weights = tuple(weight for weight in _weights(modules[name], name) if weight not in taken)
        later = set(names[number + 1 :])
        read = next(
            ((by, place) for by, past, place in readers if by in later and past & set(runs[name].made)), None
        )
        if read is None or not weights:
            continue
        taken |= set(weights)
        layers.append(_layer(name, weights, *read, runs, modules, examples))
    return tuple(layers)


def _layer(
    name: str,
    weights: tuple[str, ...],
    reader: str,
    place: int,
    runs: Mapping[str, _Run],
    modules: Mapping[str, nn.Module],
    examples: int,
) -> HiddenLayer:
    reads_channels = isinstance(modules[reader], CONVOLUTIONS)
    output = by_example(runs[reader].given[place], examples, name, reads_channels=reads_channels)
    return HiddenLayer(
        name=name,
        weights=weights,
        reader=reader,
        place=place,
        size=output[0].numel(),
        units=output.shape[1 if reads_channels else -1],
        reads_channels=reads_channels,
    )


def by_example(tensor: Tensor, examples: int, layer: str, *, reads_channels: bool) -> Tensor:
    """Return a tensor with the axis of examples first and, if its reader `reads_channels`, that of channels second.

    Windows, patches or frames that a network merges with the axis of examples count as positions of an example. Raises
    ValueError if there is no axis of examples.
    """
    if tensor.ndim == 1 and len(tensor) == examples:
        return tensor.unsqueeze(1)
    if tensor.ndim > 1 and tensor.shape[0] % examples == 0:
        parts = tensor.shape[0] // examples
        if parts == 1:
            return tensor
        split = tensor.reshape(examples, parts, *tensor.shape[1:])
        return split.transpose(1, 2) if reads_channels else split
    if tensor.ndim > 2 and tensor.shape[1] == examples and not reads_channels:
        return tensor.transpose(0, 1)
    raise ValueError(
        f"what follows layer {layer} has shape {tuple(tensor.shape)} for {examples} examples: its first axis must be "
        "that of the examples"
    )


@contextmanager
def watching_runs(module: nn.Module) -> Iterator[dict[str, _Run]]:
    """Record the first run of each layer of `module` in a pass made inside the context, in order."""
    runs: dict[str, _Run] = {}
    handles: list[RemovableHandle] = []
    for name, child in module.named_modules():
        # The network itself, whose name is empty, is never a hidden layer.
        if name and any(_weights(child, name)) and not isinstance(child, NORMS):
            handles += _watch(child, name, runs)
    try:
        yield runs
    finally:
        for handle in handles:
            handle.remove()


def _watch(child: nn.Module, name: str, runs: dict[str, _Run]) -> list[RemovableHandle]:
    def before(_: nn.Module, args: Any, kwargs: Any) -> None:
        if name not in runs:
            given = list(tensors((args, kwargs)))
            runs[name] = _Run(given=given, read_from=[tensor.grad_fn for tensor in given])

    def after(_: nn.Module, __: Any, made: Any) -> None:
        if name in runs and not runs[name].made:
            runs[name].made = [tensor.grad_fn for tensor in tensors(made) if tensor.grad_fn is not None]

    return [
        child.register_forward_pre_hook(before, with_kwargs=True),
        child.register_forward_hook(after),
    ]


def tensors(value: object) -> Iterator[Tensor]:
    """Yield the tensors in nested tuples, lists and mappings, in order."""
    if isinstance(value, Tensor):
        yield value
    elif isinstance(value, Mapping):
        yield from tensors(list(value.values()))
    elif isinstance(value, list | tuple):
        for part in value:
            yield from tensors(part)


def _weights(module: nn.Module, name: str) -> Iterator[str]:
    """Yield the full names of the module's trained parameters with two or more dimensions."""
    for inner, child in module.named_modules(prefix=name):
        if not isinstance(child, NORMS):
            for leaf, parameter in child.named_parameters(recurse=False):
                if parameter.requires_grad and parameter.ndim > 1:
                    yield f"{inner}.{leaf}".lstrip(".")


def _innermost(runs: Mapping[str, _Run]) -> list[str]:
    """Return the modules that ran and contain no other module that ran."""
    return [name for name in runs if not any(other.startswith(f"{name}.") for other in runs)]


def _read(run: _Run) -> Iterable[tuple[int, Any]]:
    return ((place, node) for place, node in enumerate(run.read_from) if node is not None)


def _ancestors(node: Any) -> set[Any]:
    """Return every graph node from which `node` was computed, itself included."""
    found, waiting = {node}, [node]
    while waiting:
        for earlier, _ in waiting.pop().next_functions:
            if earlier is not None and earlier not in found:
                found.add(earlier)
                waiting.append(earlier)
    return found


def layers_of(module: nn.Module, inputs: Sequence[Any], examples: int) -> tuple[HiddenLayer, ...]:
    """Return the hidden layers of `module`, found with one pass over `inputs` in training mode."""
    module.train()
    with torch.enable_grad(), watching_runs(module) as runs:
        module(*inputs)
    return find_hidden_layers(module, runs, examples)
