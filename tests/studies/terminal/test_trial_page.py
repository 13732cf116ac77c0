"""One trial in the terminal: networks that stopped early say so."""

import io
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from rich.console import Console

from studies.database.frames import frames
from studies.database.store import Store
from studies.terminal.trial_page import as_json, read_trial, trial_page
from tests.studies.verification import sound
from tests.studies.verification.test_early_ends import STOPPED, storage  # noqa: F401  # a fixture


@pytest.fixture
def stopped(storage: Path) -> str:  # noqa: F811
    """The URL of a storage in which one of trial 3's networks stopped after its second of three epochs."""
    with closing(sqlite3.connect(storage / sound.STORAGE)) as connection, connection:
        for statement in STOPPED:
            connection.execute(statement)
    return sound.url(storage)


def test_a_trial_tells_which_of_its_networks_stopped_early(stopped: str) -> None:
    with Store.open(stopped, create=False) as store:
        study = store.find_study("small")
        assert study is not None
        record = read_trial(store, study, 3)
        replicates = frames.replicates(store, study.id)
    page = io.StringIO()
    Console(file=page, width=100).print(trial_page(record))
    assert "complete, stopped after epoch 2" in page.getvalue()
    assert "3 epochs trained" in page.getvalue(), "the other network trained on"
    told = as_json(record)
    assert [network["stopped_epoch"] for network in told["replicates"]] == [None, 2.0]
    first, second = (
        record.epochs.loc[record.epochs["replicate"] == replicate, "val_loss"].tolist()
        for replicate in (0, 1)
    )
    at_the_end = {row["epoch"]: row["val_loss"] for row in told["rungs"]}[3]
    assert at_the_end == pytest.approx((first[-1] + second[0]) / 2), (
        "a network at rest counts with its best epoch"
    )
    own = replicates[(replicates["trial_number"] == 3) & (replicates["replicate"] == 1)]
    assert own[["best_epoch", "stopped_epoch"]].to_numpy().tolist() == [[1.0, 2.0]]
