"""How the questions stand, on the screen, in plain lines and at the end of a run."""

import io
from dataclasses import replace
from pathlib import Path

from rich.console import Console, Group

from studies.execution.session import Result
from studies.run_log.looks import LookSummary
from studies.terminal import plain
from studies.terminal.answer import answer_lines
from studies.terminal.screen import progress_parts
from tests.studies.terminal.test_plain import BEGUN

OPEN = LookSummary(
    look=1,
    num_looks=4,
    num_blocks=10,
    closed=("dropout: 0.5 − 0.3",),
    withheld=("batch norm: on − off",),
    open=("depth: 5 − 3", "depth: 7 − 5"),
    unresolved=(),
    num_cells=3,
    next_blocks=20,
)


def shown(look: LookSummary, width: int = 100) -> str:
    console = Console(file=io.StringIO(), width=width)
    console.print(Group(*progress_parts(replace(BEGUN, look=look))))
    file = console.file
    assert isinstance(file, io.StringIO)
    return " ".join(file.getvalue().split())


def test_the_screen_says_what_is_answered_and_what_the_next_look_trains() -> None:
    said = shown(OPEN)
    assert "answered 1 of 4 questions after look 1 of 4, at 10 blocks: dropout: 0.5 − 0.3" in said
    assert "open depth: 5 − 3, depth: 7 − 5; for them 3 cells to 20 blocks" in said
    assert "withheld batch norm: on − off" in said
    assert "depth: 7 − 5" in shown(OPEN, width=40)


def test_a_plain_line_is_printed_once_a_look() -> None:
    states = iter([BEGUN, *[replace(BEGUN, look=OPEN)] * 10**6])
    stream = io.StringIO()
    with plain.printing(lambda: next(states), list, stream, seconds_between_looks=0.005):
        while "look 1" not in stream.getvalue():
            pass
    line = plain.look_line(OPEN)
    assert stream.getvalue().count(line) == 1
    assert line == (
        "look 1 of 4, 10 blocks: 1 of 4 questions answered; withheld: batch norm: on − off; "
        "open: depth: 5 − 3, depth: 7 − 5; for them 3 cells to 20 blocks"
    )


def test_the_end_of_a_run_names_open_questions_and_the_command_that_goes_on() -> None:
    row = {"factor": "depth", "level_a": 3, "level_b": 5, "outcome": "test_loss"}
    result = Result(
        name="small",
        report_path=Path("report.html"),
        report={
            "question": "Does it help?",
            "answer": [],
            "found": "",
            "best": None,
            "plan": {},
            "accounting": {"started": 7, "failed": 0},
            "at_best": [
                {**row, "standing": "open"},
                {**row, "level_a": 5, "level_b": 7, "standing": "closed"},
                {**row, "outcome": "test_error", "standing": "open"},
            ],
        },
        was_complete=True,
        next_look=20,
        next_command="studies run small.py",
    )
    lines = answer_lines(result)
    at = lines.index("Open    depth: 5 − 3")
    assert lines[at + 1 : at + 3] == [
        "Next    the planned look at 20 blocks:",
        "        studies run small.py",
    ]
    assert not any(line.startswith("Next") for line in answer_lines(replace(result, next_look=None)))
