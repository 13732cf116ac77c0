"""The line to beat: the best cell's networks against a linear model on the same features, block by block."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import pandas as pd

from reports.claims.answers import setting_of
from reports.claims.claims import about_contrast
from reports.inputs.inputs import ReportInputs
from reports.inputs.measures import TEST_LOG_LOSS
from reports.plots.style.intervals import t_interval
from reports.results.comparisons import official_test, train_size
from reports.results.results import Results
from reports.statistics.contrasts import contrasts
from reports.statistics.new_samples import beyond_sample, ratio_as_trained
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
            mean, low, high = t_interval(values.to_numpy(dtype=float))
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
    both = models[models["block"].isin(networks["block"])], networks
    loss, wrong = models["test_loss"], 1 - models["test_accuracy"]
    ratio = ratio_as_trained(_share(inputs, best))
    contrast = _contrast(*both, TEST_LOG_LOSS.name, loss, ratio, inputs, results)
    error = _contrast(*both, "test_error", wrong, ratio, inputs, results)
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
    share = _share(inputs, best)
    same = models["train_size"].isna() if share is None else models["train_size"] == share
    return models[same].sort_values("block").reset_index(drop=True)


def _share(inputs: ReportInputs, best: Mapping[str, Any] | None) -> float | None:
    """The share of the training part that the best cell's networks saw; None for all of it."""
    return train_size(inputs.plan["fixed"], {} if best is None else best["params"])


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
    ratio: float,
    inputs: ReportInputs,
    results: Results,
) -> Mapping[str, Any] | None:
    """The networks minus the linear model over the blocks that have both."""
    linear = models[["block"]].assign(**{outcome: scores.loc[models.index], FACTOR: models["model"]})
    if linear.empty:
        return None
    both = pd.concat([linear, networks[["block", outcome]].assign(**{FACTOR: NETWORK})], ignore_index=True)
    effects = inputs.plan["smallest_effect"]
    size = effects["log_loss"] if outcome == TEST_LOG_LOSS.name else effects["error"]
    return _gated(both, outcome, size, ratio, inputs, results)


def _gated(
    both: pd.DataFrame, outcome: str, size: float, ratio: float, inputs: ReportInputs, results: Results
) -> Mapping[str, Any]:
    """The contrast with its gate, counted in the family at best."""
    licensing = results.licensing
    is_loss, pairs = outcome == TEST_LOG_LOSS.name, results.num_pairs
    family = licensing.loss_at_best(pairs) if is_loss else licensing.error_rate_at_best(pairs)
    (row,) = contrasts(both, [FACTOR], outcome, size, rules=results.look.rules, family=family).to_dict(
        "records"
    )
    found = {str(name): value for name, value in row.items()}
    if results.look.rules.holm:
        return found
    first = both[both["block"].isin(set(results.first_rows["block"]))]
    wide = first.pivot(index="block", columns=FACTOR, values=outcome)
    differences = (wide[found["level_b"]] - wide[found["level_a"]]).to_numpy(dtype=float)
    beyond = None if official_test(inputs) else licensing.beyond_sample(pairs)
    return {**found, **beyond_sample(found, differences, ratio, beyond)}
