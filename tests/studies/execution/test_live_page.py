"""A run's page: when it is written, by whom, what it says in the end, and that no run is lost by it."""

import errno
import os
import signal
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from reports.pages.live_page import Stage
from studies.base.errors import HeldError, StudiesError
from studies.base.stop_signal import RayLostError, RunInterruptedError
from studies.execution import live_page
from studies.execution.live_page import NICENESS, LivePage, Schedule, finish_page, give_way
from studies.search.progress import Progress, planned_progress
from studies.search.trial_queue import TrialQueue
from tests.studies.database.so_far import so_far
from tests.studies.raytune.plans import plan

COMMAND = "studies run ./small.py"


class Lease:
    """The right to write a study, until another run takes it over."""

    def __init__(self) -> None:
        """Have it."""
        self.lost: HeldError | None = None

    def confirm(self) -> bool:
        """Return whether it is still there."""
        return self.lost is None


class Made:
    """A page in a folder, its progress and its lease."""

    def __init__(self, folder: Path, **options: Any) -> None:
        """Write nothing yet."""
        self.progress: Progress = planned_progress(plan(), so_far([]), num_networks=0, num_diverged=0)
        self.lease = Lease()
        self.path = folder / "live.html"
        self.page = LivePage(
            plan(),
            self.progress,
            folder=folder,
            lease=self.lease,
            resume_command=COMMAND,
            arguments=("--output", "there"),
            now=lambda: datetime(2026, 3, 9, 14, 5, tzinfo=UTC),
            **options,
        )

    @property
    def text(self) -> str:
        """What stands there."""
        return self.path.read_text(encoding="utf-8")


@pytest.fixture
def made(tmp_path: Path) -> Made:
    """A page that is wanted."""
    return Made(tmp_path)


def test_a_page_is_due_after_the_first_report_and_then_once_a_minute() -> None:
    now, has_begun = [100.0], [False]
    schedule = Schedule(lambda: has_begun[0], lambda: now[0])
    assert not schedule.is_due()
    now[0] = 900.0
    assert not schedule.is_due(), "no trial has reported"
    has_begun[0] = True
    assert schedule.is_due()
    due = []
    for second in range(1, 190):
        now[0] = 900.0 + second
        if schedule.is_due():
            due.append(second)
    assert due == [60, 120, 180]


def test_a_slow_machine_is_not_made_slower_by_pages_that_are_late() -> None:
    now = [0.0]
    schedule = Schedule(lambda: True, lambda: now[0])
    assert schedule.is_due()
    now[0] = 1000.0
    assert schedule.is_due()
    assert not schedule.is_due(), "what was missed is not made up for"


def test_it_begins_with_a_page_that_says_that_the_run_starts(made: Made) -> None:
    made.page.begin()
    assert made.progress.live_page == made.path
    assert made.progress.page_problem is None
    assert "Ray and its workers are starting" in made.text
    assert "studies stop" in made.text
    assert "--output there" in made.text


def niceness() -> int:
    return os.getpriority(os.PRIO_PROCESS, threading.get_native_id())


def wait_until(condition: Callable[[], bool]) -> None:
    for _ in range(20_000):
        if condition():
            return
        threading.Event().wait(0.001)
    raise AssertionError("nothing happened")


def test_while_a_run_lasts_a_thread_of_low_priority_writes_it(
    made: Made, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live_page, "SECONDS_BETWEEN_LOOKS", 0.001)
    nice: list[int] = []
    before = niceness()
    made.page.begin()

    def dashboard() -> tuple[str, None]:
        nice.append(niceness())
        return "http://127.0.0.1:8265", None

    with made.page.kept_up_to_date(TrialQueue(plan()), dashboard):
        made.progress.startup_seconds = 1.0
        wait_until(lambda: "http://127.0.0.1:8265" in made.text)
    assert "live-page" not in {thread.name for thread in threading.enumerate()}
    if sys.platform == "linux":
        assert nice[0] >= NICENESS
        assert niceness() == before, "of that thread alone"
    with made.page.telling_the_end():
        pass
    assert "http://127.0.0.1:8265" not in made.text, "the dashboard has ended with the run"
    assert "its report is being made" in made.text


def test_a_thread_that_is_nicer_already_stays_so() -> None:
    if sys.platform != "linux":
        pytest.skip("only Linux has a niceness for each thread")
    found = []

    def be_nicer() -> None:
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), max(NICENESS + 5, niceness()))
        give_way()
        found.append(niceness())

    thread = threading.Thread(target=be_nicer)
    thread.start()
    thread.join()
    assert found == [max(NICENESS + 5, niceness())]


