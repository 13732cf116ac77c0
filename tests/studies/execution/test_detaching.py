"""Starting a detached run: Ctrl-C never leaves one behind that nobody has been told of."""

import os
import signal
import subprocess
from typing import Any

import pytest

from studies.base.stop_signal import handling_signals
from studies.execution import detaching
from studies.execution.detaching import detach


def test_ctrl_c_while_it_is_being_started_ends_it(monkeypatch: pytest.MonkeyPatch) -> None:
    started = list[subprocess.Popen[bytes]]()

    def start(command: list[str], **given: Any) -> "subprocess.Popen[bytes]":
        words = ["-c", "import time; print('under way', flush=True); time.sleep(60)"]
        started.append(subprocess.Popen([command[0], *words], **given))
        os.kill(os.getpid(), signal.SIGTERM)
        return started[-1]

    monkeypatch.setattr(detaching, "subprocess", _Starting(start))
    with handling_signals(), pytest.raises(Exception, match="was ended by SIGTERM"):
        detach(["depth_study"])
    assert started[0].poll() == -signal.SIGTERM


class _Starting:
    """What the module needs of `subprocess`, with another way to start a process."""

    DEVNULL = subprocess.DEVNULL

    def __init__(self, start: Any) -> None:
        self.Popen = start
