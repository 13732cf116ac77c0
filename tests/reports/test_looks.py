"""Looks divide the error rate, and nothing is claimed before the first."""

from __future__ import annotations

import pytest

from reports.looks import rules_at, shares


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
