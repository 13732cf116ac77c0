"""Planned looks in simulated studies: what is said is seldom false, breaches of the rules fail, the twins agree.

Honest rules are allowed three Monte Carlo standard errors, breaches must exceed 5 % by 1.7 in the quick tests and
by three in the slow ones. Blocks are normal; the settings are in `tests.reports.looks.settings`.
"""

from __future__ import annotations

import math

import numpy as np
import pytest
from numpy.random import default_rng
from scipy import stats

from tests.reports.looks import many_studies, one_study
from tests.reports.looks.one_study import DIRECTION, EQUIVALENT, MEANINGFUL, WITHHELD, Pair
from tests.reports.looks.rules import Floats, Rules, passes_sign_flip, sign_flip_p, t_quantile
from tests.reports.looks.settings import (
    CONTROLS,
    FALSE_CLAIMS,
    HIDDEN,
    ONE,
    SPREADS,
    networks,
    tally,
)
from tests.reports.looks.worlds import (
    EIGHT_CELLS,
    MIXED,
    POOLED_VARIANCE,
    RECORDED,
    fixed,
    one_against_many,
    searched,
)

AT_BEST = 0.0275
"""The shares of loss and error rate at best together."""
PAIR: list[Pair] = [(1, 0)]


def cells(*rows: Floats) -> Floats:
    """Outcomes of a cell that is 0 in every block, and of these."""
    return np.stack([np.zeros_like(rows[0]), *rows])


