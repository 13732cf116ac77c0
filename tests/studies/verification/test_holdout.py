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
from studies.definition.parts import Confirm, Search, SmallestEffect
from studies.definition.plan_versions import UNTIL_CLEAR
from studies.definition.study import Study
from studies.planning.plan import Plan
from studies.run_log import run_events
from tests.studies.raytune.driving import drive, register
from tests.studies.raytune.plans import plan
from tests.studies.verification import sound
from tests.studies.verification.really_trained import train
from trainables import datasets

FIRST_LOOK = 20
"""The last trial of the first look: sixteen of the search and three others come before."""
TINY = SmallestEffect(log_loss=1e-9)
"""So small that no interval lies within it: levels that do not differ stay an open question."""


@pytest.fixture(autouse=True)
def _version(monkeypatch: pytest.MonkeyPatch) -> None:
    """Read plans of the version with such scores, whether or not it is today's yet."""
    monkeypatch.setattr(plan_versions, "TODAY", max(plan_versions.TODAY, UNTIL_CLEAR))


def driven(folder: Path, **changes: Any) -> Path:
    """Record a study of two looks, whose second adds ten blocks."""
    small = replace(plan(looks=(10, 20)), version=UNTIL_CLEAR)
    small = replace(small, study=replace(small.study, smallest_effect=TINY, **changes))
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


def late_trials(folder: Path, last: int = FIRST_LOOK) -> list[int]:
    """The trials of the second look."""
    with closing(sqlite3.connect(folder / sound.STORAGE)) as connection:
        query = "SELECT number FROM trial WHERE number > ? ORDER BY number"
        return [number for (number,) in connection.execute(query, (last,))]


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
    assert set(metrics(storage, late_trials(storage)[0])) == {"holdout_loss", "holdout_accuracy"}
    assert metrics(storage, FIRST_LOOK) == {}


@pytest.mark.parametrize("number", [3, FIRST_LOOK], ids=["search", "first look"])
def test_an_early_read_is_found(storage: Path, number: int) -> None:
    faults = rewritten(storage, number, {"holdout_loss": 1.2})
    assert any("only blocks of later looks are" in fault for fault in faults["I6"])


@pytest.mark.parametrize("name", ["holdout_loss", "holdout_accuracy"])
def test_a_lost_score_is_found(storage: Path, name: str) -> None:
    kept = {key: value for key, value in metrics(storage, late_trials(storage)[0]).items() if key != name}
    faults = rewritten(storage, late_trials(storage)[0], kept)
    number = late_trials(storage)[0]
    assert faults["I6"] == [f"trial {number}: ended without a score on validation and test part together"]


def test_a_diverged_network_has_none(storage: Path) -> None:
    faults = rewritten(storage, late_trials(storage)[0], {}, ", outcome = 'diverged'")
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
    assert any(words in fault for fault in rewritten(storage, late_trials(storage)[0], changes)["I9"])


def test_a_loss_outside_of_those_of_its_parts_is_found(storage: Path) -> None:
    changes = metrics(storage, late_trials(storage)[0]) | {"holdout_loss": 9.0}
    (fault,) = rewritten(storage, late_trials(storage)[0], changes)["I9"]
    assert f"trial {late_trials(storage)[0]}, replicate 0: holdout_loss is 9, and its parts have" in fault


@pytest.mark.parametrize("changes", [{"fixed": {"width": 16, "patience": 2}}], ids=["early stopping"])
def test_where_the_plan_rules_them_out_none_are_missed(tmp_path: Path, changes: dict[str, Any]) -> None:
    folder = driven(tmp_path, **changes)
    assert "holdout_loss" not in metrics(folder, late_trials(folder)[0])
    assert "I6" not in sound.faults(sound.verified(folder))
    faults = rewritten(folder, late_trials(folder)[0], {"holdout_loss": 1.2, "holdout_accuracy": 0.5})
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
    older = replace(plan(looks=(10, 20)), version=UNTIL_CLEAR - 1)
    with Store.open(sound.url(tmp_path)) as store:
        for _ in older.study.all_looks:
            drive(older, store)
    assert sound.faults(sound.verified(tmp_path)) == {}
    assert metrics(tmp_path, late_trials(tmp_path)[0]) == {}


def test_networks_of_the_users_own_have_all_or_none(tmp_path: Path) -> None:
    """A recorded plan does not tell a build(), whose networks have these scores, from a train()."""
    folder = driven(tmp_path, model="own")
    assert "I6" not in sound.faults(sound.verified(folder))
    assert rewritten(folder, late_trials(folder)[0], {})["I6"]
    with closing(sqlite3.connect(folder / sound.STORAGE)) as connection, connection:
        connection.execute("UPDATE replicate SET metrics = '{}'")
    sound.reseal(folder)
    assert "I6" not in sound.faults(sound.verified(folder))


def test_really_trained_networks_agree(tmp_path: Path) -> None:
    study = Study(
        question="?",
        factors={"init": ("he_normal", "default")},
        fixed={"width": 8, "depth": 1, "optimizer": "sgd", "learning_rate": 0.05},
        replicates=10,
        looks=(10, 20),
        smallest_effect=TINY,
        search=Search(trials_per_cell=1, rungs=(3,)),
        confirm=Confirm(epochs=3),
    )
    trained = Plan(name="small", study=study, dataset_fingerprint="0" * 64, version=UNTIL_CLEAR)
    with Store.open(sound.url(tmp_path)) as store:
        train(trained, store, datasets.load("digits"))
    assert sound.faults(sound.verified(tmp_path)) == {}
    late = [metrics(tmp_path, number) for number in late_trials(tmp_path, last=4)]
    assert late
    assert all("holdout_loss" in each for each in late)
