"""Models, one file each, named after the model.

A file defines `build()`, which makes a stack of replicates, or `build_module()`, which makes one replicate as a plain
torch module, and `num_values()`, which estimates the memory of one. Beside `build()` it defines `build_plain()`, one
network as a plain module of the same layers, and `plain_state()`, that module's state from one of the stack's networks.
It may define `misfits()`, which yields why a study
cannot train the model on inputs of a shape.
"""

from __future__ import annotations

import sys
from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING, Any, cast

from trainables.base import registry
from trainables.base.hyperparameters import Hyperparameters

if TYPE_CHECKING:  # naming the models must not wait for torch
    import torch

    from trainables.base.mask_generator import RandomWords
    from trainables.networks.module_stack import BuildModule
    from trainables.networks.stack_model import StackModel


def names() -> tuple[str, ...]:
    """Return the names of all models."""
    return registry.module_names(sys.modules[__name__])


def plain_build(name: str) -> BuildModule | None:
    """Return the function that builds one replicate of model `name` as a plain module; None if it has a stacked form.

    Raises ValueError as `build` does.
    """
    return cast("BuildModule", _module(name).build_module) if _defines(name, "build_module") else None


def plain_module(
    name: str, hyperparameters: Hyperparameters, input_shape: tuple[int, ...], num_classes: int
) -> torch.nn.Module:
    """Return a network of the model as a plain module: (examples, *input_shape) to logits (examples, classes).

    Raises ValueError as `build`.
    """
    build = plain_build(name) or _module(name).build_plain
    return cast("torch.nn.Module", build(hyperparameters, input_shape, num_classes))


def saved_module(
    name: str,
    hyperparameters: Hyperparameters,
    input_shape: tuple[int, ...],
    num_classes: int,
    state: Mapping[str, torch.Tensor],
) -> torch.nn.Module:
    """Return a trained network as `plain_module` does, in evaluation mode, from the state that a trial kept.

    Raises RuntimeError, as torch does, where the state is that of another network.
    """
    module = plain_module(name, hyperparameters, input_shape, num_classes)
    convert = getattr(_module(name), "plain_state", None)
    module.load_state_dict(state if convert is None else convert(state))
    return module.eval()


def misfits(name: str, stated: Mapping[str, Collection[object]], input_shape: tuple[int, ...]) -> list[str]:
    """Return why the model called `name` cannot be trained on inputs of this shape, one line for each reason.

    `stated` has every value that the study uses for each hyperparameter, defaults included.
    """
    return list(_module(name).misfits(stated, input_shape)) if _defines(name, "misfits") else []


def num_values(name: str, hyperparameters: Hyperparameters, input_shape: tuple[int, ...]) -> int:
    """Return about how many numbers are kept to train one network of the model, to compare its memory with others'."""
    return cast(int, _module(name).num_values(hyperparameters, input_shape))


def _defines(name: str, function: str) -> bool:
    """Return whether a model has a function; a driver that only asks this does without torch."""
    return registry.defines(sys.modules[__name__], name, "model", function)


def _module(name: str) -> Any:
    return registry.find_module(sys.modules[__name__], name, "model")


def build(
    name: str,
    hyperparameters: Hyperparameters,
    *,
    num_features: int,
    num_classes: int,
    init_seeds: Sequence[int],
    words: RandomWords,
    device: torch.device,
    dtype: torch.dtype,
) -> StackModel:
    """Build a stack of the model called `name`, one replicate for each seed; `words` drive dropout.

    `dtype` is that of the inputs, and of everything computed from them.

    Raises ValueError that lists the names if there is none of that name.
    """
    model = _module(name).build(
        hyperparameters,
        num_features=num_features,
        num_classes=num_classes,
        init_seeds=init_seeds,
        words=words,
        device=device,
        dtype=dtype,
    )
    return cast("StackModel", model)
