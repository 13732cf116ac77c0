"""The line to beat: the best cell's networks against a linear model on the same features, block by block."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import pandas as pd

from reports.claims.answers import setting_of
from reports.claims.claims import about_contrast
from reports.inputs.inputs import ReportInputs
from reports.inputs.measures import TEST_LOG_LOSS
from reports.results.results import Results
from reports.statistics.contrasts import contrasts
from reports.statistics.intervals import SHARE, t_interval
from reports.wording.phrases import Sentence

FACTOR = "model"
NETWORK = "the network"
AGAINST = "against the line to beat"


@dataclass(frozen=True, kw_only=True)
class LineToBeat:
    """The linear model's scores, one row a block, and what is said of the best cell's networks against it.

    `contrast` (test log-loss) and `error_contrast` are rows of `comparison.contrasts`, networks minus linear model;
    `said` is None where claims are withheld.
    """

    models: pd.DataFrame
    contrast: Mapping[str, Any] | None
    error_contrast: Mapping[str, Any] | None
    said: Sentence | None

    @property
    def name(self) -> str:
        """The linear model's name."""
        return str(self.models["model"].iloc[0])

    def to_dict(self) -> dict[str, Any]:
        """Everything as plain data, for report.json."""
        scores: dict[str, Any] = {"model": self.name, "num_blocks": len(self.models)}
        for name, values in (
            ("val_loss", self.models["val_loss"]),
            ("test_loss", self.models["test_loss"]),
            ("val_accuracy", self.models["val_accuracy"]),
            ("test_accuracy", self.models["test_accuracy"]),
            ("test_error", 1 - self.models["test_accuracy"]),
        ):
            mean, low, high = t_interval(
                values.to_numpy(dtype=float), (0.0, math.inf) if name.endswith("loss") else SHARE
            )
            scores |= {name: mean, f"{name}_interval": [low, high]}
        return {
            **scores,
            "blocks": self.models.to_dict("records"),
            "contrast": self.contrast,
            "error_contrast": self.error_contrast,
            "gate": None if self.said is None else self.said.gate,
            "gates": None if self.said is None else [self.said.gate, *self.said.gates],
            "sentence": None if self.said is None else self.said.text,
            "numbers": None if self.said is None else dict(self.said.numbers),
        }


def line_to_beat(inputs: ReportInputs, results: Results, best: Mapping[str, Any] | None) -> LineToBeat | None:
    """The line to beat; None for a study that has none. Its share of the training part is that of the best cell."""
    models = _models(inputs, best)
    if models.empty or inputs.own:
        return None
    networks = _networks(results, best)
    contrast = _contrast(models, networks, TEST_LOG_LOSS.name, models["test_loss"], inputs, results)
    error = _contrast(models, networks, "test_error", 1 - models["test_accuracy"], inputs, results)
    said = None
    if contrast is not None and results.look.number:
        place = f"at the best cell, {AGAINST}" if inputs.has_cells else AGAINST
        (said,) = about_contrast(contrast, replace(setting_of(inputs, results), failed=None), place)
    return LineToBeat(models=models, contrast=contrast, error_contrast=error, said=said)


def leading_line(line: LineToBeat | None) -> list[Sentence]:
    """The sentence that opens the answer of a study with a line to beat."""
    return [] if line is None or line.said is None else [line.said]


def _models(inputs: ReportInputs, best: Mapping[str, Any] | None) -> pd.DataFrame:
    """The linear models that had the same share of the training part as the best cell's networks."""
    models = inputs.linear_models
    if models is None or models.empty:
        return pd.DataFrame()
    share = {**inputs.plan["fixed"], **({} if best is None else best["params"])}.get("train_size")
    same = models["train_size"].isna() if share is None else models["train_size"] == share
    return models[same].sort_values("block").reset_index(drop=True)


def _networks(results: Results, best: Mapping[str, Any] | None) -> pd.DataFrame:
    """The networks of the best cell, one row a block."""
    if best is None:
        return results.rows.iloc[:0]
    return results.rows[results.rows["trial_number"].isin(best["trial_numbers"])]


def _contrast(
    models: pd.DataFrame,
    networks: pd.DataFrame,
    outcome: str,
    scores: pd.Series[float],
    inputs: ReportInputs,
    results: Results,
) -> Mapping[str, Any] | None:
    """The networks minus the linear model over the blocks that have both; a family of its own."""
    linear = pd.DataFrame({"block": models["block"], outcome: scores, FACTOR: models["model"]})
    linear = linear[linear["block"].isin(networks["block"])]
    if linear.empty:
        return None
    both = pd.concat([linear, networks[["block", outcome]].assign(**{FACTOR: NETWORK})], ignore_index=True)
    effects = inputs.plan["smallest_effect"]
    size = effects["log_loss"] if outcome == TEST_LOG_LOSS.name else effects["error"]
    (row,) = contrasts(both, [FACTOR], outcome, size, rules=results.look.rules).to_dict("records")
    return {str(name): value for name, value in row.items()}
