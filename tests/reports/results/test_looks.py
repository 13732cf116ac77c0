"""Looks divide the error rate, and nothing is claimed before the first."""

from __future__ import annotations

from dataclasses import replace

import pandas as pd
import pytest
from pandas.testing import assert_frame_equal

from reports.pages.json_report import json_report
from reports.results.accounting import AccountingError
from reports.results.best import best_configuration
from reports.results.looks import rules_at, shares
from reports.results.results import compute
from tests.reports.looked_at import looked_at, without
from tests.reports.odd_inputs import recorded_before


def test_shares_sum_to_one_and_leave_half_to_the_last() -> None:
    assert shares([10]) == (1.0,)
    assert shares([10, 20]) == (0.5, 0.5)
    assert shares([10, 20, 40]) == (0.25, 0.25, 0.5)


@pytest.mark.parametrize("looks", [[], [20, 10], [10, 10], [0, 10]])
def test_looks_that_do_not_grow_are_refused(looks: list[int]) -> None:
    with pytest.raises(ValueError, match="growing numbers of blocks"):
        shares(looks)


@pytest.mark.parametrize(
    ("num_blocks", "alpha"), [(5, 0.0125), (10, 0.0125), (19, 0.0125), (40, 0.025), (60, 0.025)]
)
def test_the_look_reached_sets_alpha(num_blocks: int, alpha: float) -> None:
    assert rules_at([10, 20, 40], num_blocks).alpha == pytest.approx(alpha)


def test_claims_wait_for_the_first_look() -> None:
    assert rules_at([20, 40], 20).min_blocks == 20
    assert rules_at([5, 10], 5).min_blocks == 10


class TestReached:
    @pytest.mark.parametrize(("num_looks", "num_blocks"), [(1, 10), (2, 20)])
    def test_at_best_spends_half_its_share_at_each_of_two_looks_and_all_else_is_of_the_first(
        self, num_looks: int, num_blocks: int
    ) -> None:
        results = compute(looked_at(num_looks))
        assert (results.look.number, results.look.num_blocks, results.look.begun) == (
            num_looks,
            num_blocks,
            False,
        )
        assert results.look.share == 0.5
        assert set(results.at_best["share"]) == {0.0125}
        assert set(results.error_at_best["share"]) == {0.00125}
        assert set(results.at_best["num_blocks"]) == {num_blocks}
        assert set(results.contrasts["share"]) == {0.0075}
        assert set(results.growth_contrasts["share"]) == {0.0025}
        for frame in (results.contrasts, results.interactions, results.growth_contrasts):
            assert set(frame["num_blocks"]) == {10}

    @pytest.mark.parametrize(("num_looks", "num_blocks", "alpha"), [(1, 10, 0.025), (2, 20, 0.025)])
    def test_plans_of_version_2_spend_the_share_of_their_look_in_every_family(
        self, num_looks: int, num_blocks: int, alpha: float
    ) -> None:
        results = compute(recorded_before(looked_at(num_looks)))
        assert results.look.rules.alpha == pytest.approx(alpha)
        assert set(results.contrasts["num_blocks"]) == set(results.at_best["num_blocks"]) == {num_blocks}

    def test_a_look_begun_and_not_whole_is_left_out_and_claims_stay_those_of_the_one_before(self) -> None:
        half = without(looked_at(2, "running"), {19, 20})
        results, before = compute(half), compute(looked_at(1))
        assert results.look.begun
        assert_frame_equal(results.contrasts, before.contrasts)
        report = json_report(half, results)
        assert all(row["sentence"] for row in report["at_best"])
        assert "its blocks are left out" in report["notes"][0]
        assert "claims are those of the last whole look" in report["notes"][0]

    def test_before_the_first_look_is_whole_nothing_is_claimed(self) -> None:
        half = without(looked_at(1, "running"), {16})
        report = json_report(half, compute(half))
        assert report["look"]["number"] == 0
        assert {row["sentence"] for row in report["at_best"]} <= {None}

    def test_intervals_and_gates_of_version_2_spend_the_share_of_their_look(self) -> None:
        inputs = recorded_before(looked_at(1))
        results = compute(inputs)
        alone = compute(replace(inputs, plan={**inputs.plan, "looks": []}))
        width = results.contrasts["ci_high"] - results.contrasts["ci_low"]
        assert (width > alone.contrasts["ci_high"] - alone.contrasts["ci_low"]).all()
        design = json_report(inputs, results)["notes"][0]
        assert "This is look 1 of 2, at ten blocks: it spends 50\u202f% of the error rate" in design
        assert "cover 97.5\u202f%" in design

    def test_accounting_plans_every_look(self) -> None:
        overall = compute(looked_at(1)).accounting.overall
        assert (overall["planned"], overall["missing"]) == (12 + 4 * 2, 4)
        assert compute(looked_at(2)).accounting.overall["missing"] == 0

    def test_a_trial_with_the_blocks_of_another_look_is_refused(self) -> None:
        inputs = looked_at(2)
        extra = inputs.replicates.query("trial_number == 17 and replicate == 11").assign(replicate=1, block=1)
        wrong = replace(inputs, replicates=pd.concat([inputs.replicates, extra]))
        with pytest.raises(AccountingError, match="trial 17 should have 10 replicates"):
            compute(wrong)

    def test_the_best_cell_is_scored_over_all_its_looks(self) -> None:
        inputs = looked_at(2)
        best = best_configuration(inputs, compute(inputs))
        assert best is not None
        assert best["num_blocks"] == 20
        assert len(best["trial_numbers"]) == 2