INTERRUPTED = RunInterruptedError(signal.SIGINT, COMMAND)
STOPPED = RunInterruptedError(signal.SIGTERM, COMMAND, is_asked=True)


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (INTERRUPTED, "The run was interrupted; everything recorded is kept."),
        (STOPPED, "The run was stopped, as asked by studies stop; everything recorded is kept."),
        (KeyboardInterrupt(), "The run was interrupted."),
        (
            RayLostError("Ray is gone", COMMAND),
            "The run has ended: Ray is gone; everything recorded is kept.",
        ),
        (StudiesError("the disk is full", "Free some."), "The run has failed: the disk is full. Free some."),
        (ValueError("no"), "The run has failed: ValueError: no."),
    ],
)
def test_in_the_end_it_says_why_the_run_ended_and_how_to_go_on(
    made: Made, error: BaseException, said: str
) -> None:
    made.page.begin()
    with pytest.raises(type(error)), made.page.telling_the_end():
        raise error
    assert said in made.text
    assert COMMAND in made.text
    assert 'http-equiv="refresh"' not in made.text


def test_a_run_that_never_began_leaves_the_page_of_the_one_before(made: Made) -> None:
    made.path.write_text("of the run before", encoding="utf-8")
    with pytest.raises(ValueError, match="no"), made.page.telling_the_end():
        raise ValueError("no")
    assert made.text == "of the run before"


def test_one_that_was_taken_over_leaves_the_page_to_the_other(
    made: Made, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live_page, "SECONDS_BETWEEN_LOOKS", 0.001)
    made.page.begin()
    made.lease.lost = HeldError("taken over", "")
    made.path.write_text("of the other run", encoding="utf-8")
    asked = threading.Event()

    def confirm() -> bool:
        asked.set()
        return False

    monkeypatch.setattr(made.lease, "confirm", confirm)
    made.progress.startup_seconds = 1.0
    for error in (made.lease.lost, KeyboardInterrupt()):
        with (
            suppress(HeldError, KeyboardInterrupt),
            made.page.telling_the_end(),
            made.page.kept_up_to_date(TrialQueue(plan()), None),
        ):
            assert asked.wait(20)
            raise error
    assert made.text == "of the other run"


def test_a_storage_that_fails_in_its_own_way_is_shown_and_ends_no_thread(
    made: Made, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live_page, "SECONDS_BETWEEN_LOOKS", 0.001)
    monkeypatch.setattr(made.lease, "confirm", lambda: 1 / 0)
    made.progress.startup_seconds = 1.0
    with made.page.kept_up_to_date(TrialQueue(plan()), None):
        wait_until(lambda: made.progress.page_problem is not None)
        assert "live-page" in {thread.name for thread in threading.enumerate()}
    assert "division by zero" in str(made.progress.page_problem)


def test_what_keeps_it_from_being_written_is_shown_and_ends_no_run(
    made: Made, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device", str(made.path))

    made.progress.note = "data: one row"
    with monkeypatch.context() as patched:
        patched.setattr(live_page, "write_live", full)
        with made.page.telling_the_end():
            made.page.begin()
            assert made.progress.told_note is not None
            assert made.progress.told_note.startswith("data: one row; the page ")
            assert "No space left on device" in made.progress.told_note
    assert "No space left on device" in capsys.readouterr().err
    made.page.write(Stage.RUNNING)
    assert made.progress.told_note == "data: one row", "the next page was written"


def test_whatever_goes_wrong_while_it_is_made_is_shown(made: Made, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live_page, "live_study", lambda *_, **__: 1 / 0)
    made.page.begin()
    assert made.progress.page_problem == f"the page {made.path} is not up to date: division by zero"


def test_a_page_that_is_not_wanted_is_not_there(tmp_path: Path) -> None:
    made = Made(tmp_path, is_wanted=False)
    made.path.write_text("of an earlier run", encoding="utf-8")
    with made.page.telling_the_end():
        made.page.begin()
        with made.page.kept_up_to_date(TrialQueue(plan()), None):
            assert "live-page" not in {thread.name for thread in threading.enumerate()}
    assert not made.path.exists()
    assert made.progress.live_page is None


@pytest.mark.parametrize("is_wanted", [True, False])
def test_a_folder_in_its_place_is_told(
    tmp_path: Path, is_wanted: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    made = Made(tmp_path, is_wanted=is_wanted)
    made.path.mkdir()
    made.page.begin()
    assert made.progress.page_problem is not None
    finish_page(plan(), tmp_path / "report.html", is_wanted=is_wanted)
    assert f"note: the page {made.path} is not up to date: " in capsys.readouterr().err


def test_once_the_report_is_made_it_leads_there_or_is_gone(made: Made) -> None:
    made.page.begin()
    finish_page(plan(), made.path.with_name("report.html"), is_wanted=True)
    assert 'content="0; url=report.html"' in made.text
    finish_page(plan(), made.path.with_name("report.html"), is_wanted=False)
    assert not made.path.exists()
