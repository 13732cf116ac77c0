"""Synthetic data: 1,000 samples of scikit-learn's `make_classification`, 20 features, two classes."""

import numpy as np
from sklearn.datasets import make_classification

from trainables.data.dataset import Dataset

NUM_SAMPLES, NUM_FEATURES = 1000, 20


def load() -> Dataset:
    """Return the samples, always the same; each block scales its columns by its own training part.

    Of the features 10 carry information, 5 are linear combinations of those and 5 are noise; 5 % of labels are random.
    """
    inputs, targets = make_classification(
        n_samples=NUM_SAMPLES,
        n_features=NUM_FEATURES,
        n_informative=10,
        n_redundant=5,
        flip_y=0.05,
        random_state=0,
    )
    return Dataset(
        name="synthetic",
        about="1,000 samples drawn by scikit-learn's make_classification, 20 features of which 10 carry information",
        licence="made up, free to use",
        # Rounded, because the last digits of matrix products differ between machines.
        inputs=inputs.round(4).astype(np.float32),
        targets=targets.astype(np.int64),
        classes=("0", "1"),
        groups=np.arange(NUM_FEATURES),
    )
