"""The metrics that a study declares: their one form, which is primary, and mistakes that are told."""

from typing import Any

import pytest

from studies.base.errors import UsageError
from studies.definition.overrides import derive
from studies.definition.parts import Metric, Search
from studies.definition.study import Study
from studies.planning.plan import Plan
from trainables.base.metrics import Direction

RMSE: dict[str, Any] = {"name": "rmse", "direction": "min", "unit": "kg", "failure": 90}
R2: dict[str, Any] = {"name": "r2", "direction": "max", "failure": 0}


def study(*metrics: object, **changes: Any) -> Study:
    known: dict[str, Any] = {
        "question": "?",
        "factors": {"depth": (1, 2)},
        "search": Search(trials_per_cell=1),
    }
    return Study(**(known | {"metrics": metrics} | changes))


def test_a_single_metric_is_primary_and_the_objective() -> None:
    made = study(RMSE)
    assert made.metrics == (Metric(name="rmse", direction="min", unit="kg", failure=90.0, primary=True),)
    assert (made.objective, made.direction) == ("val_rmse", Direction.MIN)


def test_of_several_the_primary_one_is_first_and_another_can_be_the_objective() -> None:
    made = study(RMSE, R2 | {"primary": True, "smallest_effect": 0.01})
    assert [metric.name for metric in made.metrics] == ["r2", "rmse"]
    assert (made.objective, made.direction) == ("val_r2", Direction.MAX)
    other = study(RMSE, R2 | {"primary": True}, objective="val_rmse")
    assert (other.objective, other.direction) == ("val_rmse", Direction.MIN)


def test_they_are_part_of_the_plan_where_there_are_any() -> None:
    made = study(RMSE, R2 | {"primary": True, "smallest_effect": 0.01})
    plan = Plan(name="x", study=made, dataset_fingerprint="")
    again = Plan.from_dict("x", plan.to_dict())
    assert again.study.metrics == made.metrics
    assert again.hash == plan.hash
    assert "metrics" not in Plan(name="x", study=study(), dataset_fingerprint="").to_dict()


def test_a_variant_keeps_them() -> None:
    made = derive(study(RMSE), profile="laptop", settings={"replicates": 3})
    assert (made.metrics, made.objective) == (study(RMSE).metrics, "val_rmse")


@pytest.mark.parametrize(
    ("metrics", "message"),
    [
        ("rmse", "metrics must be a list of metrics, each made with Metric(...); got"),
        ([1], "metrics[1] must be made with Metric(name="),
        ([RMSE | {"unt": "kg"}], "metrics[1].unt: no such field of a metric (did you mean unit?)"),
        ([RMSE | {"name": "loss"}], "metrics[1].name must not be loss"),
        ([RMSE | {"name": "val_rmse"}], "metrics[1].name must not be val_rmse"),
        ([RMSE | {"name": "root mean"}], "metrics[1].name must be a name such as rmse, without spaces"),
        ([RMSE | {"direction": "down"}], 'metrics[1].direction must be one of min, max; got "down"'),
        ([RMSE | {"failure": None}], "metrics[1].failure must be a number"),
        ([RMSE | {"failure": float("inf")}], "metrics[1].failure must be a number"),
        ([RMSE | {"unit": 3}], "metrics[1].unit must be a text of at most 20 characters"),
        ([RMSE | {"smallest_effect": -1}], "metrics[1].smallest_effect must be null or a number above 0"),
        ([RMSE, R2], "exactly one that is primary=True, which is compared; got []"),
        ([RMSE | {"primary": True}, R2 | {"primary": True}], 'compared; got ["rmse", "r2"]'),
        ([RMSE | {"primary": True}, RMSE], "metrics must have different names"),
    ],
)
def test_a_mistake_is_told(metrics: Any, message: str) -> None:
    with pytest.raises(UsageError) as caught:
        study(metrics=metrics)
    assert any(message in mistake for mistake in caught.value.mistakes), caught.value.mistakes


def test_the_objective_must_be_one_of_them() -> None:
    with pytest.raises(UsageError) as caught:
        study(RMSE, objective="val_accuracy")
    assert caught.value.mistakes == (
        'objective must be one of val_rmse, the study\'s own metrics; got "val_accuracy"',
    )
