"""Confusion, precision and recall, and calibration agree with counts made by hand."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pandas as pd
import pytest

from reports.inputs.inputs import ReportInputs
from reports.results.best import best_configuration
from reports.results.evaluation import evaluation_record
from reports.results.results import compute
from tests.reports.sample import sample_inputs

FULL = {"low": 0.5, "high": 1.0, "count": 10, "confidence": 0.9, "accuracy": 0.8}
EMPTY = {"low": 0.0, "high": 0.5, "count": 0, "confidence": None, "accuracy": None}


@pytest.fixture(scope="module")
def study() -> ReportInputs:
    return sample_inputs({"depth": (3, 7)}, num_blocks=2, rates=2)


def record(
    study: ReportInputs, confusion: Sequence[Any], calibration: Sequence[Any]
) -> dict[str, Any] | None:
    best = best_configuration(study, compute(study))
    assert best is not None
    rows = [
        {"trial_number": best["trial_number"], "replicate": place, "confusion": counts, "calibration": bins}
        for place, (counts, bins) in enumerate(zip(confusion, calibration, strict=True))
    ]
    return evaluation_record(replace(study, evaluation=pd.DataFrame(rows)), best)


def test_counts_are_summed_and_shares_are_means_over_blocks(study: ReportInputs) -> None:
    found = record(study, [[[4, 1], [0, 5]], [[5, 0], [2, 3]]], [[EMPTY, FULL]] * 2)
    assert found is not None
    assert found["confusion"] == [[9, 1], [2, 8]]
    assert (found["num_blocks"], found["num_examples"], found["num_right"]) == (2, 20, 17)
    assert found["most_confused"] == {"true": "1", "predicted": "0", "count": 2, "num": 10}
    first = found["by_class"][0]
    assert first["num"] == 10
    assert first["recall"] == pytest.approx((4 / 5 + 5 / 5) / 2)
    assert first["precision"] == pytest.approx((4 / 4 + 5 / 7) / 2)
    assert first["recall_low"] < first["recall"] < first["recall_high"]


def test_calibration_pools_examples_and_its_error_is_a_mean_over_blocks(study: ReportInputs) -> None:
    other = {**FULL, "count": 30, "confidence": 0.7, "accuracy": 0.6}
    found = record(study, [[[1, 0], [0, 1]]] * 2, [[EMPTY, FULL], [EMPTY, other]])
    assert found is not None
    empty, full = found["calibration"]
    assert (empty["count"], full["count"]) == (0, 40)
    assert full["confidence"] == pytest.approx((10 * 0.9 + 30 * 0.7) / 40)
    assert full["accuracy"] == pytest.approx((10 * 0.8 + 30 * 0.6) / 40)
    assert 0 <= full["accuracy_low"] < full["accuracy_high"] <= 1
    assert found["calibration_error"]["mean"] == pytest.approx(0.1)


def test_a_class_that_is_never_predicted_has_no_precision_and_one_block_no_interval(
    study: ReportInputs,
) -> None:
    found = record(study, [[[3, 0], [2, 0]]], [[EMPTY, FULL]])
    assert found is not None
    second = found["by_class"][1]
    assert second["precision"] != second["precision"]
    assert second["recall"] == 0
    assert second["recall_low"] != second["recall_low"]


def test_classes_have_the_names_of_the_data(study: ReportInputs) -> None:
    named = replace(study, provenance={**study.provenance, "dataset": {"classes": ["cat", "dog"]}})
    found = record(named, [[[1, 1], [0, 1]]], [[EMPTY, FULL]])
    assert found is not None
    assert found["classes"] == ["cat", "dog"]


def test_networks_of_another_configuration_and_nothing_recorded_give_nothing(study: ReportInputs) -> None:
    best = best_configuration(study, compute(study))
    assert best is not None
    other = pd.DataFrame(
        [{"trial_number": -1, "replicate": 0, "confusion": [[1, 0], [0, 1]], "calibration": [FULL]}]
    )
    assert evaluation_record(replace(study, evaluation=other), best) is None
    assert evaluation_record(study, best) is None
    assert evaluation_record(replace(study, evaluation=other), None) is None


def test_scores_of_the_test_part_count_a_failed_network_as_guessing(study: ReportInputs) -> None:
    best = best_configuration(study, compute(study))
    assert best is not None
    replicates = study.replicates.copy()
    mine = replicates["trial_number"].isin(best["trial_numbers"])
    assert mine.sum() == 2
    replicates.loc[mine, "test_loss"] = [0.3, 0.5]
    replicates.loc[mine, "test_macro_f1"] = [0.9, None]
    found = record(replace(study, replicates=replicates), [[[4, 1], [0, 5]]] * 2, [[EMPTY, FULL]] * 2)
    assert found is not None
    scores = {score["name"]: score for score in found["scores"]}
    assert scores["test_loss"]["mean"] == pytest.approx(0.4)
    assert scores["test_loss"]["low"] < 0.4 < scores["test_loss"]["high"]
    assert scores["test_macro_f1"]["mean"] == pytest.approx((0.9 + 1 / study.num_classes) / 2)
    assert "test_roc_auc" not in scores, "nothing recorded it"
