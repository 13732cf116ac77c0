"""The steps of a command's start: one line that is written over on a terminal, lines elsewhere, nothing when quiet."""

import io
import os
import pty
import select
import subprocess
import sys
import time
from pathlib import Path

import pytest

from studies.base import steps
from studies.base.first_signals import ERASE_LINE
from studies.base.steps import Steps, telling_steps
from tests.studies.command import ROOT
from tests.terminal import Terminal

MAX_CPU_SECONDS_TO_FIRST_LINE = 0.3
"""Of this process: by the clock it depends on what else the machine does."""
FIRST_LINE = """
import sys, time
from studies.base.steps import Steps
Steps.tell_early = lambda self, step: sys.exit(f"{step} {time.process_time()}")
from studies.run import main
main(["depth_study"])
"""


def test_a_terminal_has_one_line_that_goes_away(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")
    stream = Terminal()
    with telling_steps(stream) as told:
        told.tell_early("loading")
        told.tell("starting Ray")
    told.tell("too late")
    assert stream.getvalue() == f"{ERASE_LINE}loading ...{ERASE_LINE}starting Ray ...{ERASE_LINE}"


@pytest.mark.parametrize("term", ["dumb", "xterm"])
def test_elsewhere_each_step_is_a_line_once_no_mistake_is_left(
    term: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TERM", term)
    stream = Terminal() if term == "dumb" else io.StringIO()
    with telling_steps(stream) as told:
        told.tell_early("loading")
        told.tell("starting Ray")
    assert stream.getvalue() == "starting Ray ...\n"


def test_quiet_tells_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")
    stream = Terminal()
    with telling_steps(stream, quiet=True) as told:
        told.tell_early("loading")
        told.tell("starting Ray")
    assert stream.getvalue() == ""


def test_a_terminal_sees_how_long_a_step_takes_within_its_width(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(steps, "SECONDS_BETWEEN_UPDATES", 0.01)
    monkeypatch.setenv("COLUMNS", "24")
    seconds = iter([0.0, *[100.0] * 10_000])
    stream = Terminal()
    told = Steps(stream, is_live=True, clock=lambda: next(seconds))
    told.tell("starting Ray")
    deadline = time.monotonic() + 10
    while "100" not in stream.getvalue() and time.monotonic() < deadline:
        time.sleep(0.01)
    told.tell("a step with a name that is too long")
    told.close()
    lines = stream.getvalue().split(ERASE_LINE)
    assert "starting Ray ... 100 s" in lines
    assert max(map(len, lines)) == 23


def test_the_first_step_is_told_before_anything_heavy_is_loaded() -> None:
    said = subprocess.run(
        [sys.executable, "-c", FIRST_LINE], cwd=ROOT, capture_output=True, text=True, check=False
    )
    step, seconds = said.stderr.rsplit(maxsplit=1)
    assert step == "loading Studies"
    assert float(seconds) < MAX_CPU_SECONDS_TO_FIRST_LINE


def test_ctrl_c_while_a_command_loads_is_told_and_wipes_out_the_line(tmp_path: Path) -> None:
    words = ["run", "./small.py", "--workers", "1"]
    number, terminal = pty.fork()
    if number == 0:
        os.environ.update(PYTHONPATH=str(ROOT), TERM="xterm")
        os.execv(sys.executable, [sys.executable, "-m", "studies", *words])
    shown = ""
    while "loading Studies ..." not in shown:
        shown += os.read(terminal, 1024).decode()
    os.write(terminal, b"\x03")
    while select.select([terminal], [], [], 30)[0]:
        try:
            shown += os.read(terminal, 1024).decode()
        except OSError:  # the other end is closed
            break
    _, status = os.waitpid(number, 0)
    os.close(terminal)
    assert os.waitstatus_to_exitcode(status) == 130
    told = shown.split(ERASE_LINE)[-1].splitlines()
    assert told == [
        "error: interrupted; everything recorded is kept",
        "Go on with: studies run ./small.py --workers 1",
    ]


def test_another_line_can_be_printed_between_steps() -> None:
    stream = Terminal()
    steps = Steps(stream, is_live=True)
    steps.clear()
    assert stream.getvalue() == "", "nothing was told yet"
    steps.tell("planning")
    steps.clear()
    assert stream.getvalue() == f"{ERASE_LINE}planning ...{ERASE_LINE}"
    steps.close()
