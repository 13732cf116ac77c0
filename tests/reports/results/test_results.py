"""All statistics of a report: chosen rates, boundaries, and what an unfinished study does not have."""

import pytest

from reports.results.results import compute
from tests.reports.odd_inputs import SMALL, recorded_before, until
from tests.reports.sample import sample_inputs, sample_tuning

INPUTS = sample_inputs(SMALL, num_blocks=3, rates=3)


def test_the_chosen_rates_are_those_that_the_confirm_phase_took() -> None:
    chosen = compute(INPUTS).chosen.set_index("cell")["learning_rate"]
    confirm = INPUTS.trials[INPUTS.trials["phase"] == "confirm"].set_index("cell")["learning_rate"]
    assert chosen.to_dict() == confirm.to_dict()


@pytest.mark.parametrize("per_optimizer", [True, False])
def test_a_rate_at_the_end_of_its_range_is_marked(per_optimizer: bool) -> None:
    bounds = {"low": 3e-4, "high": 3e-2, "log": True}
    plan = {**INPUTS.plan, "nuisances": {"learning_rate": {"adam": bounds} if per_optimizer else bounds}}
    inputs = sample_inputs(SMALL, num_blocks=3, rates=3)
    inputs.plan.update(plan)
    trials = inputs.trials
    trials["learning_rate"] = [3.1e-4 if cell == 1 else 3e-3 for cell in trials["cell"]]
    results = compute(inputs)
    assert results.chosen["at_boundary"].tolist() == [True, False, False, False]
    assert results.boundary == {"depth": {3: 0.5, 7: 0.0}, "batch_norm": {False: 0.5, True: 0.0}}


def test_at_best_needs_a_confirmed_cell_for_every_level() -> None:
    assert len(compute(INPUTS).at_best) == 2
    partly = compute(until(INPUTS, 14)).at_best
    assert partly["complete"].tolist() == [False, True]
    assert len(compute(recorded_before(until(INPUTS, 14))).at_best) == 0


def test_a_study_without_cells_has_no_effects() -> None:
    results = compute(sample_tuning(budget=12, num_blocks=3))
    assert len(results.contrasts) == len(results.at_best) == len(results.interactions) == 0
    assert results.chosen.empty


def test_growth_is_held_against_theory_for_every_cell() -> None:
    theory = compute(INPUTS).theory
    assert len(theory) == 4
    assert theory["ratio"].tolist() == pytest.approx([1] * 4, rel=0.1)
