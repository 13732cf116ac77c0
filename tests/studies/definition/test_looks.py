"""Which looks a study has by itself, and which it may state."""

from dataclasses import replace
from typing import Any

import pytest

from studies.definition.overrides import derive
from studies.definition.parts import Search, SmallestEffect
from studies.definition.study import Study
from studies.user_files.loader import load_definition
from tests.studies.definitions import make, mistakes_of, plan_of, without_cells
from trainables.base.metrics import Metric

DECLARED = SmallestEffect(log_loss=0.02)
DEPTH_STUDY = load_definition("depth_study")[1]


def own(smallest_effect: float | None, **changes: Any) -> Study:
    metric = Metric(name="error", direction="min", failure=1, smallest_effect=smallest_effect)
    return make(
        model="own",
        dataset="own",
        metrics=(metric,),
        search=Search(trials_per_cell=1, sampler="random"),
        **changes,
    )


@pytest.mark.parametrize(
    ("replicates", "looks"),
    [
        (9, (9,)),
        (10, (10, 20, 40, 80)),
        (11, (11, 22, 44)),
        (20, (20, 40, 80)),
        (40, (40, 80)),
        (41, (41,)),
        (100, (100,)),
    ],
)
def test_blocks_are_doubled_up_to_80(replicates: int, looks: tuple[int, ...]) -> None:
    assert make(replicates=replicates, smallest_effect=DECLARED).all_looks == looks


def test_without_a_smallest_effect_of_its_own_or_without_cells_a_study_has_one() -> None:
    assert make().all_looks == (10,)
    assert without_cells(smallest_effect=DECLARED).all_looks == (10,)
    assert own(None).all_looks == (10,)
    assert own(0.1).all_looks == (10, 20, 40, 80)


def test_setting_the_smallest_effect_declares_it() -> None:
    assert derive(make(), settings={"replicates": 20}).all_looks == (20,)
    assert derive(make(), settings={"smallest_effect.log_loss": 0.02}).all_looks == (10, 20, 40, 80)
    assert derive(make(smallest_effect=DECLARED), settings={"replicates": 20}).all_looks == (20, 40, 80)


@pytest.mark.parametrize(
    ("profile", "settings", "looks"),
    [
        ("laptop", {}, (10, 20, 40, 80)),
        ("cluster", {}, (20, 40, 80)),
        ("smoke", {"replicates": 10}, (10,)),
        ("laptop", {"looks": [10]}, (10,)),
        ("laptop", {"looks": [10, 30]}, (10, 30)),
    ],
)
def test_of_the_depth_study(profile: str, settings: dict[str, Any], looks: tuple[int, ...]) -> None:
    assert derive(DEPTH_STUDY, profile=profile, settings=settings).all_looks == looks


def test_looks_are_part_of_the_plans_hash() -> None:
    plan = plan_of(DEPTH_STUDY)
    assert plan.to_dict()["looks"] == [10, 20, 40, 80]
    assert plan.hash != plan_of(replace(DEPTH_STUDY, looks=(10, 20))).hash
    assert plan_of(make()).to_dict()["looks"] == []


def test_before_version_4_a_study_had_a_single_look() -> None:
    assert plan_of(DEPTH_STUDY, version=3).study.all_looks == (10,)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"looks": [10, 5], "smallest_effect": DECLARED}, "looks must be a list of numbers of blocks"),
        ({"looks": [20, 40], "smallest_effect": DECLARED}, "looks must begin with replicates, 10"),
        (
            {"replicates": 5, "looks": [5, 10], "smallest_effect": DECLARED},
            "several looks need at least 10 blocks",
        ),
        ({"looks": [10, 20]}, "several looks need a smallest effect that the study declares"),
    ],
)
def test_looks_that_could_not_answer_are_refused(changes: dict[str, Any], said: str) -> None:
    (mistake,) = mistakes_of(**changes)
    assert mistake.startswith(said)


def test_a_metric_without_a_smallest_effect_has_no_looks() -> None:
    with pytest.raises(Exception, match="the metric error has none"):
        own(None, looks=(10, 20))
