"""Shares of networks: Wilson's interval in a textbook case, over blocks where networks of a block are alike."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import special, stats

from reports.statistics.shares import share_interval, wilson


def test_wilson_of_a_textbook_case() -> None:
    # Newcombe (1998), Statistics in Medicine 17, 857-872, Table I: 81 of 263, and 0 of 20.
    assert wilson(81, 263) == pytest.approx((0.2553, 0.3662), abs=5e-5)
    assert wilson(0, 20) == pytest.approx((0.0, 0.1611), abs=5e-5)
    assert all(math.isnan(bound) for bound in wilson(0, 0))


def test_one_network_a_block_gives_wilsons() -> None:
    assert share_interval([1, 0, 0, 0], [1, 2, 3, 4]) == wilson(1, 4)


def test_blocks_of_one_size_give_the_t_interval_of_their_shares_on_the_logit_scale() -> None:
    hits = np.array([[1, 1, 0, 0], [1, 0, 0, 0], [1, 1, 1, 0]])
    shares = hits.mean(axis=1)
    half = stats.t.ppf(0.975, 2) * stats.sem(shares) / (shares.mean() * (1 - shares.mean()))
    expected = special.expit(special.logit(shares.mean()) + np.array([-half, half]))
    assert share_interval(hits.ravel(), np.repeat([1, 2, 3], 4)) == pytest.approx(tuple(expected))


def test_a_share_of_none_has_the_bound_of_clopper_and_pearson_for_blocks() -> None:
    low, high = share_interval(np.zeros(180), np.repeat(np.arange(10), 18))
    assert (low, high) == pytest.approx((0, stats.beta.ppf(0.975, 1, 10)))
    low, high = share_interval(np.ones(180), np.repeat(np.arange(10), 18))
    assert (low, high) == pytest.approx((stats.beta.ppf(0.025, 10, 1), 1))


def test_several_networks_of_one_block_have_no_interval() -> None:
    assert all(math.isnan(end) for end in share_interval([1, 0], [1, 1]))


@given(st.lists(st.tuples(st.booleans(), st.integers(0, 4)), min_size=1, max_size=40))
def test_an_interval_lies_around_its_share_and_between_0_and_1(networks: list[tuple[bool, int]]) -> None:
    hits, blocks = zip(*networks, strict=True)
    low, high = share_interval(hits, blocks)
    if math.isnan(low):
        assert len(set(blocks)) == 1
        return
    share = np.mean(hits)
    assert 0 <= low <= share + 1e-12
    assert share - 1e-12 <= high <= 1


def test_over_blocks_it_covers_where_networks_of_a_block_are_alike_and_wilsons_does_not() -> None:
    # Ten blocks of 18 networks; a block's own share is beta with mean 0.3, intraclass correlation 1 / 11.
    generator = np.random.default_rng(0)
    own = generator.beta(3, 7, (600, 10, 1))
    hits = generator.random((600, 10, 18)) < own
    blocks = np.repeat(np.arange(10), 18)
    found = np.array([share_interval(study.ravel(), blocks) for study in hits])
    pooled = np.array([wilson(int(study.sum()), study.size) for study in hits])
    covered = [float(np.mean((ends[:, 0] <= 0.3) & (ends[:, 1] >= 0.3))) for ends in (found, pooled)]
    assert covered[0] > 0.925
    assert covered[1] < 0.85
