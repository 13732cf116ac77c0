"""What follows from looks is computed again, and trials follow from it: a change of either is found."""

import json
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from reports.inputs.decisions import LOOK_DECIDED
from studies.database.store import Store
from tests.studies.raytune.driving import drive
from tests.studies.raytune.plans import plan
from tests.studies.verification import sound

Decided = dict[str, Any]


@pytest.fixture(scope="module")
def extended(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a complete study that went on to a second look."""
    made = tmp_path_factory.mktemp("extended")
    with Store.open(sound.url(made)) as store:
        sound.complete(store, made, plan(looks=(10, 20, 40)))
    return made


@pytest.fixture
def folder(extended: Path, tmp_path: Path) -> Path:
    """A copy of it."""
    shutil.copytree(extended, tmp_path, dirs_exist_ok=True)
    return tmp_path


def change(folder: Path, edit: Callable[[Decided], None], look: int = 1) -> None:
    """Edit what was decided after a look, as a writer that is wrong would have written it."""
    with closing(sqlite3.connect(folder / sound.STORAGE)) as connection, connection:
        rows = connection.execute(
            "SELECT sequence, detail FROM event WHERE kind = ?", (LOOK_DECIDED,)
        ).fetchall()
        for sequence, text in rows:
            decided = json.loads(text)
            if decided["look"] == look:
                edit(decided)
                connection.execute(
                    "UPDATE event SET detail = ? WHERE sequence = ?", (json.dumps(decided), sequence)
                )
    sound.reseal(folder)


def test_a_study_that_went_on_is_sound(folder: Path) -> None:
    found = sound.verified(folder)
    assert sound.faults(found) == {}
    looked_at = {check.name: check.looked_at for check in found.checks}
    assert "looks decided" in looked_at["I4"]


def test_other_cells_than_the_questions_need_are_found(folder: Path) -> None:
    change(folder, lambda decided: decided.update(cells=[decided["cells"][0]]))
    found = sound.faults(sound.verified(folder))
    assert "look 1: stored is" in found["I4"][0]
    assert any("the decision before does not name their cells" in fault for fault in found["I6"])


def test_another_standing_is_found(folder: Path) -> None:
    def close(decided: Decided) -> None:
        decided["questions"][0]["standing"] = "withheld"

    change(folder, close)
    assert "look 1: stored is" in sound.faults(sound.verified(folder))["I4"][0]


@pytest.mark.parametrize(("factor", "is_found"), [(1 + 1e-12, False), (1.001, True)])
def test_an_interval_may_differ_by_rounding_alone(folder: Path, factor: float, is_found: bool) -> None:
    def widen(decided: Decided) -> None:
        decided["questions"][0]["high"] *= factor

    change(folder, widen)
    assert ("I4" in sound.faults(sound.verified(folder))) == is_found


def test_a_decision_that_is_missing_is_found(folder: Path) -> None:
    with closing(sqlite3.connect(folder / sound.STORAGE)) as connection, connection:
        connection.execute("DELETE FROM event WHERE kind = ?", (LOOK_DECIDED,))
    sound.reseal(folder)
    found = sound.faults(sound.verified(folder))
    assert "look 2 has trials, and what follows from look 1 is not recorded" in found["I4"]


def test_a_decision_that_is_no_decision_is_found(folder: Path) -> None:
    change(folder, lambda decided: decided.update(cells="all"))
    assert any("has no list of cells" in fault for fault in sound.faults(sound.verified(folder))["I9"])


def test_a_trial_of_a_later_look_that_is_missing_is_found(folder: Path) -> None:
    with closing(sqlite3.connect(folder / sound.STORAGE)) as connection, connection:
        (last,) = connection.execute("SELECT max(number) FROM trial").fetchone()
        for table, column in (
            ("layer_gradient", "trial_number"),
            ("epoch", "trial_number"),
            ("rung_result", "trial_number"),
            ("replicate", "trial_number"),
            ("trial", "number"),
        ):
            connection.execute(f"DELETE FROM {table} WHERE {column} = ?", (last,))
    sound.reseal(folder)
    found = sound.faults(sound.verified(folder))
    assert "I4" in found or "I6" in found


def test_decisions_of_a_plan_with_one_look_are_found(tmp_path: Path) -> None:
    with Store.open(sound.url(tmp_path)) as store:
        drive(plan(), store)
        study = store.find_study("small")
        assert study is not None
        store.add_event(study.id, LOOK_DECIDED, None, json.dumps({"look": 1, "cells": [], "questions": []}))
    found = sound.faults(sound.verified(tmp_path))
    assert found["I4"] == [
        "what follows from a look is recorded, and the plan has no looks that decide anything"
    ]
