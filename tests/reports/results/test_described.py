"""Optimism, variation, selection and ranges in report.json, on studies whose truth was put in."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from reports.inputs.inputs import ReportInputs
from reports.pages.json_report import json_report
from reports.results.best import best_configuration
from reports.results.optimism import about_optimism, optimism_record
from reports.results.results import compute
from reports.results.second_networks import second_networks
from reports.results.selection import selection_record
from reports.results.variation import NEAR, variation_record
from reports.statistics.effects import Estimate
from tests.reports.forbidden_words import forbidden_words, unlisted_numbers
from tests.reports.looked_at import looked_at
from tests.reports.odd_inputs import SMALL
from tests.reports.sample import FACTORS as FLAGSHIP
from tests.reports.sample import sample_inputs, sample_tuning

FACTORS = {"depth": (3, 5, 7), "batch_norm": (False, True), "optimizer": ("sgd", "adam")}


@pytest.fixture(scope="module")
def study() -> ReportInputs:
    return sample_inputs(FACTORS, num_blocks=10, rates=3)


def shifted(inputs: ReportInputs, by: float) -> ReportInputs:
    """The same study with every validation loss of the search lower by so much."""
    rows = inputs.replicates
    search = rows["phase"] == "search"
    return replace(
        inputs, replicates=rows.assign(val_loss=rows["val_loss"].where(~search, rows["val_loss"] - by))
    )


class TestOptimism:
    def test_is_that_of_the_selected_trial_and_its_confirmed_networks(self, study: ReportInputs) -> None:
        results = compute(study)
        best = best_configuration(study, results)
        assert best is not None
        found = optimism_record(study, results, best)
        assert found is not None
        chosen = results.chosen.set_index("cell").loc[best["cell"], "trial_number"]
        rows = study.replicates.set_index(["trial_number", "block"])["val_loss"]
        gaps = rows[chosen] - rows[best["trial_number"]]
        assert found["estimate"] == pytest.approx(gaps.mean())
        assert found["searched"] == pytest.approx(rows[chosen].mean())
        assert unlisted_numbers(found["sentence"], found["numbers"]) == []

    def test_is_worded_by_its_interval(self, study: ReportInputs) -> None:
        results = compute(study)
        best = best_configuration(study, results)
        said = {}
        for by in (0.05, 0.0, -0.05):
            moved = shifted(study, by)
            found = optimism_record(moved, compute(moved), best)
            assert found is not None
            said[by] = found["sentence"]
            assert forbidden_words(said[by]) == []
        assert "so the search flattered it" in said[0.05]
        assert "so the search did not flatter it" in said[-0.05]
        assert "keeps a small optimism" not in " ".join(said.values())

    def test_of_another_length_luck_is_not_told_apart(self, study: ReportInputs) -> None:
        gap = Estimate(estimate=-0.02, ci_low=-0.03, ci_high=-0.01, num_blocks=10)
        said = about_optimism(gap, 0.1, 0.12, study.validation, (6, 18)).text
        assert "not told apart from training for six epochs there and 18 epochs here" in said
        assert "flattered" not in said

    def test_without_cells_the_search_trial_is_found_by_its_values(self) -> None:
        tuning = sample_tuning(budget=12)
        results = compute(tuning)
        best = best_configuration(tuning, results)
        found = optimism_record(tuning, results, best)
        assert found is not None
        assert found["num_blocks"] == 10

    def test_later_blocks_which_no_search_has_seen_are_left_out(self) -> None:
        inputs = looked_at(2)
        results = compute(inputs)
        found = optimism_record(inputs, results, best_configuration(inputs, results))
        assert found is not None
        searched = inputs.replicates[inputs.replicates["phase"] == "search"]
        assert found["num_blocks"] == searched["block"].nunique() < results.rows["block"].nunique()


class TestVariation:
    def test_is_told_near_the_best_and_over_all_with_retraining_apart(self, study: ReportInputs) -> None:
        found = variation_record(study, compute(study))
        assert found is not None
        assert found["near_best"]["components"]["num_cells"] == NEAR
        assert found["components"]["num_cells"] == 12
        # Networks of the sample differ by 6 % of their loss, retrained or not, and by nothing else within a block.
        for place in ("near_best", "all"):
            assert found["retraining"][place]["components"]["retraining"] > 0
        assert "would be needed" not in found["sentence"]
        assert "retraining alone" in found["sentence"].lower()
        assert unlisted_numbers(found["sentence"], found["numbers"]) == []

    def test_another_length_of_the_search_tells_no_retraining(self, study: ReportInputs) -> None:
        longer = {**study.plan, "confirm": {**study.plan["confirm"], "epochs": 24}}
        other = replace(study, plan=longer)
        results = replace(compute(study))
        assert not second_networks(other, results).same_length
        found = variation_record(other, results)
        assert found is not None
        assert found["retraining"] is None
        assert "Retraining alone" not in found["sentence"]

    def test_few_cells_are_all_near_the_best(self) -> None:
        small = sample_inputs(SMALL, num_blocks=3, rates=1)
        found = variation_record(small, compute(small))
        assert found is not None
        assert found["near_best"] is None
        assert "Among" not in found["sentence"]


class TestSelection:
    def test_stands_beside_each_comparison_at_best(self, study: ReportInputs) -> None:
        report = json_report(study, compute(study))
        found = report["selection"]
        losses = [each for each in report["at_best"] if each["outcome"] == study.outcome.name]
        assert [each["selection"]["share_other_a"] for each in losses] == [
            row["share_other_a"] for row in found["rows"]
        ]
        assert found["num_blocks"] == 10
        assert found["sentence"].startswith("“At its best cell” means the cell that the search selected")
        assert unlisted_numbers(found["sentence"], found["numbers"]) == []
        assert forbidden_words(found["sentence"]) == []

    def test_the_blocks_as_they_are_select_the_search_s_cells(self, study: ReportInputs) -> None:
        results = compute(study)
        rows = study.replicates[study.replicates["phase"] == "search"]
        for row in results.chosen.to_dict("records"):
            mine = rows[rows["trial_number"] == row["trial_number"]]
            scored = study.objective.scored(mine["val_loss"], mine["outcome"].isin(["diverged", "failed"]))
            assert scored.mean() == pytest.approx(row["objective"])

    def test_one_block_or_a_study_without_cells_has_none(self) -> None:
        tuning = sample_tuning(budget=6, num_blocks=3)
        assert selection_record(tuning, compute(tuning)) is None
        single = sample_inputs(SMALL, num_blocks=1, rates=1)
        assert selection_record(single, compute(single)) is None


def pairs(value: Any, path: str = "") -> Iterator[tuple[str, float, float]]:
    """Every interval of a score or a share in report.json: [low, high] under NAME_interval, or share, low and high."""
    if isinstance(value, dict):
        if {"share", "low", "high"} <= set(value) and value["low"] is not None:
            yield f"{path}.share", value["low"], value["high"]
        for name, item in value.items():
            if name.endswith("_interval") and item and item[0] is not None:
                yield f"{path}.{name}", item[0], item[1]
            yield from pairs(item, f"{path}.{name}")
    elif isinstance(value, list):
        for item in value:
            yield from pairs(item, path)


def test_no_interval_of_a_score_or_share_leaves_its_range() -> None:
    """Networks that hardly ever err, but for one: a plain interval of their error would begin below 0."""
    study = sample_inputs(SMALL, num_blocks=5, rates=1)
    rows = study.replicates
    confirm = rows["phase"] == "confirm"
    errors = np.where(rows["block"] == 1, 0.11, 0.0005)
    changed = rows.assign(
        test_accuracy=np.where(confirm, 1 - errors, np.nan),
        val_accuracy=1 - errors,
        test_loss=np.where(confirm, 4 * errors, np.nan),
    )
    changed["verdict_trained"] = np.where(changed["block"] == 1, "HOT", "STABLE")
    inputs = replace(study, replicates=changed)
    report = json_report(inputs, compute(inputs))
    low, _ = report["best"]["test_error_interval"]
    plain = report["best"]["test_error"] - 2.776 * np.std(errors[rows["block"] <= 5][:5], ddof=1) / np.sqrt(5)
    assert plain < 0 < low
    found = [*pairs(report)]
    assert len(found) > 10
    bounded = [each for each in found if "loss" not in each[0]]
    assert [each for each in bounded if not 0 <= each[1] <= each[2] <= 1] == []
    assert [each for each in found if each[1] < 0] == []


def test_the_audited_numbers_as_they_are_now() -> None:
    """A study with the audited structure: growth follows depth and dropout, losses of few cells dwarf the rest."""
    factors = {name: FLAGSHIP[name] for name in ("depth", "dropout", "batch_norm")}
    study = sample_inputs(factors, num_blocks=10, rates=2, seed=3)
    report = json_report(study, compute(study))
    strata = report["stability"]["association_strata"]
    # Over all networks growth and loss go together; within strata they disagree, so nothing is said.
    assert min(each["correlation"] for each in strata) < -0.3
    assert max(each["correlation"] for each in strata) > 0.6
    assert report["stability"]["association_gate"] is None
    assert "goes along" not in report["notes"][2]
    # The sign of a difference that is not claimed is not wrong.
    claimed = {
        (row["factor"], row["level_a"], row["level_b"])
        for row in report["at_best"]
        if row["gate"] in ("DIRECTION", "MEANINGFUL")
    }
    wrong = {
        (row["factor"], row["level_a"], row["level_b"])
        for row in report["lottery"]["signs_at_best"]
        if row["share_wrong"] is not None
    }
    assert wrong == claimed
    # Cells that hardly train carry the variance over all cells, and none of that near the best.
    assert report["variation"]["sd"]["cell"] > 10 * report["variation"]["near_best"]["sd"]["cell"]
    shares = [report["headline"][f"share_{name}"] for name in ("stable", "watch", "unstable")]
    assert sum(shares) == pytest.approx(1, abs=1e-5)
    assert sum(report["headline"]["percents"].values()) == pytest.approx(100)


def test_replicates_of_a_frame_without_rows_have_none_of_these() -> None:
    study = sample_inputs(SMALL, num_blocks=3, rates=1)
    empty = replace(
        study, replicates=study.replicates.iloc[:0], trials=study.trials.iloc[:0], epochs=pd.DataFrame()
    )
    results = compute(study)
    assert selection_record(empty, results) is None
    assert second_networks(empty, replace(results, chosen=pd.DataFrame())).rows.empty
