"""Signals while a command loads: it ends at once, in words, however it was started."""

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.studies.command import ROOT

SIGNALLED = """
import os, signal, sys
sys.orig_argv, sys.argv = {orig!r}, {argv!r}
import studies
os.kill(os.getpid(), signal.{number})
print("it goes on")
"""
OURS = {
    "console script": (["python", "/bin/studies", "run", "a b.py"], ["/bin/studies", "run", "a b.py"]),
    "module": (["python", "-X", "dev", "-m", "studies.run", "a b.py"], ["-m", "a b.py"]),
    "package": (["python", "-m", "studies", "run", "a b.py"], ["-m", "run", "a b.py"]),
}


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("how", OURS)
def test_a_command_ends_at_once(how: str, number: signal.Signals, tmp_path: Path) -> None:
    orig, argv = OURS[how]
    ended = python(SIGNALLED.format(orig=orig, argv=argv, number=number.name), tmp_path)
    what = "interrupted" if number is signal.SIGINT else "terminated"
    assert (ended.returncode, ended.stdout) == (128 + number, "")
    assert ended.stderr == (f"error: {what}; everything recorded is kept\nGo on with: studies run 'a b.py'\n")


def test_somebody_elses_program_keeps_its_handlers(tmp_path: Path) -> None:
    source = SIGNALLED.format(orig=["python", "mine.py"], argv=["mine.py"], number="SIGTERM")
    assert python(source, tmp_path).returncode == -signal.SIGTERM


def python(source: str, folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", source],
        cwd=folder,
        env={"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
