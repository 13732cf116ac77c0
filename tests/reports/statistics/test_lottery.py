"""The lottery's shares equal exact probabilities where those can be computed."""

from __future__ import annotations

import math
from itertools import product

import numpy as np
import pandas as pd
import pytest

from reports.statistics.lottery import lottery
from tests.reports.balanced import DEPTH_STUDY, table

SCORES = {3: [0.1, 0.4], 5: [0.2, 0.5], 7: [0.3, 0.6]}


def frame(scores: dict[int, list[float]]) -> pd.DataFrame:
    rows = [(depth, block, loss) for depth, losses in scores.items() for block, loss in enumerate(losses)]
    return pd.DataFrame(rows, columns=["depth", "block", "test_loss"])


def test_shares_are_those_of_all_draws() -> None:
    draws = list(product(*SCORES.values()))
    other = np.mean([losses.index(min(losses)) != 0 for losses in draws])
    wrong = np.mean([losses[1] < losses[0] for losses in draws])
    found = lottery(frame(SCORES), ["depth"], "test_loss")
    assert found is not None
    assert found.winner == {"depth": 3}
    assert found.share_other == pytest.approx(other, abs=0.02)
    assert found.signs["share_wrong"].iloc[0] == pytest.approx(wrong, abs=0.02)
    assert found.crowned["share"].sum() == pytest.approx(1)


def test_the_same_seed_draws_the_same() -> None:
    first, second = (
        lottery(table(DEPTH_STUDY), list(DEPTH_STUDY), "test_loss", 500, seed=4) for _ in range(2)
    )
    assert first is not None
    assert second is not None
    assert first.to_dict() == second.to_dict()


def test_without_noise_the_winner_always_wins() -> None:
    flat = frame({3: [0.1, 0.1], 5: [0.2, 0.2]})
    found = lottery(flat, ["depth"], "test_loss", 200)
    assert found is not None
    assert found.share_other == 0
    assert found.signs["share_wrong"].tolist() == [0]


def test_equal_configurations_share_the_crown() -> None:
    found = lottery(frame({3: [0.1, 0.1], 5: [0.1, 0.1]}), ["depth"], "test_loss")
    assert found is not None
    assert found.crowned["share"].tolist() == pytest.approx([0.5, 0.5], abs=0.02)
    assert math.isnan(found.signs["share_wrong"].iloc[0])


def test_missing_networks_are_not_drawn() -> None:
    found = lottery(
        frame({3: [0.1, math.nan], 5: [0.2, 0.3], 7: [math.nan, math.nan]}), ["depth"], "test_loss", 200
    )
    assert found is not None
    assert found.share_other == 0
    assert found.crowned["depth"].tolist() == [3, 5]
    assert found.signs["share_wrong"].iloc[0] == 0
    assert math.isnan(found.signs["share_wrong"].iloc[1])


def test_nothing_to_draw_from() -> None:
    assert lottery(frame({3: [math.nan]}), ["depth"], "test_loss") is None
    assert lottery(frame({3: [0.1]}).iloc[:0], ["depth"], "test_loss") is None


def test_at_best_levels_are_compared_by_their_lowest_network_of_the_sweep() -> None:
    scores = {(3, False): [0.1, 0.5], (3, True): [0.3, 0.3], (5, False): [0.2, 0.35], (5, True): [0.9, 0.9]}
    rows = [
        (depth, norm, block, loss)
        for (depth, norm), losses in scores.items()
        for block, loss in enumerate(losses)
    ]
    frame = pd.DataFrame(rows, columns=["depth", "batch_norm", "block", "test_loss"])
    found = lottery(frame, ["depth", "batch_norm"], "test_loss")
    assert found is not None
    draws = list(product(*scores.values()))
    # Lowest means: 0.3 at depth 3, with or without batch norm, and 0.275 at depth 5.
    wrong = np.mean([min(c, d) - min(a, b) > 0 for a, b, c, d in draws])
    row = found.signs_at_best.iloc[0]
    assert row["estimate"] == pytest.approx(0.275 - 0.3)
    assert row["share_wrong"] == pytest.approx(wrong, abs=0.02)
