"""Plain torch modules as a user writes them, and the plain training of one of them: what a stack must equal."""

import torch
from torch import Tensor, nn

from tests.trainables.twin import train_plain
from trainables.base.hyperparameters import Hyperparameters
from trainables.base.seeds import derive_seed
from trainables.data.stack_data import StackData


class Picture(nn.Module):
    """Two convolutions and two dense layers; `hidden` keeps h_l of the latest pass."""

    def __init__(self, hp: Hyperparameters, num_classes: int) -> None:
        """Have dropout, and batch norm where it is wanted."""
        super().__init__()
        self.first = nn.Conv2d(1, 4, 3)
        self.norm = nn.BatchNorm2d(4) if hp.batch_norm else nn.Identity()
        self.second = nn.Conv2d(4, 6, 3)
        self.dense = nn.Linear(6 * 2 * 2, 16)
        self.dropout = nn.Dropout(hp.dropout)
        self.output = nn.Linear(16, num_classes)
        self.hidden: list[Tensor] = []

    def forward(self, inputs: Tensor) -> Tensor:
        """Return logits (examples, classes) for pictures (examples, 8, 8)."""
        first = self.norm(self.first(inputs.unsqueeze(1))).relu()
        second = nn.functional.max_pool2d(self.second(first).relu(), 2).flatten(1)
        dense = self.dropout(self.dense(second).relu())
        self.hidden = [first, second, dense]
        logits: Tensor = self.output(dense)
        return logits


def build_picture(hp: Hyperparameters, input_shape: tuple[int, ...], num_classes: int) -> nn.Module:
    """Build as a user's study file does."""
    assert input_shape == (8, 8)
    return Picture(hp, num_classes)


def plain_picture(hp: Hyperparameters, seed: int) -> Picture:
    """Return the network that a replicate with this seed starts as."""
    with torch.random.fork_rng():
        torch.manual_seed(derive_seed(seed, "init"))
        return Picture(hp, 10)


def train_picture(
    picture: Picture, hp: Hyperparameters, data: StackData, *, replicate: int, seed: int, epochs: int
) -> list[tuple[float, float, float, float]]:
    """Train as any course does it, and return what `train_plain` returns."""
    network = nn.Sequential(nn.Unflatten(1, (8, 8)), picture)
    return train_plain(network, hp, data, replicate=replicate, seed=seed, epochs=epochs)