def around(mean: float, sd: float, num_blocks: int = 80) -> Floats:
    """Block differences of exactly that mean and about that sd at every look: two values in turn."""
    return mean + sd * np.tile((-1.0, 1.0), num_blocks // 2)


class TestNumbers:
    @pytest.mark.parametrize("freedom", [9, 19, 39, 79])
    @pytest.mark.parametrize("upper_tail", [0.3, 0.025, 0.025 / 4 / 14, 1e-6])
    def test_quantiles_are_students(self, upper_tail: float, freedom: int) -> None:
        assert t_quantile(upper_tail, freedom) == pytest.approx(stats.t.isf(upper_tail, freedom), rel=1e-10)

    def test_sign_flips_of_ten_blocks_are_exact(self) -> None:
        for differences in default_rng(0).normal(0.5, 1, (5, 10)):
            exact = stats.permutation_test(
                (differences,), np.mean, permutation_type="samples", n_resamples=np.inf
            )
            assert sign_flip_p(differences) == pytest.approx(exact.pvalue)
            assert passes_sign_flip(differences[None])[0] == (exact.pvalue < 0.05)

    @pytest.mark.parametrize("count", [20, 80])
    def test_the_fast_sign_flip_stands_for_resampling(self, count: int) -> None:
        differences = default_rng(1).normal(2.1 / math.sqrt(count), 1, (30, count))
        p_values = np.array([sign_flip_p(row) for row in differences])
        is_clear = np.abs(p_values - 0.05) > 0.006
        assert is_clear.sum() >= 20
        assert (passes_sign_flip(differences) == (p_values < 0.05))[is_clear].all()

    @pytest.mark.parametrize("count", [20, 80])
    def test_beyond_the_first_look_an_interval_without_0_passes_the_sign_flip(self, count: int) -> None:
        differences = default_rng(2).normal(0.6, 1, (60, count))
        half = t_quantile(Rules().upper_tail(0.025, 1), count - 1) * differences.std(axis=1, ddof=1)
        excludes = differences.mean(axis=1) > half / math.sqrt(count)
        assert excludes.sum() >= 10
        assert max(sign_flip_p(row) for row in differences[excludes]) < 0.03


class TestOneStudy:
    def test_a_question_keeps_the_interval_that_closed_it(self) -> None:
        loss = cells(around(0.1, 0.03), around(0.01, 0.03))
        loss[1, 10:] = np.nan
        first, *rest = one_study.decide(loss, [(1, 0), (2, 0)], Rules())
        assert first.closed == {0: frozenset({DIRECTION, MEANINGFUL})}
        assert first.open == (1,)
        assert first.cells_to_train == {0, 2}
        assert all(set(look.read) == {1} for look in rest)

    def test_the_hypotheses_are_distinct_pairs_and_stay(self) -> None:
        loss = cells(around(0.1, 0.03), around(0.01, 0.03))
        questions = [(1, 0), (0, 1), (2, 0)]
        looks = one_study.decide(loss, questions, Rules(other_hypotheses=1))
        assert [look.num_hypotheses for look in looks] == [3] * len(looks)
        assert len(looks) > 1
        assert looks[0].read[0].low == -looks[0].read[1].high
        for look in looks:
            half = t_quantile(0.025 / 4 / 6, look.num_blocks - 1) * loss[2, : look.num_blocks].std(ddof=1)
            read = look.read[2]
            assert (read.high - read.low) / 2 == pytest.approx(half / math.sqrt(look.num_blocks))

    def test_at_the_last_look_a_question_stays_unresolved_and_nothing_is_trained(self) -> None:
        looks = one_study.decide(cells(around(0.02, 0.2)), PAIR, Rules())
        assert [look.num_blocks for look in looks] == [10, 20, 40, 80]
        assert [look.open for look in looks] == [(0,)] * 4
        assert [look.cells_to_train for look in looks] == [{0, 1}] * 3 + [set()]

    def test_what_may_not_claim_closes_at_the_first_look(self) -> None:
        loss = cells(np.full(80, 0.3), around(0.1, 0.03), around(0.1, 0.03))
        (only,) = one_study.decide(loss, [(1, 0), (2, 0), (3, 0)], Rules(), withheld={1}, error=loss)
        assert [only.closed[place] for place in (0, 1)] == [frozenset({WITHHELD})] * 2
        assert DIRECTION in only.closed[2]
        assert set(only.errors) == {2}

    def test_an_error_rate_that_differs_by_the_same_in_all_blocks_claims_nothing(self) -> None:
        looks = one_study.decide(cells(around(0.02, 0.2)), PAIR, Rules(), error=cells(np.full(80, 0.001)))
        assert [look.errors[0].gates for look in looks] == [frozenset()] * 4

    def test_direction_and_equality_hold_together(self) -> None:
        (only,) = one_study.decide(cells(around(0.01, 0.002)), PAIR, Rules())
        assert only.closed[0] == {DIRECTION, EQUIVALENT}

    def test_an_interval_without_0_that_fails_the_sign_flip_stays_open(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(one_study, "sign_flip_p", lambda differences: 0.05)
        loss = cells(around(0.1, 0.03), around(0.01, 0.002))
        looks = one_study.decide(loss, [(1, 0), (2, 0)], Rules())
        assert looks[0].read[0].low > 0
        assert looks[0].open == looks[-1].open == (0,)
        assert looks[0].closed == {1: {EQUIVALENT}}

    def test_an_error_rate_is_read_until_its_claim_and_while_its_question_is_open(self) -> None:
        looks = one_study.decide(
            cells(around(0.02, 0.2), around(0.1, 0.03)),
            [(1, 0), (2, 0)],
            Rules(),
            error=cells(around(0.05, 0.001), around(0.0, 0.2)),
        )
        assert [set(look.errors) for look in looks] == [{0, 1}, set(), set(), set()]
        assert looks[0].errors[0].gates == {DIRECTION, MEANINGFUL}
        assert looks[0].errors[1].gates == set()

    def test_a_block_that_an_open_question_lacks_is_refused(self) -> None:
        loss = cells(around(0.01, 0.03))
        loss[1, 15] = np.nan
        with pytest.raises(ValueError, match="outcomes in all of 20 blocks"):
            one_study.decide(loss, PAIR, Rules())


class TestTwins:
    @pytest.mark.parametrize("world", ["fixed", "searched", "one look"])
    def test_many_studies_are_decided_as_each_alone(self, world: str) -> None:
        rules = Rules(looks=(10,)) if world == "one look" else Rules(other_hypotheses=1)
        draw = default_rng(3)
        drawn = (
            searched(12, draw, 0.5, spreads=RECORDED)
            if world == "searched"
            else fixed(12, draw, MIXED, spreads=RECORDED, looks=rules.looks)
        )
        together = many_studies.decide(drawn, rules)
        for study in range(12):
            questions = [(int(a), int(b)) for a, b in drawn.pairs[0, study]]
            looks = one_study.decide(drawn.loss[study], questions, rules, error=drawn.error[study])
            assert looks[0].num_hypotheses == together.num_hypotheses[study]
            closed_at = {place: number for number, look in enumerate(looks) for place in look.closed}
            added = np.diff(rules.looks).tolist()
            trained = [len(look.cells_to_train) * more for look, more in zip(looks, added, strict=False)]
            assert [*trained, *[0] * (len(added) - len(trained))] == together.trained[study].tolist()
            for place in range(len(questions)):
                assert closed_at.get(place, -1) == together.closed_at[study, place]
                kept = looks[closed_at.get(place, -1)].read[place]
                ends = together.low[study, place], together.high[study, place]
                assert (kept.low, kept.high) == pytest.approx(ends)
                gates = {
                    DIRECTION: together.direction,
                    MEANINGFUL: together.meaningful,
                    EQUIVALENT: together.equivalent,
                }
                assert kept.gates == {gate for gate, said in gates.items() if said[study, place]}
                claimed = any(look.errors[place].gates for look in looks if place in look.errors)
                assert claimed == together.error_claimed[study, place]


class TestWorlds:
    def test_blocks_scatter_as_stated(self) -> None:
        drawn = fixed(2000, default_rng(4), (0, 1), ONE, spreads=(0.03, 0.03))
        differences = drawn.loss[:, 1] - drawn.loss[:, 0]
        assert differences.mean() == pytest.approx(0.02, abs=0.0003)
        assert differences[:, :10].std() == pytest.approx(0.03, rel=0.02)
        assert differences[:, 10:].std() == pytest.approx(0.03 * math.sqrt(POOLED_VARIANCE), rel=0.02)

    def test_a_search_selects_without_reading_the_confirm_phase(self) -> None:
        drawn = searched(2000, default_rng(5), 0.0)
        assert drawn.loss.mean() == pytest.approx(0, abs=0.0002)
        counted = many_studies.num_distinct(drawn.pairs[0])
        assert 5 < counted.mean() < 5.5
        assert counted.max() == 7
        # Where one cell is far ahead and levels differ by far, every pair is a pair of its own.
        assert (many_studies.num_distinct(searched(200, default_rng(6), 10.0).pairs[0]) == 7).all()

    def test_only_pooling_the_first_look_lets_the_winners_luck_in(self) -> None:
        def luck(pooled: bool) -> tuple[float, float]:
            drawn = one_against_many(1000, default_rng(7), pooled_at_first=pooled, sd=0.03)
            winner = np.take_along_axis(drawn.loss, drawn.pairs[0, :, :, :1], axis=1)[:, 0]
            spread = drawn.loss[:, 0].std(axis=0)
            assert spread[10:].mean() == pytest.approx(0.03 * math.sqrt(POOLED_VARIANCE / 2), rel=0.02)
            return float(winner[:, :10].mean()), float(winner[:, 10:].mean())

        assert luck(pooled=False) == pytest.approx((0, 0), abs=0.0007)
        # Half of what two networks of a cell share, times the expected lowest of 27 in standard errors (2.07).
        lowest = -0.5 * 0.5 * 2.07 * 0.03 / math.sqrt(2) / math.sqrt(10)
        assert luck(pooled=True) == pytest.approx((lowest, 0), abs=0.0007)


class TestTruthIsTold:
    @pytest.mark.parametrize("name", FALSE_CLAIMS)
    def test_few_studies_say_anything_false_at_any_look(self, name: str) -> None:
        assert tally(FALSE_CLAIMS[name], 1000).at_most(AT_BEST)

    def test_the_share_is_spent_where_every_look_is_read(self) -> None:
        assert tally(FALSE_CLAIMS["one question, null, equality out of reach"], 4000).share > 0.012

    def test_a_direction_is_found_at_the_first_look_as_often_as_theory_says(self) -> None:
        drawn = fixed(6000, default_rng(8), (0, 1.5), ONE, spreads=(0.03, 0.03))
        found = many_studies.decide(drawn, Rules(share=0.05, smallest_effect=1e-9))
        expected = stats.nct.sf(stats.t.isf(0.05 / 8, 9), 9, math.sqrt(10))
        at_first = (found.closed_at[:, 0] == 0).mean()
        assert at_first == pytest.approx(expected, abs=3 * math.sqrt(0.25 / 6000))

    @pytest.mark.parametrize("kind", ["one question", "seven questions", "54 cells searched"])
    def test_all_questions_are_clear_at_last(self, kind: str) -> None:
        found = {step: tally(networks(kind, step, RECORDED), 500) for step in (0.0, 0.5, 1.0, 2.0)}
        assert min(each.clear[-1] for each in found.values()) > 0.99
        assert all((np.diff(each.clear) >= 0).all() for each in found.values())
        used = [found[step].networks.mean() for step in (2.0, 1.0, 0.0, 0.5)]
        assert used == sorted(used)


class TestBreachesFail:
    @pytest.mark.parametrize("name", CONTROLS)
    def test_a_breach_exceeds_5_percent(self, name: str) -> None:
        honest, breach = CONTROLS[name]
        found = tally(breach, 1500, seed=2)
        assert found.share - 1.7 * math.sqrt(found.share / found.num) > 0.05
        assert tally(honest, 1500, seed=2).at_most(0.05, errors=0)


@pytest.mark.slow
class TestManyStudies:
    """The same with so many studies that 5 % and 2.75 % stand several standard errors apart."""

    @pytest.mark.parametrize("name", FALSE_CLAIMS)
    def test_the_rules_keep_their_share(self, name: str) -> None:
        assert tally(FALSE_CLAIMS[name], 20_000).at_most(AT_BEST)

    @pytest.mark.parametrize("name", [*CONTROLS, *HIDDEN])
    def test_the_rules_keep_it_where_their_breach_does_not(self, name: str) -> None:
        honest, breach = {**CONTROLS, **HIDDEN}[name]
        kept, broken = tally(honest, 20_000), tally(breach, 20_000)
        assert kept.at_most(honest[1].share + honest[1].error_share)
        assert broken.share > kept.share + 3 * math.sqrt((kept.share + broken.share) / 20_000)
        assert name in HIDDEN or broken.share - 3 * math.sqrt(broken.share / 20_000) > 0.05

    @pytest.mark.parametrize("spread", SPREADS)
    def test_no_more_networks_than_the_cap_allows(self, spread: str) -> None:
        for step in (0.0, 0.5):
            found = tally(networks("seven questions", step, SPREADS[spread]), 20_000)
            assert found.networks.max() <= 70 * (1 + max(max(pair) for pair in EIGHT_CELLS))
            assert found.clear[-1] > 0.9
