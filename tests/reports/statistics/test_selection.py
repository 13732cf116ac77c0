"""The bootstrap of the search equals a naive one, and exact theory where that is known."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from reports.statistics import selection
from reports.statistics.contrasts import at_best
from reports.statistics.selection import SEED, Search, reselect, search_of

FACTORS = ["depth", "batch_norm"]
CELLS = [(3, False), (3, True), (5, False), (5, True)]


def frames(
    scores: np.ndarray, outcomes: np.ndarray, trials_per_cell: int = 2
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Candidates and confirmed networks of four cells; scores of shape (trials, blocks), outcomes (cells, blocks)."""
    blocks = range(1, scores.shape[1] + 1)
    candidates = [
        {
            **{"trial_number": number + 1, "cell": number // trials_per_cell + 1},
            **dict(zip(FACTORS, CELLS[number // trials_per_cell], strict=True)),
            **{"block": block, "score": row[block - 1]},
        }
        for number, row in enumerate(scores)
        for block in blocks
    ]
    confirmed = [
        {**dict(zip(FACTORS, cell, strict=True)), "block": block, "test_loss": row[block - 1]}
        for cell, row in zip(CELLS, outcomes, strict=True)
        for block in blocks
    ]
    return pd.DataFrame(candidates), pd.DataFrame(confirmed)


def study(seed: int = 0, noise: float = 0.1) -> tuple[pd.DataFrame, pd.DataFrame]:
    generator = np.random.default_rng(seed)
    return frames(generator.normal(0.3, noise, (8, 10)), generator.normal(0.3, noise, (4, 10)))


def laid_out(candidates: pd.DataFrame, confirmed: pd.DataFrame) -> Search:
    search = search_of(candidates, confirmed, FACTORS, "test_loss")
    assert search is not None
    return search


def test_equals_a_naive_bootstrap() -> None:
    candidates, confirmed = study()
    (found,) = reselect(laid_out(candidates, confirmed), [("depth", 3, 5)], num_draws=60)
    generator = np.random.default_rng(SEED)
    drawn = generator.multinomial(10, [0.1] * 10, 60)
    chosen, gaps = [], []
    for counts in [np.ones(10), *drawn]:
        times = dict(zip(range(1, 11), counts, strict=True))
        weighted = candidates.assign(part=candidates["score"] * candidates["block"].map(times) / 10)
        best = weighted.groupby(["depth", "batch_norm", "trial_number"])["part"].sum()
        cells = [best[depth].groupby(level=0).min().idxmin() for depth in (3, 5)]
        scored = confirmed.assign(part=confirmed["test_loss"] * confirmed["block"].map(times) / 10)
        means = scored.groupby(["depth", "batch_norm"])["part"].sum()
        chosen.append(cells)
        gaps.append(means[5, cells[1]] - means[3, cells[0]])
    assert found.share_other_a == np.mean([cells[0] != chosen[0][0] for cells in chosen[1:]])
    assert found.share_other_b == np.mean([cells[1] != chosen[0][1] for cells in chosen[1:]])
    outside = stats.norm.cdf(-stats.t.ppf(0.975, 9) * math.sqrt(10 / 9))
    assert (found.low, found.high) == pytest.approx(tuple(np.quantile(gaps[1:], [outside, 1 - outside])))


def test_the_blocks_as_they_are_select_what_the_comparison_at_best_does() -> None:
    for seed in range(5):
        candidates, confirmed = study(seed)
        means = candidates.groupby(["cell", *FACTORS, "trial_number"])["score"].mean().reset_index()
        searched = means.groupby(["cell", *FACTORS])["score"].min().reset_index()
        family = at_best(confirmed, FACTORS, "test_loss", searched.rename(columns={"score": "objective"}))
        row = family[family["factor"] == "depth"].iloc[0]
        (found,) = reselect(laid_out(candidates, confirmed), [("depth", 3, 5)], num_draws=400)
        # The bootstrap's interval of the selected cells lies around their difference, about as wide as t's.
        assert found.fixed_low < row["estimate"] < found.fixed_high
        assert found.fixed_high - found.fixed_low == pytest.approx(row["ci_high"] - row["ci_low"], rel=0.25)


def test_a_clear_search_selects_the_same_cells_in_every_draw() -> None:
    generator = np.random.default_rng(0)
    scores = np.repeat([0.1, 0.5, 0.6, 0.2], 2)[:, None] + generator.normal(0, 0.01, (8, 10))
    candidates, confirmed = frames(scores, generator.normal(0.3, 0.1, (4, 10)))
    (found,) = reselect(laid_out(candidates, confirmed), [("depth", 3, 5)])
    assert (found.share_other_a, found.share_other_b) == (0, 0)
    assert (found.low, found.high) == (found.fixed_low, found.fixed_high)
    assert found.width_ratio == 1


def test_another_cell_is_selected_as_often_as_theory_says() -> None:
    """The mean difference of two candidates in a bootstrap is normal around what was seen: P(other) = Phi(-d / se)."""
    generator = np.random.default_rng(3)
    gap = generator.normal(0, 1, 40)
    gap = gap - gap.mean() + 0.12
    scores = np.stack([np.zeros(40), gap, np.zeros(40), np.full(40, 9.0)])
    candidates, confirmed = frames(scores, generator.normal(0, 1, (4, 40)), trials_per_cell=1)
    (found,) = reselect(laid_out(candidates, confirmed), [("depth", 3, 5)], num_draws=20_000)
    expected = stats.norm.sf(0.12 / (gap.std() / math.sqrt(40)))
    assert found.share_other_a == pytest.approx(expected, abs=0.02)
    assert found.share_other_b == 0


def test_selecting_anew_widens_the_interval_where_candidates_are_close_and_differ_afterwards() -> None:
    generator = np.random.default_rng(5)
    scores = generator.normal(0.3, 0.1, (8, 10))
    scores -= scores.mean(axis=1, keepdims=True)  # as close as can be
    outcomes = np.array([0.1, 0.9, 0.5, 0.5])[:, None] + generator.normal(0, 0.02, (4, 10))
    (found,) = reselect(laid_out(*frames(scores, outcomes)), [("depth", 3, 5)])
    assert found.width_ratio > 5


def test_it_is_the_same_each_time() -> None:
    search = laid_out(*study())
    assert reselect(search, [("depth", 3, 5)]) == reselect(search, [("depth", 3, 5)])


def test_a_cell_that_was_not_confirmed_leaves_no_interval_and_a_level_without_cells_nothing() -> None:
    candidates, confirmed = study()
    gone = confirmed[~((confirmed["depth"] == 5) & confirmed["batch_norm"])]
    found, missing = reselect(laid_out(candidates, gone), [("depth", 3, 5), ("depth", 5, 7)])
    assert math.isnan(found.low)
    assert 0 <= found.share_other_b <= 1
    assert math.isnan(missing.share_other_a)


def test_one_block_or_no_candidate_is_no_search() -> None:
    candidates, confirmed = study()
    assert search_of(candidates[candidates["block"] == 1], confirmed, FACTORS, "test_loss") is None
    assert search_of(candidates.iloc[:0], confirmed, FACTORS, "test_loss") is None
    assert search_of(candidates.assign(score=np.nan), confirmed, FACTORS, "test_loss") is None


def test_many_trials_are_drawn_cell_by_cell(monkeypatch: pytest.MonkeyPatch) -> None:
    searched = laid_out(*study())
    together = reselect(searched, [("depth", 3, 5)], num_draws=200)
    monkeypatch.setattr(selection, "TRIALS_AT_ONCE", 3)
    apart = reselect(searched, [("depth", 3, 5)], num_draws=200)
    assert list(vars(apart[0]).values()) == pytest.approx(list(vars(together[0]).values()))
