"""Contrasts find the truth that a table was made with, gate it, and stay defined on poor tables."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from reports.statistics.contrasts import COLUMNS, at_best, contrasts, simple_effects
from reports.statistics.families import Family
from reports.statistics.new_samples import ratio_as_trained
from tests.reports.balanced import DEPTH_STUDY, table

FACTORS = list(DEPTH_STUDY)
TWO: dict[str, list[Any]] = {"depth": [3, 5], "batch_norm": [False, True]}
CONTRACT = (
    "factor, level_a, level_b, estimate, ci_low, ci_high, simultaneous_low, simultaneous_high, p, p_sign_flip, "
    "num_blocks, gate"
)


def deeper_is_worse(cell: Any) -> float:
    return {3: 0.0, 5: 0.01, 7: 0.08}[cell["depth"]]


def only_at_high_dropout(cell: Any) -> float:
    return 0.3 if cell["depth"] == 7 and cell["dropout"] == 0.5 else 0.0


def crossing(cell: Any) -> float:
    return 0.1 * float(cell["depth"] == 5) * (-1.0 if cell["batch_norm"] else 1.0)


class TestContrasts:
    def test_columns_and_rows(self) -> None:
        found = contrasts(table(DEPTH_STUDY), FACTORS, "test_loss")
        assert ", ".join(found.columns[:12]) == CONTRACT
        assert [*zip(found["factor"], found["level_a"], found["level_b"], strict=True)] == [
            ("depth", 3, 5),
            ("depth", 5, 7),
            ("dropout", 0.1, 0.3),
            ("dropout", 0.3, 0.5),
            ("batch_norm", False, True),
            ("optimizer", "sgd", "adam"),
            ("optimizer", "sgd", "rmsprop"),
        ]

    def test_equals_the_naive_computation(self) -> None:
        frame = table(DEPTH_STUDY, deeper_is_worse)
        means = frame.groupby(["depth", "block"])["test_loss"].mean().unstack("depth")
        expected = stats.ttest_1samp(means[7] - means[5], 0)
        row = contrasts(frame, ["depth"], "test_loss").iloc[1]
        bounds = expected.confidence_interval()
        assert row["estimate"] == pytest.approx((means[7] - means[5]).mean())
        assert (row["ci_low"], row["ci_high"]) == pytest.approx((bounds.low, bounds.high))
        assert row["p"] == pytest.approx(expected.pvalue)

    def test_gates_follow_the_truth(self) -> None:
        frame = table(DEPTH_STUDY, deeper_is_worse)
        gates = contrasts(frame, FACTORS, "test_loss", smallest_effect=0.02)["gate"]
        assert list(gates) == ["DIRECTION", "MEANINGFUL", *["EQUIVALENT"] * 5]

    def test_a_direction_may_be_practically_equal_too(self) -> None:
        row = contrasts(table(DEPTH_STUDY, deeper_is_worse), ["depth"], "test_loss", 0.02).iloc[0]
        assert row["direction"]
        assert row["equivalent"]

    def test_gates_without_input_are_not_applied(self) -> None:
        frame = table(DEPTH_STUDY, deeper_is_worse)
        assert set(contrasts(frame, FACTORS, "test_loss")["gate"]) == {"DIRECTION", "UNRESOLVED"}

    def test_boundary_counts_either_level_above_a_fifth(self) -> None:
        frame = table(DEPTH_STUDY, deeper_is_worse)
        shares = {"depth": {3: 0.0, 5: 0.2, 7: 0.25}}
        assert list(contrasts(frame, ["depth"], "test_loss", boundary=shares)["gate"]) == [
            "DIRECTION",
            "BOUNDARY",
        ]

    def test_interaction_names_the_factor(self) -> None:
        found = contrasts(table(DEPTH_STUDY, only_at_high_dropout), ["depth"], "test_loss", 0.02)
        assert list(found["gate"]) == ["EQUIVALENT", "INTERACTION"]
        assert list(found["interacts_with"]) == [None, "dropout"]
        assert not found["reverses"].any()

    @pytest.mark.parametrize("names", [["depth"], FACTORS])
    def test_alone_they_are_one_look_and_one_family_at_five_per_cent(self, names: list[str]) -> None:
        found = contrasts(table(DEPTH_STUDY, deeper_is_worse), names, "test_loss")
        assert set(found["share"]) == {0.05}
        assert set(found["num_hypotheses"]) == {len(found)}
        half = stats.t.ppf(1 - 0.05 / (2 * len(found)), 9) * found["sd"] / math.sqrt(10)
        assert (found["simultaneous_high"] - found["estimate"]).tolist() == pytest.approx(half.tolist())
        assert (found["estimate"] - found["simultaneous_low"]).tolist() == pytest.approx(half.tolist())
        assert (found["simultaneous_low"] < found["ci_low"]).all()

    def test_a_missing_cell_or_level_never_shrinks_the_family(self) -> None:
        family, levels = Family(share=0.0075, num_hypotheses=7), {"depth": (3, 5, 7)}
        frame = table(DEPTH_STUDY, deeper_is_worse)
        frame = frame[frame["depth"] != 5]
        found = contrasts(frame, FACTORS, "test_loss", 0.02, family=family, levels=levels)
        assert found[["level_a", "level_b"]].iloc[:2].to_numpy().tolist() == [[3, 5], [5, 7]]
        assert found["num_blocks"].iloc[:2].tolist() == [0, 0]
        assert set(found["num_hypotheses"]) == {7}
        assert set(found["gate"]) == {"UNRESOLVED"}
        assert not found["complete"].any()

    def test_probability_lower(self) -> None:
        found = contrasts(
            table(DEPTH_STUDY, lambda cell: -1.0 * cell["batch_norm"]), ["batch_norm"], "test_loss"
        )
        assert found["probability_lower"].iloc[0] == 1

    def test_order_of_rows_changes_nothing(self) -> None:
        frame = table({"depth": [3, 5], "batch_norm": [False, True]}, deeper_is_worse)
        shuffled = frame.sample(frac=1, random_state=1)
        first, second = (contrasts(rows, ["depth"], "test_loss") for rows in (frame, shuffled))
        pd.testing.assert_frame_equal(first, second)

    def test_input_is_left_alone(self) -> None:
        frame = table({"depth": [3, 5]})
        before = frame.copy(deep=True)
        contrasts(frame, ["depth"], "test_loss", 0.02)
        pd.testing.assert_frame_equal(frame, before)


class TestPoorTables:
    def test_missing_cell_withholds_every_claim(self) -> None:
        frame = table(DEPTH_STUDY, deeper_is_worse).drop(index=5)
        found = contrasts(frame, ["depth"], "test_loss", 0.02)
        assert set(found["gate"]) == {"UNRESOLVED"}
        assert found["estimate"].iloc[1] == pytest.approx(0.07, abs=0.01)
        assert not found["complete"].any()

    def test_level_of_a_categorical_without_rows(self) -> None:
        frame = table({"optimizer": ["sgd", "adam"]})
        frame["optimizer"] = frame["optimizer"].astype(pd.CategoricalDtype(["sgd", "adam", "rmsprop"]))
        found = contrasts(frame, ["optimizer"], "test_loss")
        assert found["num_blocks"].tolist() == [10, 0]
        assert math.isnan(found["estimate"].iloc[1])
        assert set(found["gate"]) == {"UNRESOLVED"}

    def test_nan_outcome_is_a_missing_cell(self) -> None:
        frame = table(DEPTH_STUDY, deeper_is_worse)
        frame.loc[0, "test_loss"] = np.nan
        assert set(contrasts(frame, FACTORS, "test_loss")["gate"]) == {"UNRESOLVED"}

    def test_all_nan(self) -> None:
        found = contrasts(table({"depth": [3, 5]}).assign(test_loss=np.nan), ["depth"], "test_loss", 0.02)
        assert found["num_blocks"].tolist() == [0]
        assert found["gate"].tolist() == ["UNRESOLVED"]

    def test_one_block(self) -> None:
        found = contrasts(
            table({"depth": [3, 5]}, deeper_is_worse, num_blocks=1), ["depth"], "test_loss", 0.02
        )
        assert found["estimate"].notna().all()
        assert found[["ci_low", "ci_high", "p", "simultaneous_low"]].isna().all(axis=None)
        assert found["gate"].tolist() == ["UNRESOLVED"]

    @pytest.mark.parametrize(("num_blocks", "gate"), [(2, "UNRESOLVED"), (3, "INDICATED"), (9, "INDICATED")])
    def test_few_blocks(self, num_blocks: int, gate: str) -> None:
        frame = table({"depth": [5, 7]}, deeper_is_worse, num_blocks=num_blocks)
        assert contrasts(frame, ["depth"], "test_loss", 0.02)["gate"].tolist() == [gate]

    def test_one_level_and_an_empty_frame_have_no_contrasts(self) -> None:
        for frame in (table({"depth": [3]}), table({"depth": [3]}).iloc[:0]):
            found = contrasts(frame, ["depth"], "test_loss", 0.02)
            assert list(found.columns) == COLUMNS
            assert found.empty

    def test_constant_outcome_is_no_evidence_of_equality(self) -> None:
        frame = table(DEPTH_STUDY).assign(test_loss=math.log(10))
        found = contrasts(frame, FACTORS, "test_loss", 0.02)
        assert set(found["gate"]) == {"UNRESOLVED"}
        assert (found["p"] == 1).all()
        assert (found[["estimate", "ci_low", "ci_high"]] == 0).all(axis=None)

    @pytest.mark.parametrize("difference", [0.0, 0.1])
    def test_a_difference_without_spread_is_no_evidence(self, difference: float) -> None:
        frame = table({"depth": [3, 5]}, lambda cell: difference * (cell["depth"] == 5), noise=0.0)
        found = contrasts(frame, ["depth"], "test_loss", 0.02)
        assert found["estimate"].tolist() == pytest.approx([difference])
        assert found["gate"].tolist() == ["UNRESOLVED"]

    def test_unknown_factor(self) -> None:
        with pytest.raises(ValueError, match="unknown factor 'width'"):
            contrasts(table({"depth": [3, 5]}), ["width"], "test_loss")


class TestSimpleEffects:
    def test_each_level_is_gated_alone(self) -> None:
        frame = table(DEPTH_STUDY, only_at_high_dropout)
        found = simple_effects(frame, FACTORS, "test_loss", 0.02)
        assert len(found) == 2 * (3 + 2 + 3) + 2 * (3 + 2 + 3) + 1 * (3 + 3 + 3) + 2 * (3 + 3 + 2)
        last = found[(found["level_b"] == 7) & (found["by"] == "dropout")]
        assert last["by_level"].tolist() == [0.1, 0.3, 0.5]
        assert last["gate"].tolist() == ["EQUIVALENT", "EQUIVALENT", "MEANINGFUL"]
        assert last["estimate"].iloc[2] == pytest.approx(0.3, abs=0.02)

    def test_a_factor_with_one_level_is_not_averaged_over(self) -> None:
        frame = table(
            {"depth": [3, 5], "dropout": [0.1, 0.3], "batch_norm": [False, True], "optimizer": ["adam"]}
        )
        found = simple_effects(frame, ["depth", "dropout", "batch_norm", "optimizer"], "test_loss")
        by_dropout = found[(found["factor"] == "depth") & (found["by"] == "dropout")]
        assert set(by_dropout["averages_over"]) == {("batch_norm",)}

    def test_a_reversal_is_named_by_the_contrast(self) -> None:
        frame = table(TWO, crossing)
        row = contrasts(frame, ["depth"], "test_loss", 0.02).iloc[0]
        assert row["gate"] == "INTERACTION"
        assert row["reverses"]

    def test_a_reversal_needs_no_smallest_effect(self) -> None:
        frame = table(TWO, crossing)
        assert contrasts(frame, ["depth"], "test_loss")["gate"].tolist() == ["INTERACTION"]


class TestAtBest:
    def search(self, **marks: Any) -> pd.DataFrame:
        cells = table(DEPTH_STUDY, only_at_high_dropout, num_blocks=1, noise=0.0).drop(columns=["block"])
        cells = cells.rename(columns={"test_loss": "objective"})
        cells["objective"] += 0.01 * (cells["dropout"] != 0.3)
        return cells.assign(**marks)

    def test_the_best_cell_of_each_level_is_compared(self) -> None:
        frame = table(DEPTH_STUDY, only_at_high_dropout)
        found = at_best(frame, ["depth"], "test_loss", self.search(), smallest_effect=0.02)
        best = found["best_b"].iloc[1]
        assert best == {"depth": 7, "dropout": 0.3, "batch_norm": False, "optimizer": "sgd"}
        here = frame[(frame[list(best)] == pd.Series(best)).all(axis=1)]["test_loss"].to_numpy()
        there = {**best, "depth": 5}
        other = frame[(frame[list(there)] == pd.Series(there)).all(axis=1)]["test_loss"].to_numpy()
        assert found["estimate"].iloc[1] == pytest.approx((here - other).mean())
        assert found["estimate"].abs().max() < 0.02

    def test_a_best_cell_at_the_end_of_its_range_is_limited(self) -> None:
        frame = table(DEPTH_STUDY, deeper_is_worse)
        found = at_best(frame, ["depth"], "test_loss", self.search(at_boundary=True))
        assert set(found["gate"]) == {"BOUNDARY"}

    def test_an_objective_that_is_not_finite_is_never_best(self) -> None:
        search = self.search()
        search.loc[search["dropout"] == 0.3, "objective"] = np.nan
        found = at_best(table(DEPTH_STUDY), ["depth"], "test_loss", search)
        assert {cell["dropout"] for cell in found["best_a"]} == {0.1}

    def test_one_pair_of_cells_is_one_hypothesis_with_one_interval_mirrored(self) -> None:
        levels: dict[str, list[Any]] = {"depth": [3, 5], "optimizer": ["sgd", "rmsprop"]}
        frame = table(levels)
        search = frame[frame["block"] == 0].drop(columns=["block"]).rename(columns={"test_loss": "objective"})
        crossed = (search["depth"] == 5) == (search["optimizer"] == "sgd")
        found = at_best(
            frame, list(levels), "test_loss", search.assign(objective=np.where(crossed, 0.1, 0.2))
        )
        assert found["best_a"].tolist() == found["best_b"].tolist()[::-1]
        assert found["same_cells_as"].tolist() == [None, 0]
        assert set(found["num_hypotheses"]) == {1}
        first, second = found.to_dict("records")
        assert second["simultaneous_low"] == pytest.approx(-first["simultaneous_high"])
        assert second["estimate"] == pytest.approx(-first["estimate"])

    def test_a_level_of_the_plan_without_a_cell_counts_and_is_not_compared(self) -> None:
        frame, search = table(DEPTH_STUDY), self.search()
        kept = frame[frame["depth"] != 7], search[search["depth"] != 7]
        found = at_best(kept[0], ["depth"], "test_loss", kept[1], levels=DEPTH_STUDY)
        assert found["best_b"].tolist()[1] is None
        assert set(found["num_hypotheses"]) == {2}
        assert found["complete"].tolist() == [True, False]

    def test_new_samples_have_a_family_of_their_own_and_the_ratio_as_trained(self) -> None:
        frame = table(DEPTH_STUDY, deeper_is_worse, noise=0.001)
        beyond = Family(share=0.0025, num_hypotheses=2)
        settings: dict[str, Any] = {"beyond": beyond, "first_blocks": list(range(10))}
        ratios = [ratio_as_trained(share) for share in (None, 0.1)]
        whole, tenth = (
            at_best(frame, ["depth"], "test_loss", self.search(), **settings, ratio=lambda *_, own=own: own)
            for own in ratios
        )
        half = stats.t.ppf(1 - 0.0025 / 4, 9) * whole["sd"] / math.sqrt(10)
        for found, factor in ((whole, 2.0817), (tenth, 5.8595)):
            widths = ((found["sample_high"] - found["sample_low"]) / (2 * half)).tolist()
            assert widths == pytest.approx([factor] * 2, rel=1e-4)
        assert whole["beyond_sample"].tolist() == (whole["direction"] & (whole["sample_low"] > 0)).tolist()
        assert not at_best(frame, ["depth"], "test_loss", self.search())["beyond_sample"].any()

    def test_a_level_without_search_is_named(self) -> None:
        search = self.search()
        with pytest.raises(ValueError, match="no cell with depth 7"):
            at_best(table(DEPTH_STUDY), ["depth"], "test_loss", search[search["depth"] != 7])
