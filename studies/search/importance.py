"""Which hyperparameters the search's objective depends on most, by Optuna's PED-ANOVA; descriptive only."""

import math
import warnings
from collections.abc import Mapping
from typing import Any

import optuna
import pandas as pd
from optuna.distributions import BaseDistribution, CategoricalDistribution, FloatDistribution
from optuna.exceptions import ExperimentalWarning
from optuna.importance import PedAnovaImportanceEvaluator, get_param_importances
from optuna.trial import create_trial

from studies.planning.plan import Plan
from studies.search.sampler import as_optuna_choice, optuna_direction

MIN_TRIALS = 4
"""With fewer complete search trials no importance is computed."""


def search_importance(plan: Plan, trials: pd.DataFrame) -> pd.DataFrame | None:
    """Return columns parameter, importance (shares that sum to 1), num_trials, num_ignored; None for too few trials.

    `trials` is the frame of a study's trials. PED-ANOVA (Watanabe et al., 2023) asks which parameters set the best
    trials apart. It uses complete trials only: those that ASHA stopped are ignored, and counted in num_ignored.
    """
    search = trials[trials["phase"] == "search"]
    complete = search[search["state"] == "complete"]
    names = [*plan.study.factors, *plan.study.nuisances]
    distributions = {name: _distribution(plan, name) for name in names}
    varied = {name: found for name, found in distributions.items() if not found.single()}
    if len(complete) < MIN_TRIALS or not varied or complete["objective"].nunique() < 2:
        return None
    shares = _shares(plan, complete, varied)
    return pd.DataFrame(
        {
            "parameter": list(shares),
            "importance": list(shares.values()),
            "num_trials": len(complete),
            "num_ignored": len(search) - len(complete),
        }
    )


def _shares(
    plan: Plan, complete: pd.DataFrame, distributions: Mapping[str, BaseDistribution]
) -> dict[str, float]:
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    study = optuna.create_study(direction=optuna_direction(plan.study))
    for row in complete.sort_values("number").to_dict("records"):
        params = {name: _value(plan, name, row) for name in distributions}
        study.add_trial(
            create_trial(params=params, distributions=dict(distributions), value=row["objective"])
        )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ExperimentalWarning)
        return get_param_importances(study, evaluator=PedAnovaImportanceEvaluator())


def _distribution(plan: Plan, name: str) -> BaseDistribution:
    """Return the one distribution that stands for a parameter in all trials.

    A range is replaced by the relative position within it, because it may differ by optimizer: over the union of all
    ranges the learning rate would look important just because each optimizer stays within its own.
    """
    if name in plan.study.factors:
        return CategoricalDistribution([as_optuna_choice(level) for level in plan.study.factors[name]])
    form = plan.study.nuisances[name]
    ranges: list[Any] = list(form.values()) if isinstance(form, Mapping) else [form]
    if isinstance(ranges[0], CategoricalDistribution):
        return CategoricalDistribution(list(dict.fromkeys(c for range_ in ranges for c in range_.choices)))
    return FloatDistribution(0.0, 1.0 if any(not range_.single() for range_ in ranges) else 0.0)


def _value(plan: Plan, name: str, row: Mapping[Any, Any]) -> Any:
    """Return a recorded value in the form of `_distribution`."""
    if name in plan.study.factors:
        choices, found = map(as_optuna_choice, plan.study.factors[name]), as_optuna_choice(row[name])
        return next(choice for choice in choices if choice == found)
    range_: Any = plan.study.nuisance_distributions({factor: row[factor] for factor in plan.study.factors})[
        name
    ]
    if isinstance(range_, CategoricalDistribution):
        return next(choice for choice in range_.choices if choice == row[name])
    if range_.single():
        return 0.0
    low, high, value = range_.low, range_.high, row[name]
    position = math.log(value / low) / math.log(high / low) if range_.log else (value - low) / (high - low)
    return min(1.0, max(0.0, position))
