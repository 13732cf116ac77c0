"""The stacks whose training is timed: ten replicates on the digits, as a trial of depth_study trains them."""

import torch

from tests.benchmarks.contenders.networks import BATCH_SIZE, WIDTH
from trainables import datasets
from trainables.base.hyperparameters import Hyperparameters
from trainables.data.splits import split_block
from trainables.data.stack_data import StackData

REPLICATES = 10


def prepare_thread() -> None:
    """Compute as a worker does that has one core: on one thread, without subnormal numbers."""
    torch.set_num_threads(1)
    torch.set_flush_denormal(True)


def digits(replicates: int = REPLICATES) -> StackData:
    """Return the digits with one split for each replicate."""
    dataset = datasets.load("digits")
    splits = [split_block(dataset.targets, seed=0, block=block) for block in range(replicates)]
    return StackData.make(dataset, splits, torch.device("cpu"))


def hyperparameters(
    *, depth: int, batch_norm: bool, dropout: float, optimizer: str = "adam"
) -> Hyperparameters:
    """Return a configuration of depth_study."""
    return Hyperparameters(
        depth=depth,
        batch_norm=batch_norm,
        dropout=dropout,
        optimizer=optimizer,
        learning_rate=1e-3,
        width=WIDTH,
        batch_size=BATCH_SIZE,
    )
