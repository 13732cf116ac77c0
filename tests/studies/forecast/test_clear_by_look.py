"""The chance that a question is closed by a look: theory at one look, a plain loop at several."""

import math

import numpy as np
import pytest
from scipy import integrate, stats

from studies.forecast.clear_by_look import (
    DIFFERENCES,
    NUM_DRAWS,
    POOLED_VARIANCE,
    Question,
    chance_clear,
    expected_more,
    questions_of,
)

DELTA, SHARE, HYPOTHESES = 0.02, 0.025, 8
LOOKS = (10, 20, 40, 80)


def exact(spread: float, num_blocks: int, true_difference: float) -> float:
    """Integrate over the standard deviation; given it, the mean is normal and independent of it.

    With half-width h the question is open where delta - h <= |mean| <= h: nowhere if h < delta / 2.
    """
    error, df = spread / num_blocks**0.5, num_blocks - 1
    ratio = np.linspace(0, 5, 200_001)
    half = stats.t.isf(SHARE / HYPOTHESES / 2, df) * ratio * error
    mean = stats.norm(true_difference, error)
    within = np.maximum(DELTA - half, 0)
    outside = mean.cdf(-half) + mean.sf(half)
    closes = np.where(half < DELTA / 2, 1.0, outside + mean.cdf(within) - mean.cdf(-within))
    density = closes * stats.chi.pdf(ratio * df**0.5, df) * df**0.5
    return float(integrate.trapezoid(density, ratio))


def near(chance: float, other: float = 0.0) -> float:
    """Five standard errors of a simulated chance."""
    variance = max(0.0, chance * (1 - chance)) / NUM_DRAWS + other
    return 5 * math.sqrt(variance) + 1e-3


@pytest.mark.parametrize("difference", DIFFERENCES)
@pytest.mark.parametrize("spread", [0.004, 0.012, 0.025, 0.06])
@pytest.mark.parametrize("num_blocks", [10, 40])
def test_at_one_look_it_is_the_exact_probability(spread: float, num_blocks: int, difference: float) -> None:
    found = chance_clear(spread, DELTA, (num_blocks,), SHARE, HYPOTHESES, difference * DELTA, False)
    expected = exact(spread, num_blocks, difference * DELTA)
    assert found == pytest.approx((expected,), abs=near(expected))


def test_a_direction_alone_has_the_power_of_the_noncentral_t() -> None:
    """With a smallest effect that no interval fits into, the question closes where 0 is excluded."""
    spread, num_blocks, difference = 0.02, 20, 0.015
    df, shift = num_blocks - 1, difference / (spread / num_blocks**0.5)
    critical = stats.t.isf(SHARE / HYPOTHESES / 2, df)
    power = float(stats.nct.sf(critical, df, shift) + stats.nct.cdf(-critical, df, shift))
    found = chance_clear(spread, 1e-9, (num_blocks,), SHARE, HYPOTHESES, difference, False)
    assert found == pytest.approx((power,), abs=near(power))


@pytest.mark.parametrize("pools", [False, True])
def test_over_looks_it_is_what_a_loop_counts(pools: bool) -> None:
    """Study by study, look by look, with other random numbers."""
    spread, difference, num_studies = 0.03, 0.01, 1500
    generator = np.random.default_rng(7)
    later = POOLED_VARIANCE**0.5 if pools else 1.0
    num_closed = [0] * len(LOOKS)
    for _ in range(num_studies):
        scales = np.where(np.arange(LOOKS[-1]) < LOOKS[0], spread, spread * later)
        blocks = generator.normal(difference, scales)
        for place, look in enumerate(LOOKS):
            sample = blocks[:look]
            critical = stats.t.isf(SHARE / len(LOOKS) / HYPOTHESES / 2, look - 1)
            half = critical * sample.std(ddof=1) / math.sqrt(look)
            low, high = sample.mean() - half, sample.mean() + half
            if low > 0 or high < 0 or (low > -DELTA and high < DELTA):
                for reached in range(place, len(LOOKS)):
                    num_closed[reached] += 1
                break
    found = chance_clear(spread, DELTA, LOOKS, SHARE, HYPOTHESES, difference, pools)
    for chance, closed in zip(found, num_closed, strict=True):
        counted = closed / num_studies
        assert chance == pytest.approx(counted, abs=near(chance, counted * (1 - counted) / num_studies))
    assert list(found) == sorted(found)


