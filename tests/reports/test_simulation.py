"""Simulated studies with a known truth: intervals cover, claims hold, and wrong ways of doing it fail.

Normal noise of sd 1 per network, block effects of sd 2, the 54 cells of depth_study over 10 blocks, unless stated.
Claims are counted in the sentences that come out. Seeds are fixed, numbers of studies chosen for a standard error
near a third of a percentage point. What takes longest is marked `slow`: `test_whole_pages` counts the same claims, and
more, in fewer studies.
"""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from reports.results.looks import rules_at
from reports.statistics.contrasts import contrasts
from reports.statistics.effects import failure_rates, failures_first
from reports.statistics.gates import Gate, Rules
from reports.statistics.paired import sign_flip, summarise
from tests.reports.balanced import DEPTH_STUDY, table
from tests.reports.simulation import (
    Floats,
    covered,
    effect_of_power,
    noise,
    searched,
    sentences,
    share_claiming,
    survivors,
    weights,
    whole_answer,
)

FALSE_CLAIMS = 0.057
NAMES, WEIGHTS = weights()
ONE = NAMES[:1]


def generator(seed: int) -> np.random.Generator:
    return np.random.default_rng(seed)


def families(num: int, seed: int) -> Floats:
    return np.asarray(WEIGHTS @ noise(num, 10, generator(seed)))


def test_the_simulation_stands_for_the_real_thing() -> None:
    frame = table(DEPTH_STUDY, seed=5)
    found = contrasts(frame, list(DEPTH_STUDY), "test_loss")
    wide = frame.set_index([*DEPTH_STUDY, "block"])["test_loss"].unstack("block")
    keys = pd.MultiIndex.from_product(list(DEPTH_STUDY.values()), names=list(DEPTH_STUDY))
    outcomes = wide.reindex(keys).to_numpy()
    assert [*zip(found["factor"], found["level_a"], found["level_b"], strict=True)] == NAMES
    assert (WEIGHTS @ outcomes).mean(axis=1) == pytest.approx(found["estimate"].to_numpy())


class TestTruthIsTold:
    def test_every_contrasts_interval_covers(self) -> None:
        found = summarise(families(8000, seed=0) + 0.3)
        for place in range(len(NAMES)):
            assert 0.93 <= covered(found.ci_low[:, place], found.ci_high[:, place], 0.3) <= 0.97

    def test_null_families_seldom_claim_a_direction(self) -> None:
        texts = [sentences(study, NAMES, smallest_effect=None) for study in families(4000, seed=1)]
        assert 0.02 <= share_claiming(texts, "direction") <= FALSE_CLAIMS

    @pytest.mark.slow
    @pytest.mark.parametrize("claim", ["equivalent", "meaningful"])
    def test_effects_at_the_margin_are_seldom_called_equal_or_meaningful(self, claim: str) -> None:
        margin = 0.6  # 5.7 standard errors: the interval can lie wholly on either side
        texts = [sentences(study, NAMES, margin) for study in families(3000, seed=2) + margin]
        assert 0.005 <= share_claiming(texts, claim) <= FALSE_CLAIMS

    @pytest.mark.slow
    def test_null_studies_seldom_claim_through_interactions(self) -> None:
        # So small an effect of interest hides no interaction: the worst case.
        texts = [whole_answer(study, smallest_effect=0.05) for study in noise(1500, 10, generator(3))]
        assert share_claiming(texts, "direction") <= FALSE_CLAIMS

    def test_one_contrast_has_the_power_of_theory(self) -> None:
        effect = effect_of_power(0.8, num_blocks=10)
        studies = generator(4).normal(effect, 1, (5000, 1, 10))
        texts = [sentences(study, ONE, smallest_effect=None) for study in studies]
        assert 0.77 <= share_claiming(texts, "higher") <= 0.83
        assert share_claiming(texts, "lower") <= 0.01

    @pytest.mark.parametrize("share", [0.25, 0.5])
    def test_small_effects_seldom_get_the_wrong_sign(self, share: float) -> None:
        effect = share * effect_of_power(0.8, num_blocks=10)
        studies = generator(5).normal(effect, 1, (4000, 1, 10))
        texts = [sentences(study, ONE, smallest_effect=None) for study in studies]
        assert share_claiming(texts, "lower") <= 0.01

    def test_rates_chosen_on_the_mean_of_ten_blocks_leave_coverage_alone(self) -> None:
        found = summarise(searched(6000, generator(6), seeds_per_choice=10))
        assert 0.93 <= covered(found.ci_low, found.ci_high, 0) <= 0.97

    def test_planned_looks_share_the_error(self) -> None:
        assert looked(rules=[rules_at([10, 20, 40], count) for count in (10, 20, 40)]) <= FALSE_CLAIMS


