"""What is counted from a plan's dict is what the plan itself counts."""

import pytest

from studies import catalog
from studies.definition.overrides import derive
from studies.definition.parts import Search, SmallestEffect
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
