"""What can happen to the run of a small study before it has ended, and that nothing of it is left but its record."""

import os
import shlex
import signal
import time
from pathlib import Path

from tests.studies.command import Command, rows

RUN = ("run", "./small.py", "--workers", "1")
WITHOUT_DASHBOARD = (*RUN, "--no-dashboard")


def num_ended(folder: Path) -> int:
    return len(rows(folder, "SELECT 1 FROM trial WHERE ended_at IS NOT NULL"))


def at(num_trials: int, command: Command) -> None:
    command.wait_until(lambda: num_ended(command.folder) >= num_trials)


def kill(command: Command) -> None:
    """The driver dies without a word: nothing of it lives on, and another process says how to go on."""
    at(2, command)
    command.process.kill()
    command.finish()
    deadline = time.monotonic() + 30
    while (command.left_processes() or os.listdir(command.temporary)) and time.monotonic() < deadline:
        time.sleep(0.1)
    check_nothing_is_left(command, "the run was killed")
    assert rows(command.folder, "SELECT state FROM study") == [("running",)]


def press_ctrl_c(command: Command) -> None:
    at(num_ended(command.folder) + 1, command)
    command.press_ctrl_c()
    check_interrupted(command, 130, "interrupted")


def terminate_while_a_trial_hangs(command: Command) -> None:
    at(num_ended(command.folder) + 1, command)
    send(signal.SIGSTOP, "ray::small", command)
    os.killpg(command.process.pid, signal.SIGTERM)  # Ray's processes, too, as job schedulers and `timeout` do
    check_interrupted(command, 143, "terminated")


def lose_raylet(command: Command) -> None:
    lose("raylet", command)


def lose_gcs(command: Command) -> None:
    lose("gcs_server", command)


def lose(name: str, command: Command) -> None:
    """A process of Ray's dies, and with it the run, but no trial."""
    at(num_ended(command.folder) + 1, command)
    send(signal.SIGKILL, name, command)
    assert command.finish(timeout=60) == 1, command.errors
    check_nothing_is_left(command, f"Ray is gone: its {name} was killed or crashed")
    assert rows(command.folder, "SELECT state FROM study") == [("interrupted",)]
    assert rows(command.folder, "SELECT 1 FROM trial WHERE state = 'failed'") == []


def send(number: signal.Signals, name: str, command: Command) -> None:
    """Send a signal to the processes of a command whose names begin so."""
    named = [path for path in command.processes() if (path / "comm").read_text().startswith(name)]
    assert named, f"there is no {name}"
    for process in named:
        os.kill(int(process.name), number)


def check_interrupted(command: Command, exit_code: int, what: str) -> None:
    """The run has stopped in time, in words, with the command to go on, and nothing is left of it."""
    assert command.finish(timeout=20) == exit_code, command.errors
    check_nothing_is_left(command, what)
    assert rows(command.folder, "SELECT state FROM study") == [("interrupted",)]


def check_nothing_is_left(command: Command, what: str) -> None:
    *_, first, second = command.errors.splitlines()
    assert first == f"error: {what}; everything recorded is kept"
    assert second == f"Go on with: {shlex.join(['studies', *WITHOUT_DASHBOARD])}"
    assert "Traceback" not in command.errors
    assert "SIGTERM" not in command.errors
    assert command.output == ""
    assert command.left_processes() == []
    assert os.listdir(command.temporary) == []
    assert num_ended(command.folder) < 10, "it was too late to interrupt anything"
