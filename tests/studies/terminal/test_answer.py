"""The lines at the end of a run say what failed, and where to look for why."""

from pathlib import Path
from typing import Any

import pytest

from studies.execution.session import Result
from studies.terminal.answer import answer_lines


def result(num_failed: int) -> Result:
    report: dict[str, Any] = {
        "question": "Does it help?",
        "answer": [],
        "found": "QueueStatus.",
        "best": None,
        "plan": {},
        "accounting": {"started": 7, "failed": num_failed},
    }
    return Result(
        name="small", report_path=Path("report.html"), report=report, was_complete=True, next_look=None
    )


@pytest.mark.parametrize(
    ("num_failed", "said"), [(0, []), (5, ["Failed  5 of 7 trials; why: studies status small"])]
)
def test_trials_that_failed_are_counted_at_the_end_of_a_run(num_failed: int, said: list[str]) -> None:
    assert [line for line in answer_lines(result(num_failed)) if line.startswith("Failed")] == said
