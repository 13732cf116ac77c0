"""Does shrinkage help a mean? A train() of one's own; changed, the file has another hash."""

import numpy as np

from studies.study import Confirm, Metric, Search, Study

STUDY = Study(
    question="Does shrinkage help?",
    hyperparameters={"shrinkage": 0.5, "rate": 0.5},
    metrics=(Metric(name="error", direction="min", unit="points", failure=9.0),),
    factors={"shrinkage": (0.1, 0.9)},
    nuisances={"rate": {"low": 0.1, "high": 0.9}},
    replicates=2,
    search=Search(trials_per_cell=3, rungs=(1, 3)),
    confirm=Confirm(epochs=3),
)


def load():
    """Return forty measurements about 3."""
    inputs = np.random.default_rng(0).normal(size=(40, 2))
    return inputs, 3.0 + inputs[:, 0]


def train(hyperparameters, data, seed):
    """Yield the error of a mean that is drawn to 0, a part of the way in each epoch."""
    estimate = np.random.default_rng(seed).normal()
    goal = float(data.train.targets.mean()) * (1 - hyperparameters.shrinkage / 10)
    for _ in range(data.epochs):
        estimate += hyperparameters.rate * (goal - estimate)
        row = {"train_error": float(np.abs(data.train.targets - estimate).mean())}
        row["val_error"] = float(np.abs(data.validation.targets - estimate).mean())
        if data.test is not None:
            row["test_error"] = float(np.abs(data.test.targets - estimate).mean())
        yield row
