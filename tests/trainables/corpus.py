"""A small corpus with two classes, drawn from made-up words, for tests of what is fitted to texts."""

import numpy as np

from trainables.data.dataset import Dataset
from trainables.data.text_counts import TextCounts

NUM_TEXTS = 120
NUM_FEATURES = 30


def texts(seed: int = 0) -> tuple[list[str], list[int]]:
    """Return texts of 0 to 40 words and their classes; each class prefers words of its own."""
    generator = np.random.default_rng(seed)
    words = np.array([f"w{number:02}" for number in range(40)])
    targets = [number % 2 for number in range(NUM_TEXTS)]
    weights = [np.linspace(1, 3, 40), np.linspace(3, 1, 40)]
    drawn = [
        generator.choice(words, generator.integers(0, 41), p=weights[target] / weights[target].sum())
        for target in targets
    ]
    return [" ".join(each) for each in drawn], targets


def corpus(written: list[str], targets: list[int], num_features: int = NUM_FEATURES) -> Dataset:
    """Return these texts as a dataset."""
    return Dataset(
        name="corpus",
        about="made-up words",
        licence="made up",
        inputs=np.zeros((len(written), 0), np.float32),
        targets=np.array(targets),
        classes=("low", "high"),
        texts=TextCounts.of(written, num_features=num_features),
    )
