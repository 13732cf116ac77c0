"""What a report needs is made ready beside the trials, and nothing of it outlives the run."""

import os
import threading

import pytest

from studies.results import report_ahead
from studies.results.report_ahead import ReportAhead


@pytest.fixture(autouse=True)
def _one_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(report_ahead, "num_cores", lambda: 2)


def test_nothing_begins_before_its_time_and_nothing_is_left() -> None:
    others = set(threading.enumerate())
    with ReportAhead() as ahead:
        ahead.begin(when=lambda: False)
        assert ahead.drawers() is None
    assert set(threading.enumerate()) <= others


def test_its_processes_draw_and_end_with_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PGPASSWORD", "secret")
    monkeypatch.setattr(report_ahead, "LIBRARIES", ())
    with ReportAhead() as ahead:
        ahead.begin()
        drawers = ahead.drawers()
        assert drawers is not None
        (pid,) = drawers.pids
        with open(f"/proc/{pid}/environ", "rb") as file:
            assert b"PGPASSWORD" not in file.read()
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


def test_a_machine_with_one_core_draws_by_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(report_ahead, "num_cores", lambda: 1)
    monkeypatch.setattr(report_ahead, "LIBRARIES", ())
    with ReportAhead() as ahead:
        ahead.begin()
        assert ahead.drawers() is None