def test_pooled_blocks_close_sooner_and_the_first_look_alike() -> None:
    apart = chance_clear(0.03, DELTA, LOOKS, SHARE, HYPOTHESES, 0.0, False)
    pooled = chance_clear(0.03, DELTA, LOOKS, SHARE, HYPOTHESES, 0.0, True)
    assert pooled[0] == apart[0]
    assert all(one > other for one, other in zip(pooled[1:], apart[1:], strict=True))


def test_half_the_smallest_effect_is_slowest() -> None:
    chances = {
        each: chance_clear(0.02, DELTA, LOOKS, SHARE, HYPOTHESES, each * DELTA, True)[2]
        for each in DIFFERENCES
    }
    assert min(chances, key=chances.__getitem__) == 0.5


def test_without_spread_all_is_clear_and_below_ten_blocks_nothing_is() -> None:
    assert chance_clear(0.0, DELTA, (10, 20), SHARE, HYPOTHESES, 0.0, True) == (1.0, 1.0)
    assert chance_clear(0.001, DELTA, (5, 20), SHARE, HYPOTHESES, 0.0, True) == (0.0, 1.0)


def test_it_is_the_same_each_time() -> None:
    one, other = (chance_clear(0.02, DELTA, LOOKS, SHARE, HYPOTHESES, 0.01, True) for _ in range(2))
    assert one == other


@pytest.mark.parametrize(
    ("spread", "smallest", "looks"),
    [(-1.0, 0.1, (10,)), (1.0, 0.0, (10,)), (1.0, 0.1, (20, 10)), (1.0, 0.1, (1, 10)), (1.0, 0.1, (10, 10))],
)
def test_what_is_no_plan_is_refused(spread: float, smallest: float, looks: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="not"):
        chance_clear(spread, smallest, looks, SHARE, HYPOTHESES, 0.0, False)


FACTORS = {"depth": (7, 3, 5), "batch_norm": (False, True), "optimizer": ("sgd", "adam", "rmsprop")}


def test_questions_are_neighbours_of_numbers_and_others_against_the_first() -> None:
    assert [(each.factor, each.level_a, each.level_b) for each in questions_of(FACTORS)] == [
        ("depth", 3, 5),
        ("depth", 5, 7),
        ("batch_norm", False, True),
        ("optimizer", "sgd", "adam"),
        ("optimizer", "sgd", "rmsprop"),
    ]


class TestExpectedMore:
    """Networks that later looks train: of the cells that open questions compare."""

    def test_nothing_where_all_closes_at_the_first_look(self) -> None:
        closed = dict.fromkeys(questions_of(FACTORS), (1.0, 1.0, 1.0, 1.0))
        assert expected_more(FACTORS, LOOKS, closed) == 0

    def test_every_compared_cell_up_to_the_last_look_where_nothing_closes(self) -> None:
        """The best cell, and for each other level the best with it: 1 + 2 + 1 + 2."""
        assert expected_more(FACTORS, LOOKS, {}) == 6 * 70

    def test_one_open_question_needs_two_cells(self) -> None:
        chances = dict.fromkeys(questions_of(FACTORS), (1.0, 1.0, 1.0, 1.0))
        chances[Question(factor="depth", level_a=5, level_b=7)] = (0.5, 0.75, 1.0, 1.0)
        assert expected_more(FACTORS, LOOKS, chances) == pytest.approx(2 * (0.5 * 10 + 0.25 * 20))

    def test_a_shared_cell_is_trained_once(self) -> None:
        factors = {"optimizer": ("sgd", "adam", "rmsprop")}
        half = dict.fromkeys(questions_of(factors), (0.5, 1.0))
        # Each of the others in half of the studies, the first where any of two is open.
        assert expected_more(factors, (10, 20), half) == pytest.approx(10 * (0.5 + 0.5 + 0.75))
