"""What is counted from a plan's dict is what the plan itself counts."""

from collections.abc import Mapping
from dataclasses import replace

import pytest

from search_spaces import Value
from studies import catalog
from studies.definition.overrides import derive
from studies.definition.parts import Search, SmallestEffect
from studies.definition.plan_versions import UNTIL_CLEAR
from studies.definition.study import Study
from studies.planning.plan import Plan
from studies.planning.plan_size import PlanSize
from studies.user_files.loader import load_definition

LOOKS = Study(
    question="?",
    factors={"depth": (3, 5)},
    replicates=10,
    looks=(10, 20),
    search=Search(trials_per_cell=1),
    smallest_effect=SmallestEffect(),
)
STUDIES = {
    f"{name}-{profile}": derive(study, profile=profile)
    for name in catalog.names()
    for study in [load_definition(name)[1]]
    for profile in ("laptop", *study.profiles)
} | {"looks": LOOKS}


@pytest.mark.parametrize("study", STUDIES.values(), ids=STUDIES)
def test_counts_are_the_plans(study: Study) -> None:
    plan = Plan(name="x", study=study, dataset_fingerprint="f")
    size = PlanSize.of_record(plan.to_dict())
    assert size == plan.size
    assert size.num_cells == len(plan.cells)
    assert size.num_trials == plan.num_search_trials + plan.num_confirm_trials
    by_look = [plan.num_replicates(look) for look in range(len(study.all_looks))] if plan.cells else []
    confirmed = size.num_cells * sum(by_look) or plan.num_confirm_trials * study.replicates
    assert size.num_networks == plan.num_search_trials * study.replicates + confirmed
    before = replace(plan, version=UNTIL_CLEAR - 1).size
    assert before.first_networks + before.most_more == before.num_networks, (
        "all cells were trained at every look"
    )


@pytest.mark.parametrize(
    ("factors", "num_cells"),
    [
        ({"depth": (3, 5)}, 2),
        ({"depth": (3, 5, 7), "batch_norm": (False, True), "optimizer": ("sgd", "adam", "rmsprop")}, 6),
    ],
)
def test_later_looks_train_the_best_cell_of_each_level_at_most(
    factors: Mapping[str, tuple[Value, ...]], num_cells: int
) -> None:
    """The best cell of all is that of one level of each factor."""
    study = replace(LOOKS, factors=factors, looks=(10, 20, 40))
    plan = Plan(name="x", study=study, dataset_fingerprint="f", version=UNTIL_CLEAR)
    assert PlanSize.of_record(plan.to_dict()) == plan.size
    assert plan.size.first_networks == plan.up_to_look(1).num_networks
    assert plan.size.most_more == num_cells * 30


def test_one_look_adds_nothing() -> None:
    study = replace(LOOKS, looks=())
    size = Plan(name="x", study=study, dataset_fingerprint="f").size
    assert (size.first_networks, size.most_more) == (size.num_networks, 0)
