"""Importance finds the parameter that matters, counts what it ignores, and is silent where it knows too little."""

import numpy as np
import pandas as pd
import pytest

from studies.search.importance import search_importance
from tests.studies.raytune.plans import plan


def trials(num: int, *, state: str = "complete") -> pd.DataFrame:
    """Return search trials whose loss depends on the depth, and a little on luck."""
    generator = np.random.default_rng(0)
    depth, optimizer = generator.integers(1, 3, num), generator.choice(["sgd", "adam"], num)
    low, high = np.where(optimizer == "sgd", 3e-3, 3e-4), np.where(optimizer == "sgd", 0.5, 3e-2)
    return pd.DataFrame(
        {
            "number": range(1, num + 1),
            "phase": "search",
            "state": state,
            "depth": depth,
            "optimizer": optimizer,
            "learning_rate": np.exp(generator.uniform(np.log(low), np.log(high))),
            "objective": depth + 0.1 * generator.random(num),
        }
    )


def test_the_parameter_that_decides_comes_first() -> None:
    found = search_importance(plan(), trials(200))
    assert found is not None
    assert found["parameter"].iloc[0] == "depth"
    assert found["importance"].sum() == pytest.approx(1)


def test_stopped_trials_are_ignored_and_counted() -> None:
    both = pd.concat([trials(20), trials(12, state="pruned")])
    found = search_importance(plan(), both)
    assert found is not None
    assert set(zip(found["num_trials"], found["num_ignored"], strict=True)) == {(20, 12)}


@pytest.mark.parametrize("num", [0, 3])
def test_too_few_trials_say_nothing(num: int) -> None:
    assert search_importance(plan(), trials(num)) is None


def test_a_constant_objective_says_nothing() -> None:
    assert search_importance(plan(), trials(20).assign(objective=1.0)) is None
