"""Ctrl-C, a second run and a stop from elsewhere, at moments that the quick tests leave out."""

import time
from pathlib import Path

import pytest

from tests.studies.command import STUDY, finished, rows, started
from tests.studies.disturbances import WITHOUT_DASHBOARD, at, check_interrupted


@pytest.mark.slow
@pytest.mark.parametrize("presses", [1, 2])
def test_ctrl_c_while_ray_starts(tmp_path: Path, presses: int) -> None:
    (tmp_path / "small.py").write_text(STUDY)
    with started(tmp_path, *WITHOUT_DASHBOARD) as command:
        command.wait_until(lambda: bool(rows(tmp_path, "SELECT 1 FROM event WHERE kind = 'run_started'")))
        for _ in range(presses):
            command.press_ctrl_c()
            time.sleep(0.5)
        check_interrupted(command, 130, "interrupted")
    assert rows(tmp_path, "SELECT 1 FROM event WHERE kind = 'cluster_started'") == []


@pytest.mark.slow
def test_a_second_run_is_refused_and_the_first_stopped_from_elsewhere(tmp_path: Path) -> None:
    (tmp_path / "small.py").write_text(STUDY.replace("trials_per_cell=4", "trials_per_cell=400"))
    with started(tmp_path, *WITHOUT_DASHBOARD) as command:
        at(2, command)
        second = finished(tmp_path, *WITHOUT_DASHBOARD)
        assert second.process.returncode == 3
        assert f"process {command.process.pid} on" in second.errors
        assert finished(tmp_path, "stop", "small").process.returncode == 0
        assert command.finish(timeout=20) == 143
        assert "error: stopped, as asked by studies stop; everything recorded is kept" in command.errors
        assert command.left_processes() == []
    assert rows(tmp_path, "SELECT state, holder_host FROM study") == [("interrupted", None)]
    assert list((tmp_path / "runs").glob("*-lease-*")) == []


@pytest.mark.slow
def test_ctrl_c_twice_while_training(tmp_path: Path) -> None:
    (tmp_path / "small.py").write_text(STUDY)
    with started(tmp_path, *WITHOUT_DASHBOARD) as command:
        at(2, command)
        command.press_ctrl_c()
        time.sleep(0.1)
        command.press_ctrl_c()
        check_interrupted(command, 130, "interrupted")
