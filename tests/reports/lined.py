"""A sample study with a line to beat: a linear model in each block."""

import math
from dataclasses import replace

import numpy as np
import pandas as pd

from reports.inputs.inputs import ReportInputs
from reports.results.best import best_configuration
from reports.results.results import compute


def with_line(inputs: ReportInputs, *, better_by: float, size: float = math.nan) -> ReportInputs:
    """The same study with a linear model in each block that is better by so much than the best cell's network."""
    results = compute(inputs)
    best = best_configuration(inputs, results)
    assert best is not None
    networks = results.rows[results.rows["trial_number"].isin(best["trial_numbers"])].sort_values("block")
    noise = np.random.default_rng(0).normal(0, 0.002, len(networks))
    models = pd.DataFrame(
        {
            "model": "logistic regression",
            "train_size": size,
            "block": networks["block"],
            "strength": 3.0,
            "val_loss": 0.3,
            "val_accuracy": 0.87,
            "test_loss": networks["test_loss"] - better_by + noise,
            "test_accuracy": 0.88,
            "seconds": 0.4,
        }
    )
    return replace(inputs, linear_models=models)
