"""Does shrinking help a linear model of diabetes? A study file with a training loop and metrics of its own."""

from collections.abc import Iterator
from typing import Any

import numpy as np
from sklearn.datasets import load_diabetes

from studies.study import Confirm, Metric, Search, Study


def load() -> dict[str, Any]:
    inputs, targets = load_diabetes(return_X_y=True)
    return {"inputs": inputs, "targets": targets, "scale": True, "about": "progression after a year"}


def train(hyperparameters: Any, data: Any, seed: int) -> Iterator[dict[str, float]]:
    mean = data.train.targets.mean()
    weights = np.random.default_rng(seed).normal(size=data.train.inputs.shape[1])

    def scores(part: Any, name: str) -> dict[str, float]:
        error = np.mean((part.targets - part.inputs @ weights - mean) ** 2)
        return {f"{name}_RMSE": error**0.5, f"{name}_R2": 1 - error / np.var(part.targets)}

    for _ in range(data.epochs):
        for _ in range(60):
            residual = data.train.inputs @ weights + mean - data.train.targets
            slope = data.train.inputs.T @ residual / len(data.train)
            weights -= hyperparameters.learning_rate * (slope + hyperparameters.shrinkage * weights)
        row = scores(data.validation, "val")
        if data.test is not None:
            row |= scores(data.test, "test")
        yield row


STUDY = Study(
    question="Does shrinking the weights help?",
    metrics=(
        Metric(name="RMSE", direction="min", unit="points", failure=100, primary=True, smallest_effect=0.5),
        Metric(name="R2", direction="max", failure=0),
    ),
    hyperparameters={"shrinkage": 0.1},
    factors={"shrinkage": (0.2, 3.0)},
    nuisances={"learning_rate": {"low": 0.1, "high": 0.4, "log": True}},
    search=Search(trials_per_cell=3, rungs=(2, 6)),
    confirm=Confirm(epochs=6),
)
