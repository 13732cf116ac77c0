"""Plain lines: one each ten seconds and one for each note, and no thread stays behind."""

import io
import threading
import time
from collections.abc import Callable
from dataclasses import replace

import pytest

from reports.inputs.measures import LOG_LOSS
from studies.base.states import Phase, TrialState
from studies.search.progress import Best
from studies.terminal import plain
from studies.terminal.progress_snapshot import ProgressSnapshot

BEGUN = ProgressSnapshot(
    name="depth_study",
    question="Does depth help?",
    objective=LOG_LOSS,
    planned={Phase.SEARCH: 324, Phase.CONFIRM: 54},
    ended={Phase.SEARCH: {}, Phase.CONFIRM: {}},
    num_networks=0,
    planned_networks=3780,
    num_diverged=0,
    elapsed_seconds=5.0,
)
MIDWAY = replace(
    BEGUN,
    ended={
        Phase.SEARCH: {TrialState.COMPLETE: 100, TrialState.PRUNED: 50, TrialState.FAILED: 2},
        Phase.CONFIRM: {},
    },
    num_diverged=1,
    best=Best(number=3, objective=0.1234, params={"depth": 3}),
    elapsed_seconds=100.0,
    seconds_left=200.0,
)


def wait_until(is_true: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 10
    while not is_true():
        assert time.monotonic() < deadline
        time.sleep(0.005)


def test_a_line_says_what_there_is_to_say() -> None:
    assert plain.line(BEGUN) == "5 s: search 0 of 324 trials, confirm 0 of 54"
    assert plain.line(MIDWAY) == (
        "1 min 40 s: search 152 of 324 trials, confirm 0 of 54, 50 stopped early, 2 failed, 1 network diverged, "
        "best validation log-loss 0.123 nats, about 3 min 20 s left"
    )


def test_the_first_lines_say_what_is_run_and_where_things_are() -> None:
    stream = io.StringIO()
    with plain.printing(lambda: BEGUN, lambda: [("report", "runs/x/report.html")], stream):
        assert stream.getvalue() == "depth_study: Does depth help?\nreport: runs/x/report.html\n"
    assert stream.getvalue().splitlines()[-1] == plain.line(BEGUN), "the last state is printed"


def test_a_line_comes_each_time_and_each_note_once() -> None:
    stream, now = io.StringIO(), [BEGUN]
    with plain.printing(lambda: now[0], list, stream, seconds_between_lines=0.03, seconds_between_looks=0.01):
        wait_until(lambda: stream.getvalue().count("search 0 of 324") >= 2)
        now[0] = replace(MIDWAY, note="the database\x1b[2J is slow")
        wait_until(lambda: stream.getvalue().count("search 152 of 324") >= 2)
    assert stream.getvalue().count("note: the database\ufffd[2J is slow\n") == 1


def test_the_thread_ends_with_the_context_whatever_happens() -> None:
    stream = io.StringIO()
    with pytest.raises(KeyboardInterrupt), plain.printing(lambda: BEGUN, list, stream):
        raise KeyboardInterrupt
    assert [thread.name for thread in threading.enumerate() if thread.name == "plain-progress"] == []
    assert stream.getvalue().splitlines()[-1] == plain.line(BEGUN)


def test_what_went_wrong_is_printed_once_as_it_happens() -> None:
    stream, troubles = io.StringIO(), ["trial 1 failed: before this run"]
    with plain.printing(
        lambda: MIDWAY, list, stream, troubles=lambda: list(troubles), seconds_between_looks=0.001
    ):
        troubles.append("trial 7 lost its worker: it was killed")
        wait_until(lambda: "trial 7" in stream.getvalue())
        troubles += ["trial 7 lost its worker: it was killed", "trial 8 failed: \x1b[2J"]
    assert [line for line in stream.getvalue().splitlines() if line.startswith("trial ")] == [
        "trial 7 lost its worker: it was killed",
        "trial 8 failed: \ufffd[2J",
    ]
