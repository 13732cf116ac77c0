"""A study file with data and networks of its own, as a user writes one, for tests to break in one place each."""

from pathlib import Path

GOOD = """\
from studies.study import Confirm, Search, Study
import numpy as np
from torch import nn

STUDY = Study(
    question="Do units help?",
    hyperparameters={"units": 4, "gain": 1.0},
    factors={"units": (4, 8), "dropout": (0.0, 0.5)},
    nuisances={"learning_rate": {"low": 1e-3, "high": 1e-1, "log": True}},
    fixed={"gain": 2, "batch_size": 16},
    replicates=3,
    search=Search(trials_per_cell=2, rungs=(1, 3)),
    confirm=Confirm(epochs=3),
)


def load():
    inputs = np.random.default_rng(0).normal(size=(90, 2, 3))
    return inputs, np.where(inputs[:, 0, 0] > 0, "up", "down")


def build(hyperparameters, input_shape, num_classes):
    units = round(hyperparameters.units * hyperparameters.gain)
    return nn.Sequential(
        nn.Flatten(),
        nn.Linear(6, units),
        nn.ReLU(),
        nn.Dropout(hyperparameters.dropout),
        nn.Linear(units, num_classes),
    )
"""


def write(folder: Path, *changes: tuple[str, str]) -> Path:
    """Write the file with some of its text changed, and return its path."""
    text = GOOD
    for old, new in changes:
        assert old in text, old
        text = text.replace(old, new)
    path = folder / "own.py"
    path.write_text(text)
    return path
