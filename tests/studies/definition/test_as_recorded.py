"""Recorded plans are read as they are: no rule of today's is asked, and what was never written is told as damage."""

import json
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from studies.base.errors import DamagedRecordError, UsageError
from studies.definition import plan_versions
from studies.definition.overrides import derive
from studies.definition.parts import Search, SmallestEffect
from studies.planning.plan import Plan
from studies.user_files.loader import load_definition
from tests.studies.definitions import make, plan_of, without_cells
from tests.studies.own_file import write as write_own
from trainables.base.metrics import Metric

PLANS = {
    "depth_study": plan_of(load_definition("depth_study")[1]),
    "tuning_study": plan_of(load_definition("tuning_study")[1]),
    "looks": plan_of(
        make(looks=(10, 20), smallest_effect=SmallestEffect()), seed=2**63 - 1, source_hash="beef"
    ),
    "no cells": plan_of(without_cells()),
    "widths": plan_of(make(factors={"width": [[64, 32], 16]}, fixed={"betas": [0.9, 0.99]})),
    "table": plan_of(make(dataset="csv:a.csv", target="kind"), version=1),
    "metrics": plan_of(
        make(
            model="own",
            dataset="own",
            metrics=(Metric(name="error", direction="max", failure=0, smallest_effect=0.5),),
            hyperparameters={"heads": 4, "layers": [1, 2], "on": True, "kind": "a"},
            nuisances={"heads": {"low": 1, "high": 8}, "kind": {"choices": ["a", "b"]}},
            search=Search(trials_per_cell=1, sampler="random"),
        )
    ),
}


def read(data: Mapping[str, Any]) -> Plan:
    return Plan.from_dict("a", json.loads(json.dumps(data)))


@pytest.mark.parametrize("plan", PLANS.values(), ids=PLANS)
def test_what_was_frozen_comes_back_the_same(plan: Plan) -> None:
    again = read(plan.to_dict())
    assert (again.to_json(), again.hash, again.version) == (plan.to_json(), plan.hash, plan.version)
    assert (again.cells, again.num_networks) == (plan.cells, plan.num_networks)
    assert again.study.nuisances == plan.study.nuisances


@pytest.mark.parametrize(
    "changes",
    [
        {"replicates": 5000},
        {"objective": "val_beauty"},
        {"dataset": "cats"},
        {"model": "transformer"},
        {"factors": {"colour": ["red", "blue"]}},
        {"fixed": {"dropout": 7.0}},
        {"nuisances": {"learning_rate": {"low": 1.0, "high": 900.0, "log": False}}},
    ],
    ids=lambda changes: next(iter(changes)),
)
def test_rules_of_today_are_not_asked(changes: dict[str, Any]) -> None:
    data = plan_of(make()).to_dict() | changes
    with pytest.raises(UsageError):
        derive(make(), settings=changes)
    plan = read(data)
    assert plan.to_dict() == data
    assert (
        plan.up_to_look(1).study.replicates == data["replicates"]
    )  # and what is derived of it is not held to them


def test_a_plan_of_the_first_version_states_none() -> None:
    plan = plan_of(make(), version=1)
    assert "plan_version" not in plan.to_dict()
    assert plan_of(make()).to_dict()["plan_version"] == plan_versions.TODAY
    assert plan.hash != plan_of(make()).hash


@given(
    plan=st.sampled_from([*PLANS.values()]),
    draw=st.randoms(use_true_random=False),
    value=st.none()
    | st.booleans()
    | st.floats(allow_nan=False)
    | st.just("")
    | st.lists(st.none())
    | st.just({}),
)
def test_any_other_value_is_read_as_it_is_or_told_with_its_field(plan: Plan, draw: Any, value: Any) -> None:
    data = json.loads(plan.to_json())
    place, path = data, []
    while isinstance(place, dict) and place:
        path.append(draw.choice([*place]))
        place, parent = place[path[-1]], place
    assume(repr(parent[path[-1]]) != repr(value))
    parent[path[-1]] = value
    told: DamagedRecordError | None = None
    try:
        assert read(data).to_dict() == data or not value  # what is empty may as well be left out
    except DamagedRecordError as error:
        told = error
    assert told is None or (told.table, told.key, path[0] in told.what) == ("study", "a", True)


@pytest.mark.parametrize(
    ("change", "what"),
    [
        (lambda data: data.pop("factors"), "plan: factors is missing"),
        (lambda data: data.pop("seed"), "plan: seed is missing"),
        (lambda data: data.update(colour="red"), "plan: colour is no field of a plan"),
        (lambda data: data["search"].update(rings=[1]), "plan: search.rings is no field of a plan"),
        (lambda data: data.update(replicates=None), "plan: replicates holds null"),
        (lambda data: data.update(seed=-1), "plan: seed must be a whole number from 0 to 2^63 - 1; got -1"),
        (lambda data: data.update(plan_version="two"), 'plan: plan_version holds "two"'),
        (lambda data: data.update(plan_version=0), "plan: plan_version holds 0"),
    ],
)
def test_damage_is_told_with_table_and_key(change: Any, what: str) -> None:
    data = plan_of(make()).to_dict()
    change(data)
    with pytest.raises(DamagedRecordError) as caught:
        read(data)
    assert caught.value.message == f"table study, row a: {what}"


def test_a_plan_that_is_no_mapping_is_damaged() -> None:
    with pytest.raises(DamagedRecordError, match=r"table study, row a: plan holds \[\]"):
        Plan.from_dict("a", [])  # type: ignore[arg-type]


def test_a_users_file_cannot_say_that_it_was_recorded(tmp_path: Any) -> None:
    path = write_own(
        tmp_path, ('question="Do units help?",', 'question="?", as_recorded=True, objective="x",')
    )
    with pytest.raises(UsageError, match="objective must be one of"):
        load_definition(str(path))
