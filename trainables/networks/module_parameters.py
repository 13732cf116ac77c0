"""The parameters of plain torch modules laid out as a stack's: the modules see theirs as before."""

import math
from collections.abc import Sequence

from torch import Tensor, nn

from trainables.gradients.hidden_layers import HiddenLayer
from trainables.networks.parameters import FlatParameters


def flatten_parameters(
    modules: Sequence[nn.Module], layers: Sequence[HiddenLayer], like: Tensor
) -> FlatParameters:
    """Return the trained parameters of all modules, whose own are views into it from now on.

    Those of each hidden layer lie together. Raises ValueError unless all modules have the same.
    """
    shapes = _shapes(modules)
    hidden_names = {name for layer in layers for name in layer.weights}
    flat = FlatParameters(
        {layer.name: (sum(math.prod(shapes[name]) for name in layer.weights),) for layer in layers},
        {name: shape for name, shape in shapes.items() if name not in hidden_names},
        replicates=len(modules),
        device=like.device,
        dtype=like.dtype,
    )
    places = {layer.name: layer.weights for layer in layers}
    places |= {name: (name,) for name in shapes if name not in hidden_names}
    for replicate, module in enumerate(modules):
        own = dict(module.named_parameters())
        for place, names in places.items():
            _make_views(
                [own[name] for name in names], flat.value(place)[replicate], flat.gradient(place)[replicate]
            )
    return flat


def _make_views(parameters: Sequence[nn.Parameter], values: Tensor, gradients: Tensor) -> None:
    """Move parameters into `values`, one after the other, and their gradients into `gradients`."""
    start = 0
    for parameter in parameters:
        end = start + parameter.numel()
        view = values.reshape(-1)[start:end].view(parameter.shape)
        parameter.data = view.copy_(parameter.data)
        parameter.grad = gradients.reshape(-1)[start:end].view(parameter.shape)
        start = end


def _shapes(modules: Sequence[nn.Module]) -> dict[str, tuple[int, ...]]:
    """Return the shapes of the trained parameters by name; raise ValueError unless all modules have the same."""
    first, *others = [
        {name: tuple(p.shape) for name, p in module.named_parameters() if p.requires_grad}
        for module in modules
    ]
    if not first:
        raise ValueError("build() returned a module without parameters to train")
    for other in others:
        differing = sorted({*first.items()} ^ {*other.items()})
        if differing:
            raise ValueError(
                f"build() must return modules of one form, whatever the seed; parameter {differing[0][0]} differs"
            )
    return first
