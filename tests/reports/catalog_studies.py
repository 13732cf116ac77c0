"""Made-up results for every study of the catalog: its own plan's factors and shares, networks from a generator."""

from __future__ import annotations

import importlib
import math
from collections.abc import Mapping
from dataclasses import asdict, replace
from functools import cache
from typing import Any

import pandas as pd
import pytest

from reports.inputs.inputs import ReportInputs
from reports.statistics.families import ErrorShares
from tests.reports import sample_networks
from tests.reports.lined import with_line
from tests.reports.sample import sample_inputs, sample_tuning

COMPARED = ("depth", "gradient", "batchnorm", "dropout", "optimizer", "sentiment", "image")
CATALOG = (*COMPARED, "tuning")
_GAINS = {"relu": 1.0, "tanh": 0.75, "sigmoid": 0.3}


def growth_of(levels: Mapping[str, Any]) -> float:
    """Growth per layer as gain, activation and what cures it make it."""
    if "init_gain" not in levels:
        return sample_networks.growth_of(levels)
    growth = float(levels["init_gain"]) * _GAINS[levels["activation"]]
    kept = (0.3 if levels["batch_norm"] else 1.0) * (0.4 if levels["residual"] != "none" else 1.0)
    return math.exp(kept * math.log(growth))


def study_of(name: str) -> Any:
    """A study of the catalog as its file defines it."""
    return importlib.import_module(f"studies.catalog.{name}_study").STUDY


_RANGES = {
    name: {"low": low, "high": high, "log": True}
    for name in ("sgd", "adam", "rmsprop", "adamw")
    for low, high in [sample_networks.rate_range(name)]
}
_STAND_IN = "momentum"


def _renamed(inputs: ReportInputs) -> ReportInputs:
    def rename(frame: pd.DataFrame) -> pd.DataFrame:
        return frame.drop(columns="learning_rate").rename(columns={_STAND_IN: "learning_rate"})

    factors = {"learning_rate" if key == _STAND_IN else key: levels for key, levels in inputs.factors.items()}
    return replace(
        inputs,
        factors=factors,
        plan={**inputs.plan, "factors": {key: list(levels) for key, levels in factors.items()}},
        trials=rename(inputs.trials),
        replicates=rename(inputs.replicates),
    )


@cache
def catalog_inputs(name: str, num_blocks: int = 10) -> ReportInputs:
    """Inputs of a study of the catalog with made-up networks."""
    study = study_of(name)
    if name == "tuning":
        found = sample_tuning(num_blocks=num_blocks)
    else:
        with pytest.MonkeyPatch.context() as monkeypatch:
            own = growth_of
            original = sample_networks.growth_of
            monkeypatch.setattr(
                sample_networks,
                "growth_of",
                lambda levels: own(levels) if "init_gain" in levels else original(levels),
            )
            # The generator draws learning rates itself: where they are compared they go by another name meanwhile.
            factors = {
                _STAND_IN if key == "learning_rate" else key: levels for key, levels in study.factors.items()
            }
            found = sample_inputs(factors, num_blocks=num_blocks, rates=1)
            found = _renamed(found) if _STAND_IN in factors else found
    shares = ErrorShares(growth=0.025, loss_at_best=0.0025) if name == "gradient" else ErrorShares()
    plan = {
        **found.plan,
        "question": study.question,
        "dataset": study.dataset,
        "model": study.model,
        "error_shares": asdict(shares),
        "nuisances": {} if name == "batchnorm" else {"learning_rate": _RANGES},
        "fixed": {
            **found.plan["fixed"],
            **{key: study.fixed[key] for key in ("patience",) if key in study.fixed},
        },
    }
    found = replace(found, study=f"{name}_study", question=study.question, plan=plan)
    return with_line(found, better_by=0.03) if name == "sentiment" else found
