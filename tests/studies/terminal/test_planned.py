"""What is counted from a plan's dict is what the plan itself counts."""

import pytest

from studies import catalog
from studies.definition.overrides import derive
from studies.definition.parts import Search
from studies.definition.study import Study
from studies.planning.plan import Plan
from studies.terminal.planned import num_cells, planned_networks, planned_trials
from studies.user_files.loader import load_definition

LOOKS = Study(
    question="?", factors={"depth": (3, 5)}, replicates=10, looks=(10, 20), search=Search(trials_per_cell=1)
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
    data = plan.to_dict()
    assert num_cells(data) == len(plan.cells)
    assert [*planned_trials(data).values()] == [plan.num_search_trials, plan.num_confirm_trials]
    assert planned_networks(data) == plan.num_networks
