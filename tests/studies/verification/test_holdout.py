"""Scores on both held-out parts: there in every complete network of a later look, and nowhere else."""

import json
import sqlite3
from collections.abc import Mapping
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from studies.database.store import Store
from studies.definition import plan_versions
from studies.definition.parts import Confirm, Search
from studies.definition.plan_versions import UNTIL_CLEAR
from studies.definition.study import Study
from studies.planning.plan import Plan
from studies.run_log import run_events
from tests.studies.raytune.driving import drive, register
from tests.studies.raytune.plans import plan
from tests.studies.verification import sound
from tests.studies.verification.really_trained import train
from trainables import datasets

FIRST_LATE = 21
"""Sixteen trials of the search and four of the first look come before."""


@pytest.fixture(autouse=True)
def _version(monkeypatch: pytest.MonkeyPatch) -> None:
    """Read plans of the version with such scores, whether or not it is today's yet."""
    monkeypatch.setattr(plan_versions, "TODAY", max(plan_versions.TODAY, UNTIL_CLEAR))


def driven(folder: Path, **changes: Any) -> Path:
    """Record a study of two looks, whose second adds two blocks."""
    small = replace(plan(looks=(2, 4)), version=UNTIL_CLEAR)
    small = replace(small, study=replace(small.study, **changes))
    with Store.open(sound.url(folder)) as store:
        details = {"plan_hash": small.hash, "dataset": {"num_classes": sound.NUM_CLASSES}}
        run_events.note_start(store, register(small, store).id, details)
        for _ in small.study.all_looks:
            drive(small, store)
    return folder


@pytest.fixture
def storage(tmp_path: Path) -> Path:
    """A folder with such a study."""
    return driven(tmp_path)


def metrics(folder: Path, number: int) -> dict[str, float]:
    with closing(sqlite3.connect(folder / sound.STORAGE)) as connection:
        query = "SELECT metrics FROM replicate WHERE trial_number = ? ORDER BY replicate LIMIT 1"
        (text,) = connection.execute(query, (number,)).fetchone()
    found: dict[str, float] = json.loads(text)
    return found


def rewritten(folder: Path, number: int, changes: Mapping[str, Any], rest: str = "") -> dict[str, list[str]]:
    """Give a trial's first network other metrics, with the digests of what the rows now hold."""
    with closing(sqlite3.connect(folder / sound.STORAGE)) as connection, connection:
        (first,) = connection.execute(
            "SELECT min(replicate) FROM replicate WHERE trial_number = ?", (number,)
        ).fetchone()
        connection.execute(
            f"UPDATE replicate SET metrics = ?{rest} WHERE trial_number = ? AND replicate = ?",
            (json.dumps(changes), number, first),
        )
    sound.reseal(folder)
    return sound.faults(sound.verified(folder))


def test_a_study_with_them_is_sound(storage: Path) -> None:
    assert sound.faults(sound.verified(storage)) == {}
    assert set(metrics(storage, FIRST_LATE)) == {"holdout_loss", "holdout_accuracy"}
    assert metrics(storage, FIRST_LATE - 1) == {}


@pytest.mark.parametrize("number", [3, FIRST_LATE - 1], ids=["search", "first look"])
def test_an_early_read_is_found(storage: Path, number: int) -> None:
    faults = rewritten(storage, number, {"holdout_loss": 1.2})
    assert any("only blocks of later looks are" in fault for fault in faults["I6"])


@pytest.mark.parametrize("name", ["holdout_loss", "holdout_accuracy"])
def test_a_lost_score_is_found(storage: Path, name: str) -> None:
    kept = {key: value for key, value in metrics(storage, FIRST_LATE).items() if key != name}
    faults = rewritten(storage, FIRST_LATE, kept)
    assert faults == {
        "I6": [f"trial {FIRST_LATE}: ended without a score on validation and test part together"]
    }


