"""Extension blocks are scored on both held-out parts where neither was read before, and nowhere else."""

from typing import Any

import pytest

from studies.definition import plan_versions
from studies.definition.holdout import HOLDOUT_SCORES, holdout_columns, pools_holdout
from studies.definition.plan_versions import UNTIL_CLEAR

PLAN: dict[str, Any] = {
    "plan_version": UNTIL_CLEAR,
    "factors": {"depth": [3, 5], "schedule": ["constant", "cosine"]},
    "nuisances": {"learning_rate": {"low": 0.001, "high": 0.1, "log": True}},
    "fixed": {"width": 16, "patience": None},
    "looks": [10, 20],
}


def test_a_plan_of_todays_rules_has_them() -> None:
    assert pools_holdout(PLAN, official_test=False)
    assert holdout_columns(PLAN) == HOLDOUT_SCORES


@pytest.mark.parametrize(
    "change",
    [
        {"plan_version": UNTIL_CLEAR - 1},
        {"factors": {"patience": [None, 5]}},
        {"fixed": {"patience": 5}},
        {"nuisances": {"patience": {"low": 1, "high": 5}}},
        {"confirm": {"default": {"patience": 5}}},
        {"factors": {"schedule": ["cosine", "plateau"]}},
        {"fixed": {"schedule": "plateau"}},
        {"nuisances": {"schedule": {"choices": ["plateau", "cosine"]}}},
        {"nuisances": {"schedule": {"sgd": {"choices": ["constant"]}, "adam": {"choices": ["plateau"]}}}},
        {"confirm": {"default": {"schedule": "plateau"}}},
        {"metrics": [{"name": "rmse"}]},
    ],
    ids=str,
)
def test_a_part_that_was_read_or_another_metric_rules_them_out(change: dict[str, Any]) -> None:
    assert not pools_holdout({**PLAN, **change}, official_test=False)
    assert holdout_columns({**PLAN, **change}) == ()


def test_so_do_an_official_test_set_and_a_loop_of_the_users_own() -> None:
    assert not pools_holdout(PLAN, official_test=True)
    assert not pools_holdout(PLAN, official_test=False, has_loop=True)


def test_a_plan_that_states_no_version_has_none() -> None:
    unversioned = {name: value for name, value in PLAN.items() if name != plan_versions.FIELD}
    assert not pools_holdout(unversioned, official_test=False)


@pytest.mark.parametrize("looks", [[], [10]])
def test_one_look_has_no_such_columns(looks: list[int]) -> None:
    assert holdout_columns({**PLAN, "looks": looks}) == ()