class TestWrongWaysFail:
    """Negative controls: each of these is done in practice, and each must fail the test above."""

    def test_rates_chosen_on_one_seed(self) -> None:
        found = summarise(searched(6000, generator(6), seeds_per_choice=1))
        assert 0.70 <= covered(found.ci_low, found.ci_high, 0) <= 0.90

    def test_pooled_runs_as_replicates(self) -> None:
        # Each level of a null study has its own effect in each block (sd .5): 18 cells share it.
        draw = generator(7)
        shared = draw.normal(0, 0.5 * math.sqrt(2), (3000, 1, 10))
        differences = shared + draw.normal(0, math.sqrt(2), (3000, 18, 10))
        pooled = stats.ttest_1samp(differences.reshape(3000, -1), 0, axis=1)
        blocked = summarise(differences.mean(axis=1))
        assert (pooled.pvalue < 0.05).mean() > 0.2
        assert (blocked.p < 0.05).mean() <= FALSE_CLAIMS

    def test_survivors_of_one_asha_over_all_cells(self) -> None:
        everyone, kept = survivors(2000, generator(8), effect=-2.0)
        assert everyone.mean() == pytest.approx(-2.0, abs=0.02)
        assert -1.4 < kept.mean() < -0.6

    def test_unadjusted_looks(self) -> None:
        assert looked(rules=[Rules()] * 3) > 0.08


def looked(rules: list[Rules]) -> float:
    """Share of null studies in which a direction opens at one of the looks at 10, 20 and 40 blocks."""
    studies = generator(9).normal(0, 1, (4000, 40))
    claimed = np.zeros(len(studies), dtype=bool)
    for count, rule in zip((10, 20, 40), rules, strict=True):
        small = stats.ttest_1samp(studies[:, :count], 0, axis=1).pvalue < rule.alpha
        claimed[small] |= sign_flip(studies[small, :count]) < rule.alpha
    return float(claimed.mean())


class TestSkewedOutcomes:
    """A reported case: where a few networks fail, the interval of the mean covers too little."""

    def test_t_undercovers_and_the_failure_rates_come_first(self) -> None:
        draw, chance, rate = generator(10), math.log(10), 0.01
        failed = draw.random((4000, 2, 10)) < np.array([rate, 0.0])[None, :, None]
        losses = np.where(failed, chance, 0.1 + draw.normal(0, 0.01, failed.shape))
        found = summarise(losses[:, 0] - losses[:, 1])
        assert covered(found.ci_low, found.ci_high, rate * (chance - 0.1)) < 0.84

    def test_failures_come_first_only_where_levels_differ(self) -> None:
        rows = table({"depth": [3, 7]}).assign(failed=0.0)
        assert not failures_first(failure_rates(rows, ["depth"]))
        rows.loc[rows.index[-1], "failed"] = 1.0
        assert failures_first(failure_rates(rows, ["depth"]))


def test_few_blocks_never_claim_however_large_the_effect() -> None:
    for count in (3, 5, 9):
        studies = generator(11).normal(5, 1, (50, 7, count))
        texts = [sentences(study, NAMES, smallest_effect=0.1) for study in studies]
        assert share_claiming(texts, "direction", "meaningful", "equivalent") == 0
        assert all(Gate.INDICATED.value not in text for text in texts)
        assert all("needed to claim it" in text or "too early to say" in text for text in texts)
