"""Published analyses come out as published."""

from __future__ import annotations

import numpy as np
import pytest

from reports.statistics.budget_curve import expected_best
from reports.statistics.components import variance_components
from reports.statistics.contrasts import contrasts, probability_lower
from tests.reports.published import npk, oats


class TestOats:
    """summary(aov(Y ~ N*V + Error(B/V), oats)): Venables and Ripley (2002), section 10.2."""

    def test_nitrogen_effects_are_differences_of_the_published_means(self) -> None:
        found = contrasts(oats(), ["nitrogen"], "yield_")
        means = np.array([79.3889, 98.8889, 114.2222, 123.3889])
        assert found["estimate"].to_numpy() == pytest.approx(np.diff(means), abs=1e-3)

    def test_whole_plot_error_is_the_published_mean_square(self) -> None:
        # The three pairwise contrasts of varieties share the stratum's mean square: 601.33 on 10 df.
        first = contrasts(oats(), ["variety"], "yield_")
        rest = contrasts(oats().query("variety != 'Victory'"), ["variety"], "yield_")
        variances = [float(sd) ** 2 for sd in [*first["sd"], *rest["sd"]]]
        assert len(variances) == 3
        assert np.mean(variances) / 2 * 4 == pytest.approx(601.33, abs=0.01)

    def test_block_component_is_the_one_of_the_mixed_model(self) -> None:
        # lme(yield ~ N*V, random = ~1|B/V): 14.645^2 between blocks, (601.33 - 177.08) / 4 between whole plots.
        means = oats().groupby(["variety", "block"], as_index=False)[["yield_"]].mean()
        found = variance_components(means, "yield_")
        assert found.block == pytest.approx(14.645**2, abs=0.05)
        assert found.cell_by_block == pytest.approx(601.33 / 4, abs=0.01)


class TestNpk:
    """summary(aov(yield ~ block + N*P*K, npk)): Venables and Ripley (2002), section 6.7."""

    @pytest.mark.parametrize(
        ("factor", "effect", "squares"),
        [("N", 5.617, 189.28), ("P", -1.183, 8.40), ("K", -3.983, 95.20)],
    )
    def test_effects_and_sums_of_squares(self, factor: str, effect: float, squares: float) -> None:
        means = npk().groupby([factor, "block"], as_index=False)[["yield_"]].mean()
        estimate = contrasts(means, [factor], "yield_")["estimate"].iloc[0]
        assert estimate == pytest.approx(effect, abs=5e-4)
        assert 6 * estimate**2 == pytest.approx(squares, abs=5e-3)

    def test_all_variation_within_blocks_is_accounted_for(self) -> None:
        within = 189.28 + 8.40 + 95.20 + 21.28 + 33.14 + 0.48 + 185.29
        total = 0.0
        for factor in "NPK":
            means = npk().groupby([factor, "block"], as_index=False)[["yield_"]].mean()
            row = contrasts(means, [factor], "yield_").iloc[0]
            total += 5 * row["sd"] ** 2 + 6 * row["estimate"] ** 2
        assert total == pytest.approx(within, abs=0.02)

    def test_confounded_plots_have_no_matched_pairs(self) -> None:
        # With all three factors known, no block holds two plots that differ in one factor alone.
        found = contrasts(npk(), ["N"], "yield_").iloc[0]
        assert found["num_blocks"] == 0
        assert np.isnan(found["estimate"])
        assert found["gate"] == "UNRESOLVED"


def test_expected_maximum_of_one_to_ten_at_three_draws() -> None:
    assert expected_best(range(1, 11), lower_is_better=False)[2] == pytest.approx(8.25)


def test_probability_of_improvement_of_rliable() -> None:
    """Its own test case (tests/rliable/metrics_test.py): all pairs of runs within two tasks give 1/3."""
    x = np.array([[1, 2], [2, 2], [1, 1], [2, 1]])
    y = np.array([[1, 1], [2, 2], [3, 3]])
    assert probability_lower((y[None] - x[:, None]).astype(float)) == pytest.approx(1 / 3)
