"""Every judged network is stable, on watch or unstable, once, and the shares add up to 100 as printed."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from hypothesis import given
from hypothesis import strategies as st

from reports.stability.classes import STABLE, UNSTABLE, WATCH, class_of, classes
from reports.stability.growth import VERDICTS

OUTCOMES = ("complete", "diverged", "failed")


def networks(pairs: Sequence[tuple[str, str | None]]) -> pd.DataFrame:
    return pd.DataFrame(pairs, columns=["outcome", "verdict_trained"])


def test_a_lost_network_is_unstable_whatever_its_verdict() -> None:
    rows = networks(
        [
            ("complete", "STABLE"),
            ("complete", "WATCH"),
            ("complete", "HOT"),
            ("diverged", "STABLE"),
            ("failed", None),
        ]
    )
    assert class_of(rows).tolist() == [STABLE, WATCH, UNSTABLE, UNSTABLE, UNSTABLE]


def test_the_audited_study_adds_up() -> None:
    # 481 of 540 stable and 43 unstable are 89.1 % and 8.0 %, and 16 on watch 3.0 %: rounded each alone, 100.1 %.
    rows = networks(
        [("complete", "STABLE")] * 481 + [("complete", "WATCH")] * 16 + [("complete", "EXPLODING")] * 43
    )
    assert classes(rows).percents == {STABLE: 89.1, WATCH: 3.0, UNSTABLE: 7.9}


def test_a_network_without_a_verdict_counts_in_no_share() -> None:
    found = classes(networks([("complete", None), ("complete", "STABLE")]))
    assert (found.num, found.unjudged) == (1, 1)
    assert found.shares == {STABLE: 1, WATCH: 0, UNSTABLE: 0}


def test_no_network_has_no_shares() -> None:
    found = classes(networks([]))
    assert set(found.shares.values()) == set(found.percents.values()) == {None}


@given(
    st.lists(
        st.tuples(st.sampled_from(OUTCOMES), st.sampled_from((*VERDICTS, None))), min_size=1, max_size=80
    )
)
def test_shares_add_up_and_are_roundings(pairs: list[tuple[str, str | None]]) -> None:
    rows = networks(pairs)
    found = classes(rows)
    assert found.num + found.unjudged == len(rows)
    if not found.num:
        return
    percents = [each for each in found.percents.values() if each is not None]
    assert round(10 * sum(percents)) == 1000
    exact = [100 * each for each in found.shares.values() if each is not None]
    assert np.abs(np.subtract(percents, exact)).max() < 0.1