def test_a_diverged_network_has_none(storage: Path) -> None:
    faults = rewritten(storage, FIRST_LATE, {}, ", outcome = 'diverged'")
    assert "I6" not in faults


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        (
            {"holdout_loss": -0.1, "holdout_accuracy": 0.5},
            "holdout_loss -0.1, and it holds numbers from 0 to any",
        ),
        (
            {"holdout_loss": 1.0, "holdout_accuracy": 1.5},
            "holdout_accuracy 1.5, and it holds numbers from 0 to 1",
        ),
        ({"holdout_loss": None, "holdout_accuracy": 0.5}, "holdout_loss null"),
    ],
)
def test_one_out_of_range_is_found(storage: Path, changes: Mapping[str, Any], words: str) -> None:
    assert any(words in fault for fault in rewritten(storage, FIRST_LATE, changes)["I9"])


def test_a_loss_outside_of_those_of_its_parts_is_found(storage: Path) -> None:
    changes = metrics(storage, FIRST_LATE) | {"holdout_loss": 9.0}
    (fault,) = rewritten(storage, FIRST_LATE, changes)["I9"]
    assert f"trial {FIRST_LATE}, replicate 0: holdout_loss is 9, and its parts have" in fault


@pytest.mark.parametrize("changes", [{"fixed": {"width": 16, "patience": 2}}], ids=["early stopping"])
def test_where_the_plan_rules_them_out_none_are_missed(tmp_path: Path, changes: dict[str, Any]) -> None:
    folder = driven(tmp_path, **changes)
    assert "holdout_loss" not in metrics(folder, FIRST_LATE)
    assert "I6" not in sound.faults(sound.verified(folder))
    faults = rewritten(folder, FIRST_LATE, {"holdout_loss": 1.2, "holdout_accuracy": 0.5})
    assert any("only blocks of later looks are" in fault for fault in faults["I6"])


def test_with_an_official_test_set_they_are_found(storage: Path) -> None:
    with closing(sqlite3.connect(storage / sound.STORAGE)) as connection, connection:
        told = 'replace(detail, \'"num_classes"\', \'"official_test": true, "num_classes"\')'
        connection.execute(f"UPDATE event SET detail = {told} WHERE kind = 'run_started'")
    sound.reseal(storage)
    assert any(
        "only blocks of later looks are" in fault for fault in sound.faults(sound.verified(storage))["I6"]
    )


def test_an_older_plan_has_none(tmp_path: Path) -> None:
    older = replace(plan(looks=(2, 4)), version=UNTIL_CLEAR - 1)
    with Store.open(sound.url(tmp_path)) as store:
        for _ in older.study.all_looks:
            drive(older, store)
    assert sound.faults(sound.verified(tmp_path)) == {}
    assert metrics(tmp_path, FIRST_LATE) == {}


def test_networks_of_the_users_own_have_all_or_none(tmp_path: Path) -> None:
    """A recorded plan does not tell a build(), whose networks have these scores, from a train()."""
    folder = driven(tmp_path, model="own")
    assert "I6" not in sound.faults(sound.verified(folder))
    assert rewritten(folder, FIRST_LATE, {})["I6"]
    with closing(sqlite3.connect(folder / sound.STORAGE)) as connection, connection:
        connection.execute("UPDATE replicate SET metrics = '{}'")
    sound.reseal(folder)
    assert "I6" not in sound.faults(sound.verified(folder))


def test_really_trained_networks_agree(tmp_path: Path) -> None:
    study = Study(
        question="?",
        factors={"depth": (1, 2)},
        nuisances={"learning_rate": {"low": 0.001, "high": 100.0, "log": True}},
        fixed={"width": 8, "optimizer": "sgd"},
        replicates=2,
        looks=(2, 3),
        search=Search(trials_per_cell=2, rungs=(1, 3)),
        confirm=Confirm(epochs=3),
    )
    trained = Plan(name="small", study=study, dataset_fingerprint="0" * 64, version=UNTIL_CLEAR)
    with Store.open(sound.url(tmp_path)) as store:
        train(trained, store, datasets.load("digits"))
    assert sound.faults(sound.verified(tmp_path)) == {}
    late = [metrics(tmp_path, number) for number in (7, 8)]
    assert all("holdout_loss" in each for each in late)
