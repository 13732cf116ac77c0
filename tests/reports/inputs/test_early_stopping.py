"""What networks that stopped early count as once they rest."""

import math

import pandas as pd
import pytest

from reports.inputs.early_stopping import best_so_far, kept, rested, stops_early

TRIALS = pd.DataFrame({"number": [1], "epochs": [5]})
EPOCHS = pd.DataFrame(
    [
        *[(1, 0, 1, 0.9), (1, 0, 2, 0.5), (1, 0, 3, 0.7)],
        *[(1, 1, epoch, 1.0 - 0.1 * (epoch % 4)) for epoch in range(1, 6)],
        *[(1, 2, 1, 0.8), (1, 2, 2, math.nan)],
    ],
    columns=["trial_number", "replicate", "epoch", "val_loss"],
).assign(learning_rate=0.1)
REPLICATES = pd.DataFrame(
    {
        "trial_number": [1, 1, 1],
        "replicate": [0, 1, 2],
        "best_epoch": [2.0, 3.0, math.nan],
        "stopped_epoch": [3.0, math.nan, 2.0],
    }
)


def losses(frame: pd.DataFrame, replicate: int) -> list[float]:
    own = frame[frame["replicate"] == replicate].sort_values("epoch")
    assert list(own["epoch"]) == list(range(1, len(own) + 1))
    return list(own["val_loss"])


def test_a_network_at_rest_counts_with_its_best_epoch_and_has_no_rate() -> None:
    frame = rested(EPOCHS, REPLICATES, TRIALS)
    assert losses(frame, 0) == [0.9, 0.5, 0.7, 0.5, 0.5]
    assert losses(frame, 1) == pytest.approx([0.9, 0.8, 0.7, 1.0, 0.9])
    assert len(losses(frame, 2)) == 2, "it diverged"
    assert frame.loc[(frame["replicate"] == 0) & (frame["epoch"] > 3), "learning_rate"].isna().all()


def test_at_the_last_epoch_all_count_with_what_they_keep() -> None:
    frame = kept(EPOCHS, REPLICATES, TRIALS, last=5)
    assert losses(frame, 0) == [0.9, 0.5, 0.5, 0.5, 0.5]
    assert losses(frame, 1) == pytest.approx([0.9, 0.8, 0.7, 1.0, 0.7])
    stopped_by_asha = kept(EPOCHS, REPLICATES, TRIALS, last=9)
    assert losses(stopped_by_asha, 1) == pytest.approx([0.9, 0.8, 0.7, 1.0, 0.9])


def test_the_best_so_far_never_rises() -> None:
    frame = rested(EPOCHS, REPLICATES, TRIALS)
    frame = frame.assign(best=best_so_far(frame, REPLICATES, "val_loss")).sort_values(["replicate", "epoch"])
    assert list(frame.loc[frame["replicate"] == 0, "best"]) == [0.9, 0.5, 0.5, 0.5, 0.5]
    assert list(frame.loc[frame["replicate"] == 1, "best"]) == pytest.approx([0.9, 0.8, 0.7, 0.7, 0.7])


def test_without_early_stopping_nothing_changes() -> None:
    plain = REPLICATES.drop(columns=["best_epoch", "stopped_epoch"])
    assert rested(EPOCHS, plain, TRIALS) is EPOCHS
    assert kept(EPOCHS, plain, TRIALS, last=5) is EPOCHS
    assert list(best_so_far(EPOCHS, plain, "val_loss")[:3]) == [0.9, 0.5, 0.7]


def test_where_none_has_stopped_nothing_changes() -> None:
    none = REPLICATES.assign(stopped_epoch=math.nan)
    pd.testing.assert_frame_equal(rested(EPOCHS, none, TRIALS), EPOCHS)


def test_a_plan_that_stops_early() -> None:
    assert stops_early({"fixed": {"patience": 3}})
    assert stops_early({"nuisances": {"patience": {"low": 1, "high": 3}}})
    assert not stops_early({"factors": {"depth": [1]}, "fixed": {}, "nuisances": {}})
