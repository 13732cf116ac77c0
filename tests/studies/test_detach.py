"""`studies run --detach`: a run that survives its terminal, and the death of whoever started it."""

import json
import os
import signal
import stat
from pathlib import Path

import pytest

from studies.run_log.log_file import FILE_NAME
from tests.studies.command import STUDY, TIMEOUT, finished, rows, started
from tests.studies.faults.traces import wait_until
from tests.studies.in_a_terminal import DONE

RUN = ("run", "./small.py", "--no-dashboard", "--detach")


def log_of(folder: Path) -> str:
    return (folder / "runs" / "small" / FILE_NAME).read_text(encoding="utf-8")


def num_ended(folder: Path) -> int:
    (found,) = rows(folder, "SELECT count(*) FROM trial WHERE ended_at IS NOT NULL") or [(0,)]
    return int(found[0])


def test_a_detached_run_is_found_watched_killed_and_gone_on_with_by_another_that_survives_its_terminal(
    tmp_path: Path,
) -> None:
    (tmp_path / "small.py").write_text(STUDY)
    with started(tmp_path, *RUN, "--json") as command:
        assert command.finish() == 0, command.errors
        begun = json.loads(command.output)
        process, log = begun["process"], tmp_path / "runs" / "small" / FILE_NAME
        assert begun == {"study": "small", "host": os.uname().nodename, "process": process, "log": str(log)}
        assert os.getsid(process) == process, "it has a session of its own"
        assert stat.S_IMODE(log.stat().st_mode) == 0o600

        again = finished(tmp_path, *RUN)
        assert again.process.returncode == 3
        assert f"study small is held by another run: process {process} on" in again.errors
        assert "run: studies run" not in again.errors

        told = json.loads(finished(tmp_path, "status", "small", "--json").output)["run"]
        assert (told["process"], told["log"], told["ray_job"]) == (process, str(log), None)

        with started(tmp_path, "logs", "small", "-f") as following:
            following.wait_until(lambda: num_ended(tmp_path) > 0)
            os.kill(process, signal.SIGKILL)
            assert following.finish() == 0, following.errors
        assert f"process {process} on" in following.output
        assert "starting Ray ..." in following.output
        command.wait_until_left(
            lambda: "error: the run was killed; everything recorded is kept" in log_of(tmp_path)
        )

    words = ("-m", "studies.run", *RUN[1:])
    with started(tmp_path, "tests.studies.in_a_terminal", *words) as terminal:
        assert terminal.finish() == 0, terminal.errors
        assert f"{DONE} 0" in terminal.output
        assert "Stop    studies stop small" in terminal.output
        assert f"signal {signal.SIGHUP}" in terminal.output
        assert finished(tmp_path, "logs", "small", "-f").process.returncode == 0
        assert rows(tmp_path, "SELECT state FROM study") == [("complete",)]
        terminal.wait_until_left(lambda: "end of the run, after" in log_of(tmp_path))
    written = log_of(tmp_path)
    assert written.count("run: studies run ./small.py --no-dashboard\n") == 2
    assert "search 8 of 8 trials, confirm 2 of 2" in written
    assert "Report  runs/small/report.html" in written
    assert "the dashboard's page Logs" not in written, "there is none"


@pytest.mark.parametrize(
    ("words", "exit_code", "told"),
    [
        (("depth_stud",), 2, "depth_stud: no such study"),
        (("depth_study", "--cpus-per-trial", "0"), 2, "--cpus-per-trial must be a number above 0"),
        (("depth_study", "--address", "127.0.0.1:1"), 1, "no Ray cluster could be joined at 127.0.0.1:1"),
    ],
)
def test_what_is_wrong_is_told_as_if_it_were_not_detached(
    tmp_path: Path, words: tuple[str, ...], exit_code: int, told: str
) -> None:
    ended = finished(tmp_path, "run", *words, "--detach")
    assert ended.process.returncode == exit_code
    assert f"error: {told}" in ended.errors
    assert ended.output == ""
    assert not (tmp_path / "runs").exists() or not any((tmp_path / "runs").iterdir())


def test_ctrl_c_before_it_is_under_way_ends_it(tmp_path: Path) -> None:
    (tmp_path / "small.py").write_text(STUDY)
    with started(tmp_path, *RUN) as command:
        command.wait_until(lambda: "starting Ray ..." in command.errors)
        command.press_ctrl_c()
        assert command.finish(timeout=20) == 130
        assert "error: interrupted; everything recorded is kept" in command.errors
        # The one that was asked ends when the run has told its end, a moment before that itself is gone.
        wait_until(lambda: command.left_processes() == [], "the end of the run", TIMEOUT)
