"""Rows to compare: two numbers and a category with a model's probabilities, for tests of drift."""

import numpy as np
from numpy.typing import NDArray

from trainables.use.monitoring.reference import ColumnGroup, Reference

NAMES = ("age", "size", "town=A", "town=B", "town=C")
GROUPS = (
    ColumnGroup(name="age", kind="number", first=0, last=0),
    ColumnGroup(name="size", kind="number", first=1, last=1),
    ColumnGroup(name="town", kind="category", first=2, last=4),
)
Rows = tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.int64]]


def sample(
    num: int, seed: int, *, unit: float = 1.0, gaps: float = 0.0, town: tuple[float, ...] = (0.6, 0.3, 0.1)
) -> Rows:
    """Return features, probabilities and targets of `num` rows."""
    random = np.random.default_rng(seed)
    age, size = random.integers(18, 90, num).astype(float), random.normal(170, 10, num)
    probability = 1 / (1 + np.exp(-(size - 170) / 10))
    targets = (random.random(num) < probability).astype(np.int64)
    age[random.random(num) < gaps] = np.nan
    towns = np.eye(3)[random.choice(3, num, p=town)]
    features = np.concatenate([np.stack([age, size * unit], axis=1), towns], axis=1).astype(np.float32)
    return features, np.stack([1 - probability, probability], axis=1).astype(np.float32), targets


def reference(num: int = 1_000, seed: int = 0) -> Reference:
    """Return a reference of such rows."""
    features, probabilities, targets = sample(num, seed)
    return Reference.of(
        kind="table",
        features=features,
        probabilities=probabilities,
        targets=targets,
        names=NAMES,
        groups=GROUPS,
        classes=("no", "yes"),
    )
