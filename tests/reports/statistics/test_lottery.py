"""The lottery's shares are those of the blocks, each of them one sweep."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest

from reports.statistics.lottery import lottery
from tests.reports.balanced import table

SCORES = {3: [0.1, 0.4, 0.5], 5: [0.2, 0.3, 0.6], 7: [0.9, 0.9, 0.4]}


def frame(scores: dict[int, list[float]]) -> pd.DataFrame:
    rows = [(depth, block, loss) for depth, losses in scores.items() for block, loss in enumerate(losses)]
    return pd.DataFrame(rows, columns=["depth", "block", "test_loss"])


def test_each_block_is_a_sweep() -> None:
    found = lottery(frame(SCORES), ["depth"], "test_loss", {("depth", 3, 5): 0.05, ("depth", 5, 7): 0.3})
    assert found is not None
    assert found.num_sweeps == 3
    assert found.winner == {"depth": 3}  # 0.333, 0.367, 0.733
    assert found.share_other == pytest.approx(2 / 3)
    assert dict(zip(found.crowned["depth"], found.crowned["share"], strict=True)) == {
        depth: pytest.approx(1 / 3) for depth in (3, 5, 7)
    }
    # 5 - 3 is .1, -.1, .1 and claimed to be positive; 7 - 5 is .7, .6, -.2.
    assert found.signs["share_wrong"].tolist() == pytest.approx([1 / 3, 1 / 3])


def test_a_difference_between_splits_is_no_sweep() -> None:
    """Blocks that shift all configurations alike crown the same one in every sweep; mixed splits would not."""
    shifted = frame({3: [0.1, 1.1, 2.1], 5: [0.2, 1.2, 2.2]})
    found = lottery(shifted, ["depth"], "test_loss", {("depth", 3, 5): 0.1})
    assert found is not None
    assert found.share_other == 0
    assert found.signs["share_wrong"].tolist() == [0]


def test_a_sign_is_wrong_of_a_claimed_direction_alone() -> None:
    found = lottery(frame(SCORES), ["depth"], "test_loss", at_best={("depth", 5, 7): -0.1})
    assert found is not None
    assert found.signs["share_wrong"].isna().all()
    assert math.isnan(found.signs_at_best["share_wrong"].iloc[0])
    # 7 - 5 is .7, .6, -.2 and claimed to be negative.
    assert found.signs_at_best["share_wrong"].iloc[1] == pytest.approx(2 / 3)
    assert found.signs_at_best["estimate"].iloc[1] == -0.1


def test_shares_are_those_of_a_naive_count() -> None:
    rows = table({"depth": [3, 5, 7], "batch_norm": [False, True]}, noise=0.05)
    found = lottery(rows, ["depth", "batch_norm"], "test_loss")
    assert found is not None
    winners = rows.loc[rows.groupby("block")["test_loss"].idxmin(), ["depth", "batch_norm"]]
    for row in found.crowned.to_dict("records"):
        won = (winners["depth"] == row["depth"]) & (winners["batch_norm"] == row["batch_norm"])
        assert row["share"] == pytest.approx(won.mean())
    assert found.crowned["share"].sum() == pytest.approx(1)


def test_equal_configurations_share_the_crown() -> None:
    found = lottery(frame({3: [0.1, 0.1], 5: [0.1, 0.1]}), ["depth"], "test_loss")
    assert found is not None
    assert found.crowned["share"].tolist() == [0.5, 0.5]


def test_missing_networks_take_no_part() -> None:
    lacking = frame({3: [0.1, math.nan, math.nan], 5: [0.2, 0.3, math.nan], 7: [math.nan] * 3})
    found = lottery(lacking, ["depth"], "test_loss", {("depth", 3, 5): 0.1, ("depth", 5, 7): 0.1})
    assert found is not None
    assert found.num_sweeps == 2
    assert found.crowned["depth"].tolist() == [3, 5]
    assert found.crowned["share"].tolist() == [0.5, 0.5]
    assert found.signs["share_wrong"].iloc[0] == 0
    assert math.isnan(found.signs["share_wrong"].iloc[1])


def test_nothing_to_draw_from() -> None:
    assert lottery(frame({3: [math.nan]}), ["depth"], "test_loss") is None
    assert lottery(frame({3: [0.1]}).iloc[:0], ["depth"], "test_loss") is None


def test_at_best_levels_are_compared_by_their_lowest_network_of_the_sweep() -> None:
    scores = {(3, False): [0.1, 0.5], (3, True): [0.3, 0.3], (5, False): [0.2, 0.25], (5, True): [0.9, 0.9]}
    rows = [
        (depth, norm, block, loss)
        for (depth, norm), losses in scores.items()
        for block, loss in enumerate(losses)
    ]
    frame = pd.DataFrame(rows, columns=["depth", "batch_norm", "block", "test_loss"])
    found = lottery(frame, ["depth", "batch_norm"], "test_loss", at_best={("depth", 3, 5): -0.02})
    assert found is not None
    # 0.2 - 0.1 and 0.25 - 0.3.
    assert np.isclose(found.signs_at_best["share_wrong"].iloc[0], 0.5)
