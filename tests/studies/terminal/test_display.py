"""The live display on a real pseudo-terminal: what it shows, and what it leaves behind."""

import io
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from studies.base.states import Phase
from studies.execution.driver import Dashboard
from studies.planning.plan import Plan
from studies.planning.request import Request, draft
from studies.run_log.log_file import FILE_NAME, RunLog
from studies.search.progress import Progress, Trouble
from studies.storage.paths import locate
from studies.terminal.display import logging_too, showing, showing_run
from tests.studies.terminal.terminals import Shown, run_in_terminal

PROGRAM = "tests.studies.terminal.live_program"
HIDE_CURSOR, SHOW_CURSOR = "\x1b[?25l", "\x1b[?25h"


def made_up() -> Progress:
    return Progress(
        planned={Phase.SEARCH: 4, Phase.CONFIRM: 2}, planned_networks=12, expected_network_epochs=30.0
    )


def show(stream: io.StringIO, *, quiet: bool = False) -> None:
    others = set(threading.enumerate())
    with showing(
        made_up(),
        name="x",
        question="Why?",
        find_dashboard=lambda: None,
        token_hint=None,
        report_path=Path("runs/x/report.html"),
        stream=stream,
        quiet=quiet,
    ):
        assert bool(set(threading.enumerate()) - others) is not quiet
    assert set(threading.enumerate()) <= others


@pytest.fixture(scope="module")
def ended() -> Shown:
    return run_in_terminal("-m", PROGRAM, "end")


def test_the_last_state_stays_on_the_screen(ended: Shown) -> None:
    assert ended.exit_code == 0
    for expected in (
        "Do more hidden layers help, and does that depend on the optimizer?",
        "311 of 324 trials",
        "0 of 54 trials",
        "210 complete, 100 stopped early, 1 failed",
        "3,110 of 3,780 ended, 3 diverged",
        "validation log-loss 0.112 nats in the search, trial 12",
        "depth 5, batch norm on, RMSprop, learning rate 0.0034",
        "the database is slow",
        "runs/depth_study/report.html, written at the end",
    ):
        assert expected in ended.text
    assert ended.text.count("depth_study\n") == 1, "each redraw replaces the one before"
    assert max(map(len, ended.lines)) <= 80


def test_while_it_runs_it_says_where_the_dashboard_is_and_what_trains(ended: Shown) -> None:
    for expected in (
        "http://127.0.0.1:8265",
        "cat /tmp/studies-x/token",
        "runs/depth_study/live.html, a page, new each minute",
        "the workers are starting",
        "trial 7",
        "epoch 6",
    ):
        assert expected in ended.written
    assert "http://127.0.0.1:8265" not in ended.text, "the dashboard ends with the run"


def test_what_does_not_fit_is_counted(ended: Shown) -> None:
    assert " more" in ended.written
    assert "trial 26" not in ended.written


def test_what_others_print_stands_above(ended: Shown) -> None:
    assert ended.lines.index("a stray line") < ended.lines.index("depth_study")


def test_an_error_and_ctrl_c_leave_a_clean_screen() -> None:
    for shown in (
        run_in_terminal("-m", PROGRAM, "error"),
        run_in_terminal("-m", PROGRAM, "wait", interrupt_at="the database is slow"),
    ):
        assert shown.exit_code != 0
        assert shown.written.rindex(SHOW_CURSOR) > shown.written.rindex(HIDE_CURSOR)
        assert shown.written.rindex("Traceback") > shown.written.rindex(SHOW_CURSOR)
        assert "311 of 324 trials" in shown.text


@pytest.mark.parametrize(("columns", "rows"), [(40, 40), (20, 60), (80, 8)])
def test_a_narrow_or_low_terminal_cuts_no_word(columns: int, rows: int) -> None:
    shown = run_in_terminal("-m", PROGRAM, "end", columns=columns, rows=rows)
    assert shown.exit_code == 0
    assert max(map(len, shown.lines)) <= columns
    words = shown.text.split()
    for expected in ("complete,", "diverged", "stopped", "failed", "RMSprop,"):
        assert expected in words


def test_no_color_is_respected() -> None:
    colour = "\x1b[36m"
    assert colour in run_in_terminal("-m", PROGRAM, "end").written
    assert colour not in run_in_terminal("-m", PROGRAM, "end", NO_COLOR="1").written


def test_a_dumb_terminal_gets_plain_lines() -> None:
    shown = run_in_terminal("-m", PROGRAM, "end", TERM="dumb")
    assert "\x1b" not in shown.written
    assert "search 311 of 324 trials" in shown.text


def test_a_file_gets_plain_lines() -> None:
    stream = io.StringIO()
    show(stream)
    assert stream.getvalue().startswith("x: Why?\n")
    assert "\x1b" not in stream.getvalue()


def test_quiet_shows_nothing() -> None:
    stream = io.StringIO()
    show(stream, quiet=True)
    assert stream.getvalue() == ""


@pytest.mark.parametrize("quiet", [False, True])
def test_whatever_the_terminal_shows_the_log_gets_plain_lines(tmp_path: Path, quiet: bool) -> None:
    progress, shown, log = made_up(), list[str](), RunLog()
    log.begin(tmp_path)
    progress.log = log
    progress.losses.append(Trouble(number=3, words="its process ended"))

    @contextmanager
    def on_screen(progress: Progress, plan: Plan, dashboard: object) -> Iterator[None]:
        shown.append(plan.name)
        yield
        progress.failures.append(Trouble(number=4, words="ValueError: no"))

    locations = locate(output=tmp_path)
    show = showing_run(locations, quiet=True) if quiet else on_screen
    plan = draft(Request(study="depth_study", profile="smoke")).plan("0" * 64)
    dashboard = Dashboard(find=lambda: "http://127.0.0.1:8265", token_path=None)
    with logging_too(show, locations)(progress, plan, dashboard):
        pass
    log.end(None)
    lines = [line[20:] for line in (tmp_path / FILE_NAME).read_text().splitlines()]
    assert lines[0].startswith("depth_study-smoke: ")
    assert "dashboard: http://127.0.0.1:8265" in lines
    assert ("trial 4 failed: ValueError: no" in lines) is not quiet
    assert any("search 0 of 4 trials, confirm 0 of 2" in line for line in lines)
    assert shown == ([] if quiet else ["depth_study-smoke"])


def test_without_a_log_only_the_terminal_is_written_to(tmp_path: Path) -> None:
    locations = locate(output=tmp_path)
    plan = draft(Request(study="depth_study", profile="smoke")).plan("0" * 64)
    with logging_too(showing_run(locations, quiet=True), locations)(made_up(), plan, None):
        assert "plain-progress" not in {thread.name for thread in threading.enumerate()}
