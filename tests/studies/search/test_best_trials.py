"""Leaders knows at any time what ranking every trial again would put first."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from studies.base.states import Phase, TrialState
from studies.planning.plan import Cell
from studies.planning.planned_trial import PlannedTrial, rank
from studies.search.best_trials import Leaders

CELLS = tuple(Cell(number=number, levels={"depth": number}, key=str(number)) for number in (1, 2, 3))
Step = tuple[int, float | None]
"""A trial's number, and the objective with which it reaches its next rung; None: it fails."""


def trials(*cells: Cell | None) -> dict[int, PlannedTrial]:
    return {
        number: PlannedTrial(number=number, phase=Phase.SEARCH, cell=cells[number % len(cells)], params={})
        for number in range(1, 10)
    }


@pytest.mark.parametrize("mode", ["min", "max"])
@pytest.mark.parametrize("cells", [CELLS, (None,)])
@given(
    steps=st.lists(st.tuples(st.integers(1, 9), st.none() | st.sampled_from([0.1, 0.2, 0.3])), max_size=40)
)
def test_is_the_first_of_the_ranking_after_every_step(
    mode: str, cells: tuple[Cell | None, ...], steps: list[Step]
) -> None:
    standing, leaders = trials(*cells), Leaders(mode=mode)
    for number, objective in steps:
        trial = standing[number]
        if trial.state is TrialState.FAILED:
            continue
        if objective is None:
            standing[number] = replace(trial, state=TrialState.FAILED)
            leaders.fail(number)
        else:
            standing[number] = replace(trial, rung=trial.rung + 1, objective=objective)
            leaders.reach(standing[number])
        for cell in {None, *cells}:
            among = [trial for trial in standing.values() if cell is None or trial.cell == cell]
            ranked = rank(among, mode=mode)
            assert leaders.first(cell) == (ranked[0].number if ranked else None)


def test_nobody_leads_before_anything_was_reached() -> None:
    assert Leaders(mode="min").first() is None
