"""Numbers of trials: each is given once, and leads back to its cell, its place and its look."""

from dataclasses import replace

import pytest

from studies.planning.trial_numbers import Numbering
from studies.user_files.loader import load_definition
from tests.studies.definitions import plan_of

DEPTH_STUDY = load_definition("depth_study")[1]
TUNING_STUDY = load_definition("tuning_study")[1]


@pytest.mark.parametrize("looks", [(), (10, 20, 40)])
def test_every_trial_of_a_plan_has_a_number_of_its_own_and_none_is_left_out(looks: tuple[int, ...]) -> None:
    plan = plan_of(replace(DEPTH_STUDY, looks=looks))
    numbering, cells = Numbering.of(plan), [cell.number for cell in plan.cells]
    search = [(cell, place) for place in range(6) for cell in cells]
    numbers = [numbering.search(cell, place=place) for cell, place in search]
    assert numbers == list(range(1, plan.num_search_trials + 1))
    assert [numbering.place(number) for number in numbers] == search
    confirm = [(cell, look) for look in range(len(looks) or 1) for cell in cells]
    numbers = [numbering.confirm(cell, look=look) for cell, look in confirm]
    last = plan.num_search_trials + plan.num_confirm_trials
    assert numbers == list(range(plan.num_search_trials + 1, last + 1))
    assert [numbering.look(number) for number in numbers] == [look for _, look in confirm]


def test_a_study_without_cells_is_as_one_cell_with_one_look() -> None:
    plan = plan_of(TUNING_STUDY)
    numbering = Numbering.of(plan)
    assert [numbering.place(number) for number in (1, 2, 50)] == [(1, 0), (1, 1), (1, 49)]
    assert {numbering.look(number) for number in range(51, 51 + plan.num_confirm_trials)} == {0}
