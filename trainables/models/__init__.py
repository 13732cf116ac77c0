"""Models, one file each: `build()` in the file that bears the model's name makes a stack of replicates."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, cast

from trainables import discovery
from trainables.hyperparameters import Hyperparameters

if TYPE_CHECKING:  # naming the models must not wait for torch
    import torch

    from trainables.random_words import RandomWords
    from trainables.stack_model import StackModel


def names() -> tuple[str, ...]:
    """Return the names of all models."""
    return discovery.module_names(sys.modules[__name__])


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
    module = discovery.find_module(sys.modules[__name__], name, "model")
    model = module.build(
        hyperparameters,
        num_features=num_features,
        num_classes=num_classes,
        init_seeds=init_seeds,
        words=words,
        device=device,
        dtype=dtype,
    )
    return cast("StackModel", model)
