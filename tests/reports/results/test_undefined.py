"""A score that a network lacks though it is fine is missing: no failure's score, no part of a mean, and told."""

import json
import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from reports.inputs.inputs import ReportInputs
from reports.inputs.measures import classifier_measure, measure_of
from reports.pages.page import write_report
from reports.results.best import best_configuration
from reports.results.outcomes import contrast_rows
from reports.results.results import compute
from reports.results.searching import rung_losses
from reports.results.undefined import about_undefined
from tests.reports.own_metrics import ERROR, own, own_inputs  # noqa: F401 - the inputs of these tests


def without(inputs: ReportInputs, rows: "pd.Series[bool]", name: str) -> ReportInputs:
    """Return the same study, in which these networks have no such score."""
    return replace(inputs, replicates=inputs.replicates.assign(**{name: inputs.replicates[name].mask(rows)}))


def test_auc_of_a_part_with_a_single_class_is_missing_and_that_of_a_lost_network_is_one_half() -> None:
    auc = classifier_measure("val_roc_auc", 2)
    values, lost = pd.Series([0.9, math.nan, math.nan, 0.4]), pd.Series([False, False, True, False])
    assert auc.scored(values, lost).tolist() == pytest.approx([0.9, math.nan, 0.5, 0.5], nan_ok=True)
    assert auc.scored(values, lost).mean() == pytest.approx(1.9 / 3), "the mean is over what is defined"
    assert auc.scored(values).tolist() == [0.9, 0.5, 0.5, 0.5], "without a word of who was lost, all are"


def test_a_loss_is_never_undefined() -> None:
    loss, lost = classifier_measure("val_loss", 2), pd.Series([False, False])
    assert loss.scored(pd.Series([math.nan, 0.1]), lost).tolist() == [math.log(2), 0.1]


def test_infinity_is_a_failure_and_not_undefined() -> None:
    error = measure_of({"metrics": [ERROR]}, "val_error")
    assert error.scored(pd.Series([math.inf, math.nan]), pd.Series([False, False])).tolist()[0] == 9.0


def test_a_secondary_metric_is_left_out_of_means_and_contrasts_and_told(
    inputs: ReportInputs, tmp_path: Path
) -> None:
    plain = compute(inputs)
    best = best_configuration(inputs, plain)
    assert best is not None
    confirm = inputs.replicates["phase"] == "confirm"
    some = (
        confirm
        & inputs.replicates["trial_number"].isin(best["trial_numbers"])
        & (inputs.replicates["block"] <= 3)
    )
    partly = without(inputs, some, "test_error")
    results = compute(partly)
    found = best_configuration(partly, results)
    assert found is not None
    rest = inputs.replicates[confirm & inputs.replicates["trial_number"].isin(best["trial_numbers"]) & ~some]
    assert found["test_error"] == pytest.approx(rest["test_error"].astype(float).mean())
    assert found["test_gain"] == best["test_gain"]
    assert len(plain.error_contrasts)
    assert results.error_contrasts.empty
    (sentence,) = about_undefined(partly)
    assert sentence.text == (
        f"Test error is undefined in 3 of {confirm.sum()} networks of the confirm phase (train() gave no number): "
        "means leave them out, and levels are not compared by it."
    )
    page = write_report(partly, tmp_path)
    assert "Test error is undefined in 3 of" in page.read_text(encoding="utf-8")
    json.loads((tmp_path / "report.json").read_text(encoding="utf-8"), parse_constant=pytest.fail)


def test_one_that_no_network_has_is_null(inputs: ReportInputs, tmp_path: Path) -> None:
    none = without(inputs, inputs.replicates["block"] >= 0, "test_error")
    results = compute(none)
    best = best_configuration(none, results)
    assert best is not None
    assert (best["test_error"], best["test_error_interval"]) == (None, None)
    write_report(none, tmp_path)
    report = json.loads((tmp_path / "report.json").read_text(encoding="utf-8"))
    assert report["best"]["test_error"] is None


def test_a_lost_network_scores_as_a_failure(inputs: ReportInputs) -> None:
    rows = inputs.replicates[inputs.replicates["phase"] == "confirm"].copy()
    rows.loc[rows.index[:2], ["outcome"]] = "diverged"
    rows.loc[rows.index[:3], ["test_error", "val_error"]] = np.nan
    scored = contrast_rows(rows, inputs.factors, 0, inputs.objective, inputs.own)
    assert scored["test_error"].tolist()[:3] == pytest.approx([9.0, 9.0, math.nan], nan_ok=True)
    assert scored["failed"].tolist()[:3] == [1.0, 1.0, 0.0]


def test_a_rung_is_the_mean_of_what_is_defined(inputs: ReportInputs) -> None:
    by_error = replace(inputs, plan={**inputs.plan, "objective": "val_error"})
    number = int(by_error.trials.loc[by_error.trials["phase"] == "search", "number"].iloc[0])
    rung = int(by_error.plan["search"]["rungs"][0])
    epochs = by_error.epochs
    here = (epochs["trial_number"] == number) & (epochs["epoch"] == rung)
    kept = epochs.loc[here, "val_error"].astype(float).iloc[1:]
    some = here & (epochs["replicate"] == epochs.loc[here, "replicate"].iloc[0])

    def at_rung(missing: "pd.Series[bool]") -> list[float]:
        changed = replace(by_error, epochs=epochs.assign(val_error=epochs["val_error"].mask(missing)))
        found = rung_losses(changed)
        return found.loc[(found["trial_number"] == number) & (found["epoch"] == rung), "val_error"].tolist()

    assert at_rung(some) == pytest.approx([kept.mean()])
    assert at_rung(here) == []
