"""load(), build() and train() in the command's own process: what they may do to it, and what Ctrl-C does to them."""

import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from studies import plan
from studies.user_files import calls
from studies.user_files.calls import Call
from tests.studies.command import ROOT
from tests.studies.own_file import write

LOAD = "    inputs = np.random.default_rng(0).normal(size=(90, 2, 3))\n"
BUILD = "    units = round(hyperparameters.units * hyperparameters.gain)\n"
CALL = """
import signal, sys, time
signal.signal(signal.SIGINT, signal.default_int_handler)  # a job in the background is started without it
from studies.user_files import calls
calls.SECONDS_TO_YIELD = 0.3
with calls.Call("load() of x.py").watched():
    print("begun", flush=True)
"""
STUBBORN = """
    while True:
        try:
            time.sleep(60)
        except BaseException:
            pass
"""


@pytest.mark.parametrize(
    ("line", "how", "expected"),
    [
        (
            LOAD,
            "raise SystemExit('no data')",
            r"\d+: load\(\) raised SystemExit: no data, which would end the",
        ),
        (LOAD, "raise GeneratorExit", r"\d+: load\(\) raised GeneratorExit, which would end the command"),
        (
            BUILD,
            "raise KeyboardInterrupt",
            r"\d+: build\(\) with units 4, .*: KeyboardInterrupt, which would end",
        ),
    ],
    ids=["load", "load again", "build"],
)
def test_what_would_end_the_command_is_told_with_its_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], line: str, how: str, expected: str
) -> None:
    path = write(tmp_path, (line, f"    {how}\n{line}"))
    assert plan.main([str(path), "--storage", f"sqlite:///{tmp_path}/none.db"]) == 2
    said = capsys.readouterr().err
    assert re.match(f"error: {re.escape(str(path))}:{expected}", said), said


@contextmanager
def calling(body: str) -> Iterator[subprocess.Popen[str]]:
    """Start a process that calls code which does this, and wait until it is called."""
    with subprocess.Popen(
        [sys.executable, "-c", CALL + body],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "begun\n"
        yield process
        process.kill()


def test_ctrl_c_ends_a_call_that_does_not_heed_it() -> None:
    with calling(STUBBORN) as process:
        time.sleep(0.3)  # until it is within the loop that swallows whatever is raised
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=20)
        assert process.returncode == 130
        assert said.startswith("error: interrupted; load() of x.py did not end within 0 s of Ctrl-C\n")


def test_ctrl_c_is_a_keyboard_interrupt_for_one_that_heeds_it() -> None:
    with calling("    time.sleep(60)") as process:
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=20)
        assert process.returncode == -signal.SIGINT
        assert said.rstrip().endswith("KeyboardInterrupt")


def test_a_crash_in_a_librarys_own_code_shows_the_line() -> None:
    with calling("    import ctypes; ctypes.string_at(0)") as process:
        _, said = process.communicate(timeout=20)
        assert process.returncode == -signal.SIGSEGV
        assert said.startswith("Fatal Python error: Segmentation fault")
        assert 'File "<string>", line 8 in <module>' in said


def test_a_call_that_takes_long_is_told_of(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(calls, "SECONDS_TO_FIRST_WORD", 0.6)
    with Call("load() of x.py").watched():
        pass
    assert capsys.readouterr().err == ""
    with Call("load() of x.py").watched():
        time.sleep(1.6)
    assert capsys.readouterr().err.splitlines() == [
        f"load() of x.py has been running for {seconds} s; Ctrl-C ends it" for seconds in (1, 1)
    ]


@pytest.fixture
def _heard() -> Iterator[None]:
    """Hear Ctrl-C as Python does: a job in the background is started without it."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("_heard")
def test_signals_are_heard_as_before_and_no_thread_stays() -> None:
    handler, threads = signal.getsignal(signal.SIGINT), threading.active_count()
    with Call("load() of x.py").watched():
        with Call("train() of x.py").watched():
            assert signal.getsignal(signal.SIGINT) is not handler
        assert signal.getsignal(signal.SIGINT) is not handler
    assert signal.getsignal(signal.SIGINT) is handler
    assert signal.set_wakeup_fd(-1) == -1
    assert threading.active_count() == threads
