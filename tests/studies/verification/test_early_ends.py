"""Networks that stopped early are sound where their patience was at its end, and nowhere else."""

import sqlite3
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from studies.database.store import Store
from tests.studies.raytune.plans import plan
from tests.studies.verification import sound

STOPPED = [
    "UPDATE epoch SET val_loss = 9 WHERE trial_number = 3 AND replicate = 1 AND epoch = 2",
    "DELETE FROM epoch WHERE trial_number = 3 AND replicate = 1 AND epoch = 3",
    """UPDATE replicate SET metrics = '{"best_epoch": 1.0, "stopped_epoch": 2.0}'
    WHERE trial_number = 3 AND replicate = 1""",
]


@pytest.fixture
def storage(tmp_path: Path) -> Path:
    """A folder with a complete study whose networks stop after one epoch without improvement."""
    small = plan()
    study = replace(small.study, fixed={**small.study.fixed, "patience": 1})
    with Store.open(sound.url(tmp_path)) as store:
        sound.complete(store, tmp_path, replace(small, study=study))
    return tmp_path


def change(storage: Path, *statements: str) -> dict[str, list[str]]:
    """Change the rows and return the faults, but for what the check of each value says of the changes themselves."""
    with closing(sqlite3.connect(storage / sound.STORAGE)) as connection, connection:
        for statement in statements:
            assert connection.execute(statement).rowcount
    return {name: told for name, told in sound.faults(sound.verified(storage)).items() if name != "I9"}


def test_a_network_that_did_not_improve_may_have_fewer_epochs(storage: Path) -> None:
    assert change(storage, *STOPPED) == {}


def test_one_that_diverged_has_none_after_that(storage: Path) -> None:
    diverged = "UPDATE epoch SET val_loss = NULL WHERE trial_number = 3 AND replicate = 1 AND epoch = 2"
    outcome = """UPDATE replicate SET outcome = 'diverged', val_loss = NULL, metrics = '{"stopped_epoch": 2.0}'
    WHERE trial_number = 3 AND replicate = 1"""
    assert change(storage, diverged, STOPPED[1], outcome) == {}


def test_one_that_improved_may_not(storage: Path) -> None:
    faults = change(storage, *STOPPED[1:])
    assert faults["I1"] == ["trial 3, replicate 1: epoch 3 is missing"]


def test_one_that_trained_on_is_found(storage: Path) -> None:
    faults = change(storage, STOPPED[0])
    assert faults["I1"] == ["trial 3, replicate 1: epoch 3 is past its early stop after epoch 2"]


def test_without_early_stopping_fewer_epochs_are_a_fault(tmp_path: Path) -> None:
    with Store.open(sound.url(tmp_path)) as store:
        sound.complete(store, tmp_path)
    assert set(change(tmp_path, *STOPPED)) == {"I1", "I6"}
