"""One order of trials: kept up step by step, read from rows, and as the report takes it from a frame."""

from collections.abc import Mapping
from dataclasses import replace

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from reports.results.best import best_cell
from reports.results.results import best_of_cells
from studies.base.states import Phase, TrialState
from studies.database.rows import TrialRow
from studies.planning.plan import Cell
from studies.planning.planned_trial import PlannedTrial
from studies.search.best_trials import Leaders, best_complete, rank

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


def row(number: int, cell: int, state: TrialState, objective: float | None) -> TrialRow:
    return TrialRow(
        number=number,
        phase=Phase.SEARCH,
        cell=cell,
        params={},
        state=state,
        stop_reason=None,
        rung=9 if state is TrialState.COMPLETE else 3,
        epochs=9,
        objective=objective,
        attempt=1,
        started_at=None,
        ended_at=None,
        busy_seconds=1.0,
        error=None,
        worker=None,
        versions=None,
    )


@given(
    st.lists(
        st.tuples(
            st.integers(1, 3), st.sampled_from(TrialState), st.none() | st.sampled_from([0.25, 0.5, 0.75])
        ),
        max_size=12,
    ),
    st.sampled_from(["min", "max"]),
)
def test_the_report_takes_the_trials_that_the_confirm_phase_took(
    trials: list[tuple[int, TrialState, float | None]], mode: str
) -> None:
    rows = [row(number, *rest) for number, rest in enumerate(trials, start=1)]
    by_cell = {
        cell: best_complete((each for each in rows if each.cell == cell), mode=mode) for cell in (1, 2, 3)
    }
    expected = {cell: best.number for cell, best in by_cell.items() if best is not None}
    found = best_of_cells(frame(rows, mode))
    assert dict(zip(found["cell"].tolist(), found["number"].tolist(), strict=True)) == expected
    best = best_complete(rows, mode=mode)
    if best is None:
        assert found.empty
    else:
        assert best_cell(found.rename(columns={"number": "trial_number"}))["trial_number"] == best.number


def frame(rows: list[TrialRow], mode: str) -> pd.DataFrame:
    """Return rows as the report has them: with objectives that are the lower the better."""
    sign = 1 if mode == "min" else -1
    columns: Mapping[str, type] = {"number": int, "cell": int, "state": str, "objective": float}
    values = [
        (each.number, each.cell, str(each.state), None if each.objective is None else sign * each.objective)
        for each in rows
    ]
    return pd.DataFrame(values, columns=list(columns)).astype(columns)
