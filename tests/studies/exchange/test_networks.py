"""The records of networks: every one once, with what may be shown of it, some trials at a time."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from studies.base.states import Outcome, Phase
from studies.database.frames import networks as rows
from studies.database.store import Store
from studies.exchange.networks import Network, _plain, _scores, networks
from studies.results.recorded import RecordedStudy

MOMENT = datetime(2026, 5, 4, tzinfo=UTC)


def network(**changes: Any) -> Network:
    """Return a network that was trained for ten seconds and five epochs."""
    values: dict[str, Any] = {
        "study": "depth_study",
        "trial": 12,
        "replicate": 1,
        "block": 11,
        "phase": Phase.CONFIRM,
        "cell": 3,
        "cell_levels": {"depth": 5, "batch_norm": True},
        "params": {"depth": 5},
        "outcome": Outcome.COMPLETE,
        "verdict_trained": None,
        "started_at": MOMENT,
        "ended_at": MOMENT + timedelta(seconds=10),
        "curves": {0: {}, 5: {"val_loss": 0.5}},
        "scores": {},
    }
    return Network(**(values | changes))


@pytest.mark.parametrize("at_once", [1, 3, 1000])
def test_every_network_comes_once_whatever_is_read_together(
    at_once: int, cells: RecordedStudy, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rows, "NETWORKS_AT_ONCE", at_once)
    with Store.open(cells.storage) as store:
        found = list(networks(store, cells.row))
        assert rows.count_networks(store, cells.row.id) == len(found) == 12
        assert rows.count_networks(store, cells.row.id, phase=Phase.CONFIRM) == 4
    keys = [(each.trial, each.replicate) for each in found]
    assert keys == sorted(set(keys))
    assert all(set(each.curves) == {0, 1, 2, 3} or set(each.curves) == {1, 2, 3} for each in found)


def test_names_and_groups_are_for_people() -> None:
    assert network().name == "trial 12 block 11 (confirm)"
    assert network().group == "cell 3: depth=5, batch_norm=true"
    assert network(cell=None, cell_levels=None).group == "trial 12"


def test_the_epochs_share_the_time_of_the_trial() -> None:
    start = MOMENT.timestamp()
    assert [network().seconds_at(epoch) - start for epoch in (0, 1, 5)] == [0, 2, 10]
    assert network(curves={}).seconds_at(0) - start == 10


def test_a_network_that_was_stopped_is_sound_and_one_that_diverged_is_not() -> None:
    sound = {outcome: network(outcome=outcome).is_sound for outcome in Outcome}
    assert sound == {
        Outcome.COMPLETE: True,
        Outcome.STOPPED: True,
        Outcome.DIVERGED: False,
        Outcome.FAILED: False,
    }


def test_scores_on_the_test_part_are_not_shown_in_the_search() -> None:
    row = {
        "val_loss": 0.5,
        "val_accuracy": None,
        "test_loss": 0.6,
        "test_accuracy": float("nan"),
        "metrics": {"val_macro_f1": 0.7, "test_macro_f1": 0.8, "holdout_loss": 0.9},
    }
    assert _scores(row, Phase.SEARCH, frozenset()) == {"val_loss": 0.5, "val_macro_f1": 0.7}
    assert set(_scores(row, Phase.SEARCH, frozenset({"test_macro_f1"}))) == {
        "val_loss",
        "val_macro_f1",
        "test_macro_f1",
    }
    assert set(_scores(row, Phase.CONFIRM, frozenset())) == {
        *("val_loss", "test_loss"),
        *("val_macro_f1", "test_macro_f1", "holdout_loss"),
    }


def test_hyperparameters_are_plain() -> None:
    assert _plain({"width": [64, 32], "clip_norm": None, "batch_norm": True, "depth": 3}) == {
        "width": "[64, 32]",
        "clip_norm": "null",
        "batch_norm": True,
        "depth": 3,
    }
