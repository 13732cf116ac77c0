"""What a worker's log says of its trials: whole lines, one when a trial begins and one when it ends."""

import re
import sys
from contextlib import suppress
from pathlib import Path

import pytest

from trainables.trials.trial_log import DETAILS, TITLE, TrialLog

CONFIG = {TITLE: "s trial 1, cell 2", DETAILS: "search, attempt 1, depth 2"}
NEXT = {TITLE: "s trial 2", DETAILS: "search, attempt 3, depth 1"}


def said(capsys: pytest.CaptureFixture[str]) -> list[str]:
    """Return the lines without their times."""
    lines = capsys.readouterr().out.splitlines()
    return [re.sub(r"^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC ", "", line) for line in lines]


def test_a_trial_that_is_complete(capsys: pytest.CaptureFixture[str]) -> None:
    log = TrialLog()
    log.take_up(CONFIG)
    assert said(capsys) == [], "a worker may take up a trial long before it trains"
    log.begin(0)
    log.report(3, done=False, error=None)
    log.report(9, done=True, error=None)
    log.close()
    assert said(capsys) == [
        "s trial 1, cell 2 begins: search, attempt 1, depth 2",
        "s trial 1, cell 2 is complete after epoch 9",
    ]


def test_a_trial_that_was_stopped_says_so_before_the_next(capsys: pytest.CaptureFixture[str]) -> None:
    log = TrialLog()
    log.take_up(CONFIG)
    log.begin(0)
    log.report(3, done=False, error=None)
    log.take_up(NEXT)
    log.begin(6)
    log.close()
    log.close()
    assert said(capsys)[1:] == [
        "s trial 1, cell 2 was stopped after epoch 3",
        "s trial 2 goes on after epoch 6: search, attempt 3, depth 1",
        "s trial 2 was stopped after epoch 6",
    ]


def test_a_trial_that_fails_says_its_errors_last_line(capsys: pytest.CaptureFixture[str]) -> None:
    log = TrialLog()
    log.take_up(CONFIG)
    log.begin(0)
    log.report(3, done=True, error="Traceback ...\nValueError: \x1b[31mno\n")
    log.take_up(NEXT)
    assert said(capsys)[1:] == ["s trial 1, cell 2 failed after epoch 3: ValueError:  [31mno"]


def test_a_helper_says_which_replicates_it_trains(capsys: pytest.CaptureFixture[str]) -> None:
    log = TrialLog()
    log.take_up(CONFIG)
    log.help(range(3, 6))
    log.close()
    assert said(capsys) == ["s trial 1, cell 2 is helped with replicates 3 to 5: search, attempt 1, depth 2"]


@pytest.mark.parametrize("output", [None, "closed", "/dev/full"])
def test_a_log_that_cannot_be_written_costs_nothing(
    output: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with open(output if output == "/dev/full" else tmp_path / "log", "w", encoding="utf-8") as file:
        if output == "closed":
            file.close()
        monkeypatch.setattr(sys, "stdout", output and file)
        log = TrialLog()
        log.take_up(CONFIG)
        log.begin(0)
        log.report(3, done=False, error=None)
        log.close()
        monkeypatch.undo()
        with suppress(OSError):  # what is left of it cannot be written either
            file.close()
