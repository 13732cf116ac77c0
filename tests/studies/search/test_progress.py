"""What a driver knows of its run's start."""

from dataclasses import replace

import pytest

from studies.base.states import TrialState
from studies.planning.planned_trial import PlannedTrial
from studies.search.progress import MAX_TOLD, planned_progress
from studies.search.trial_queue import TrialQueue
from tests.studies.database.so_far import so_far
from tests.studies.raytune.plans import plan
from trainables.base.records import TrialReport


def report(busy_seconds: float, first_epoch_seconds: float | None = None) -> TrialReport:
    return TrialReport(
        epoch=1,
        objective=0.5,
        epochs=(),
        replicates=(),
        busy_seconds=busy_seconds,
        worker="here:1",
        first_epoch_seconds=first_epoch_seconds,
    )


def test_the_startup_ends_when_the_first_epoch_is_trained_not_when_it_is_reported() -> None:
    progress = planned_progress(plan(), so_far([]), num_networks=0, num_diverged=0)
    progress.command_started, progress.clock = 100.0, lambda: 130.0
    trial = TrialQueue(plan()).next_trial()
    assert isinstance(trial, PlannedTrial)
    progress.advance(trial, report(busy_seconds=0.0), None)
    assert progress.startup_seconds is None, "a trial that failed at once has trained nothing"
    progress.advance(trial, report(busy_seconds=6.0, first_epoch_seconds=2.0), None)
    assert progress.startup_seconds == pytest.approx(26.0)
    progress.clock = lambda: 200.0
    progress.advance(trial, report(busy_seconds=6.0, first_epoch_seconds=2.0), None)
    assert progress.startup_seconds == pytest.approx(26.0)


def test_what_became_of_trials_and_workers_is_kept_in_one_line_each_up_to_a_limit() -> None:
    progress = planned_progress(plan(), so_far([]), num_networks=0, num_diverged=0)
    trial = TrialQueue(plan()).next_trial()
    assert isinstance(trial, PlannedTrial)
    failed = replace(report(busy_seconds=0.0), error="Traceback ...:\n  a line\nValueError: no")
    for number in range(MAX_TOLD + 5):
        progress.lose(number, replicates=2, why=f"killed {number}")
        progress.advance(trial, failed, TrialState.FAILED)
    assert progress.num_losses == MAX_TOLD + 5
    assert (progress.losses[0].number, progress.losses[-1].words) == (5, f"killed {MAX_TOLD + 4}")
    assert {each.words for each in progress.failures} == {"ValueError: no"}
    assert len(progress.failures) == MAX_TOLD


def test_what_is_told_beside_the_progress_has_the_problem_of_the_page() -> None:
    progress = planned_progress(plan(), so_far([]), num_networks=0, num_diverged=0)
    assert progress.told_note is None
    progress.page_problem = "the page is not up to date"
    assert progress.told_note == "the page is not up to date"
    progress.note = "one row"
    assert progress.told_note == "one row; the page is not up to date"
