"""Memory that another program takes: Ray kills every worker, each trial fails with that, and the command says so."""

from pathlib import Path

import pytest

from tests.studies.command import STUDY, rows, started
from tests.studies.disturbances import WITHOUT_DASHBOARD

ALWAYS_TOO_MUCH = {"RAY_memory_usage_threshold": "0.001", "RAY_memory_monitor_refresh_ms": "100"}


@pytest.mark.slow
def test_a_study_whose_workers_are_all_killed_ends_in_order(tmp_path: Path) -> None:
    small = STUDY.replace("trials_per_cell=4", "trials_per_cell=1").replace("(1, 2)", "(1,)")
    (tmp_path / "small.py").write_text(small)
    with started(tmp_path, *WITHOUT_DASHBOARD, settings=ALWAYS_TOO_MUCH) as command:
        assert command.finish(timeout=300.0) == 1
        assert command.left_processes() == []
    assert "Traceback" not in command.errors
    assert "every trial of small failed, trial 1 with: " in command.errors
    trials = rows(tmp_path, "SELECT state, error FROM trial")
    assert {state for state, _ in trials} == {"failed"}
    for _, error in trials:
        first, second, last = error.splitlines()
        assert first == "the worker was lost 4 times; the last time:"
        assert second.startswith("memory ran low on its machine: ")
        assert "Use fewer --workers" in last
    events = rows(tmp_path, "SELECT trial_number, detail FROM event WHERE kind = 'worker_lost'")
    assert len(events) == 3 * len(trials)
    assert all(len(detail.splitlines()) == 3 for _, detail in events)
