"""What the live page says of a study, from the driver's queue and counts."""

import os
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from reports.inputs.measures import objective_of
from reports.pages.live_page import LiveStudy, Stage
from studies.base.states import Phase, TrialState
from studies.execution.live_study import MAX_LEADERS, MAX_RUNNING, live_study
from studies.planning.plan import Plan
from studies.planning.planned_trial import PlannedTrial
from studies.run_log.looks import LookSummary
from studies.search.progress import Progress, RunningTrial, planned_progress
from tests.studies.database.so_far import so_far
from tests.studies.raytune.plans import plan

LOOK = LookSummary(
    look=1,
    num_looks=2,
    num_blocks=10,
    closed=("depth: 2 − 1",),
    withheld=(),
    open=("Adam − SGD",),
    unresolved=(),
    num_cells=1,
    next_blocks=20,
)


def progress_of(of: Plan) -> Progress:
    return planned_progress(of, so_far([]), num_networks=0, num_diverged=0)


def told(
    of: Plan, trials: Sequence[PlannedTrial] = (), progress: Progress | None = None, **changes: Any
) -> LiveStudy:
    given: dict[str, Any] = {
        "stage": Stage.RUNNING,
        "as_of": datetime(2026, 3, 9, tzinfo=UTC),
        "measure": objective_of(of.to_dict(), 10),
        "report": Path("runs/small/report.html"),
        "dashboard": None,
        "why": None,
        "resume_command": "studies run small",
        "arguments": (),
    }
    return live_study(of, progress or progress_of(of), trials, **{**given, **changes})


def search_trial(of: Plan, number: int, cell: int, **changes: Any) -> PlannedTrial:
    found = of.cells[cell]
    fields = {"params": {**found.levels, "learning_rate": number / 1000}, "state": TrialState.COMPLETE}
    return PlannedTrial(**{"number": number, "phase": Phase.SEARCH, "cell": found, **fields, **changes})


def test_of_each_cell_the_best_trial_leads_at_the_furthest_rung() -> None:
    of = plan()
    trials = [
        search_trial(of, 1, 0, rung=3, objective=0.1),
        search_trial(of, 2, 0, rung=9, objective=0.5),
        search_trial(of, 3, 0, rung=9, objective=0.4),
        search_trial(of, 4, 1, rung=9, objective=0.3),
        search_trial(of, 5, 1, rung=9, objective=0.01, state=TrialState.FAILED),
        search_trial(of, 6, 1),
    ]
    confirmed = replace(trials[2], number=90, phase=Phase.CONFIRM, objective=0.45)
    later = replace(confirmed, number=91, look=1, objective=0.2)
    begun = replace(trials[3], number=92, phase=Phase.CONFIRM, state=TrialState.RUNNING)
    page = told(of, [*trials, confirmed, later, begun])
    assert [(leader.score, leader.epoch, leader.confirmed) for leader in page.leaders] == [
        ("0.300 nats", 9, None),
        ("0.400 nats", 9, "0.450 nats"),
    ]
    assert page.leaders[1].tuned == "learning rate 0.003"
    assert "learning rate" not in page.leaders[1].name
    assert page.num_leaders == 2


def test_a_score_that_is_only_a_failures_is_called_that() -> None:
    of = plan()
    page = told(of, [search_trial(of, 1, 0, rung=3, objective=2.4)])
    assert page.leaders[0].score == "no better than guessing"


def test_questions_stand_as_after_the_last_look() -> None:
    of = plan()
    assert told(of).questions is None
    progress = progress_of(of)
    progress.look = LOOK
    questions = told(of, progress=progress).questions
    assert questions is not None
    assert questions.after == "After look 1 of 2, at 10 blocks: 1 of 2 questions answered."
    assert questions.groups == [("answered", ("depth: 2 − 1",)), ("open", ("Adam − SGD",))]
    assert questions.goes_on == "For the open ones 1 cell is trained on, to 20 blocks."


def test_what_is_too_much_for_a_page_is_counted() -> None:
    of, progress = plan(), progress_of(plan())
    for number in range(1, 100):
        progress.running[number] = RunningTrial(number=number, phase=Phase.SEARCH, params={"depth": 1})
    page = told(of, progress=progress)
    assert (len(page.running), page.num_running) == (MAX_RUNNING, 99)
    assert MAX_LEADERS < 50


def test_commands_say_where_the_study_is_and_names_cannot_move_a_terminals_cursor() -> None:
    of = replace(plan(), name="x\x1b[2J")
    page = told(of, arguments=("--storage", "sqlite:///a b.db"), resume_command="studies run 'x\x1b[2J'")
    assert page.stop_command.endswith(" --storage 'sqlite:///a b.db'")
    for text in (page.study, page.stop_command, page.status_command, page.resume_command):
        assert "\x1b" not in text


def test_a_report_that_lies_there_has_its_time(tmp_path: Path) -> None:
    path = tmp_path / "report.html"
    assert told(plan(), report=path).reported_at is None
    path.touch()
    os.utime(path, (0, 1_000_000_000))
    assert told(plan(), report=path).reported_at == datetime(2001, 9, 9, 1, 46, 40, tzinfo=UTC)


@pytest.mark.parametrize("states", [{}, {TrialState.COMPLETE: 3, TrialState.PRUNED: 2, TrialState.FAILED: 1}])
def test_what_has_ended_is_counted(states: dict[TrialState, int]) -> None:
    progress = progress_of(plan())
    progress.ended[Phase.SEARCH] |= states
    page = told(plan(), progress=progress)
    assert page.phases[0].ended == sum(states.values())
    assert page.num_failures == states.get(TrialState.FAILED, 0)
    expected = [states.get(state, 0) for state in (TrialState.COMPLETE, TrialState.PRUNED, TrialState.FAILED)]
    assert page.trials == "{} complete, {} stopped early, {} failed".format(*expected)
