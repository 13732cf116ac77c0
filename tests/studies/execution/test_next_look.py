"""What follows from a look: recorded before anything is trained for it, and the same after any interruption."""

import json
from contextlib import suppress
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from reports.inputs.decisions import LOOK_DECIDED
from studies.base.errors import StudiesError
from studies.base.states import Phase, Until
from studies.database.store import Store
from studies.definition import plan_versions
from studies.planning.plan import Plan
from studies.planning.trial_numbers import Numbering
from studies.run_log import looks
from tests.studies.raytune.driving import DriverDiedError, drive, next_look_of, register, summary
from tests.studies.raytune.plans import plan

LOOKS = plan(looks=(10, 20, 40, 80))


def decided(store: Store) -> list[dict[str, Any]]:
    study = store.find_study("small")
    assert study is not None
    return looks.decisions(store.events(study.id))


def trained(store: Store, of: Plan = LOOKS) -> dict[int, list[int]]:
    """The cells that each look trained, looks from 0."""
    found: dict[int, list[int]] = {}
    for number, phase, cell, *_ in summary(store, of.name):
        if phase is Phase.CONFIRM and isinstance(number, int) and isinstance(cell, int):
            found.setdefault(Numbering.of(of).look(number), []).append(cell)
    return found


def test_after_a_look_only_the_cells_of_open_questions_are_trained(store: Store) -> None:
    queue = drive(LOOKS, store)
    assert [each["look"] for each in decided(store)] == list(range(1, queue.num_looks + 1))
    cells = trained(store)
    assert cells[0] == [1, 2, 3, 4]
    for each in decided(store)[:-1]:
        assert cells[each["look"]] == each["cells"]
        assert any(question["standing"] == "open" for question in each["questions"])
    last = decided(store)[-1]
    assert (last["cells"], last["next_blocks"]) == ([], None)
    assert all(question["standing"] != "open" for question in last["questions"])
    assert queue.num_looks > 1, "the made-up networks differ too little for a question to stay open"


def test_a_closed_question_keeps_its_look_and_interval(store: Store) -> None:
    drive(LOOKS, store)
    closed: dict[Any, Any] = {}
    for each in decided(store):
        for question in each["questions"]:
            key = question["factor"], question["level_a"], question["level_b"]
            assert closed.get(key, question) == question
            if question["standing"] != "open":
                closed[key] = question
    assert len(closed) == len(decided(store)[0]["questions"])


def test_until_look_stops_after_each(store: Store) -> None:
    reached = [drive(LOOKS, store, until=Until.LOOK).num_looks for _ in range(6)]
    assert reached[:2] == [1, 2]
    assert reached == sorted(reached)
    assert reached[-1] == len(decided(store))


def test_stopping_at_looks_and_going_on_trains_what_one_run_trains(store: Store, tmp_path: Any) -> None:
    for _ in range(5):
        drive(LOOKS, store, until=Until.LOOK)
    with Store.open(f"sqlite:///{tmp_path}/once.db") as once:
        drive(LOOKS, once)
        assert summary(store, "small") == summary(once, "small")
        assert decided(store) == decided(once)


@settings(max_examples=6, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(deaths=st.lists(st.integers(30, 60), max_size=3))
def test_any_interruptions_lead_to_the_same_looks(
    tmp_path_factory: pytest.TempPathFactory, deaths: list[int]
) -> None:
    """Between a decision and its first trial, too: what was decided is read, not decided again."""
    folder = tmp_path_factory.mktemp("looks")
    with Store.open(f"sqlite:///{folder}/a.db") as whole, Store.open(f"sqlite:///{folder}/b.db") as broken:
        drive(LOOKS, whole)
        for death in deaths:
            with suppress(DriverDiedError):
                drive(LOOKS, broken, die_after=death)
        drive(LOOKS, broken)
        assert summary(broken, "small") == summary(whole, "small")
        assert decided(broken) == decided(whole)


def test_what_was_decided_is_not_decided_again(store: Store) -> None:
    """As after a kill between the decision and its first trial; here with another decision than today's."""
    drive(LOOKS, store, until=Until.LOOK)
    study = store.find_study("small")
    assert study is not None
    (first,) = decided(store)
    again = {**first, "cells": [3]}
    store.add_event(study.id, LOOK_DECIDED, None, json.dumps(again))
    with pytest.raises(StudiesError, match="studies verify small"):
        drive(LOOKS, store, until=Until.LOOK)
    assert trained(store)[1] == [3]


def test_a_look_that_does_not_fit_into_the_budget_is_not_begun(store: Store) -> None:
    queue = drive(LOOKS, store, until=Until.LOOK)
    next_look = next_look_of(LOOKS, store, queue, seconds_left=lambda: 0.01)
    assert not next_look()
    assert "the look at 20 blocks" in str(next_look.progress.note)
    assert "does not fit into what is left of the budget" in str(next_look.progress.note)
    assert next_look_of(LOOKS, store, queue, seconds_left=lambda: 1e6)()


def test_a_plan_with_one_look_decides_nothing(store: Store) -> None:
    single = plan()
    register(single, store)
    assert drive(single, store).num_looks == 1
    assert decided(store) == []


def test_plans_before_version_4_train_every_cell_at_each_look_one_look_a_run(store: Store) -> None:
    older = replace(plan(looks=(10, 20, 40)), version=plan_versions.UNTIL_CLEAR - 1)
    assert [drive(older, store).num_looks for _ in range(4)] == [1, 2, 3, 3]
    assert trained(store, older) == {look: [1, 2, 3, 4] for look in range(3)}
    assert decided(store) == []


def test_a_cell_whose_networks_all_fail_at_a_later_look_is_counted_and_not_dropped(store: Store) -> None:
    drive(LOOKS, store, until=Until.LOOK)
    numbering = Numbering.of(LOOKS)
    cell = decided(store)[0]["cells"][0]
    drive(LOOKS, store, fails=frozenset({numbering.confirm(cell, look=1)}))
    (second,) = (each for each in decided(store) if each["look"] == 2)
    assert second["num_blocks"] == 20
    assert all(question["estimate"] is not None for question in second["questions"])
