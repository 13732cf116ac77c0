"""Compiles the kernels, or loads them, before a first trial: `python -m trainables.training.kernel_cache`."""

from __future__ import annotations

import numpy as np
import torch

from trainables.base.hyperparameters import Hyperparameters
from trainables.data.stack_data import StackData
from trainables.kernels import cache, compiling
from trainables.training.loop import train
from trainables.training.stack import Stack

NUM_ROWS = 8


def make_ready(model: str = "mlp") -> None:
    """Have every kernel in memory that training a stack of `model` calls, if it has any.

    The first process of a machine compiles for all.
    """
    if model not in cache.MODELS or not compiling.are_on():
        return
    generator = np.random.default_rng(0)
    rows = torch.arange(NUM_ROWS).unsqueeze(0)
    data = StackData(
        inputs=torch.from_numpy(generator.standard_normal((NUM_ROWS, 2), np.float32)),
        targets=rows[0] % 2,
        train=rows,
        validation=rows,
        test=rows,
        num_classes=2,
    )
    stack = Stack.make("mlp", Hyperparameters(depth=1, width=2, batch_size=NUM_ROWS), data, seeds=[0])
    with cache.filling():
        for _ in train(stack, epochs=1):
            pass


if __name__ == "__main__":
    make_ready()
