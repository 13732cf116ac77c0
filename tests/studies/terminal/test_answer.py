"""The lines at the end of a run: the verdict and its facts, what failed, where the report and the model lie."""

from pathlib import Path
from typing import Any

import pytest

from studies.execution.session import Result
from studies.terminal.answer import WIDTH, answer_lines
from tests.studies.faults.hostile import CONTROLS, EVERYTHING

VERDICT = {
    "sentence": "No. Tuned each on its own, five layers do no better than three (96.9 and 97.2 % right), and seven "
    "do slightly worse.",
    "facts": [
        "97.2\u202f% right with three layers, 44\u202f% with seven where dropout is 0.5.",
        "Ten networks of each.",
    ],
    "status": "no",
    "picture": None,
}
BEST = {
    "params": {"depth": 3},
    "num_blocks": 10,
    "num_failed": 0,
    "val_loss": 0.1,
    "val_accuracy": 0.97,
    "test_loss": None,
    "test_accuracy": None,
}


def result(
    num_failed: int = 0, *, folder: Path = Path(), arguments: tuple[str, ...] = (), **report: Any
) -> Result:
    content: dict[str, Any] = {
        "question": "Does it help?",
        "answer": [],
        "found": "QueueStatus.",
        "best": None,
        "plan": {},
        "accounting": {"started": 7, "failed": num_failed},
    }
    return Result(
        name="small",
        report_path=folder / "report.html",
        report=content | report,
        was_complete=True,
        next_look=None,
        arguments=arguments,
    )


@pytest.mark.parametrize(
    ("num_failed", "said"), [(0, []), (5, ["Failed  5 of 7 trials; why: studies status small"])]
)
def test_trials_that_failed_are_counted_at_the_end_of_a_run(num_failed: int, said: list[str]) -> None:
    assert [line for line in answer_lines(result(num_failed)) if line.startswith("Failed")] == said


def test_question_verdict_and_facts_come_first_in_80_columns() -> None:
    lines = answer_lines(result(verdict=VERDICT))
    assert lines[1:8] == [
        "",
        "Does it help?",
        "",
        "  No. Tuned each on its own, five layers do no better than three (96.9 and",
        "  97.2 % right), and seven do slightly worse.",
        "  - 97.2 % right with three layers, 44 % with seven where dropout is 0.5.",
        "  - Ten networks of each.",
    ]
    assert max(map(len, lines)) <= WIDTH


def test_a_report_of_an_earlier_version_tells_its_answer() -> None:
    answer = [
        {"sentence": "Higher by 0.3 nats.", "gate": "DIRECTION"},
        {"sentence": "By far.", "gate": "MEANINGFUL"},
    ]
    lines = answer_lines(result(answer=answer))
    assert "  Higher by 0.3 nats." in lines
    assert "  - By far." in lines
    assert "  QueueStatus." in answer_lines(result())


def test_a_hostile_verdict_moves_no_cursor() -> None:
    verdict = {
        "sentence": EVERYTHING,
        "facts": [EVERYTHING],
        "status": EVERYTHING,
        "picture": {"slug": EVERYTHING},
    }
    text = "\n".join(answer_lines(result(verdict=verdict, question=EVERYTHING)))
    assert not any(control in text for control in CONTROLS)
    assert "DROP TABLE" in text


def test_the_model_is_named_with_the_command_that_uses_it(tmp_path: Path) -> None:
    (tmp_path / "models" / "best").mkdir(parents=True)
    lines = answer_lines(result(folder=tmp_path, best=BEST), sharing=False)
    assert lines[-1] == f"Report  {tmp_path}/report.html"
    (tmp_path / "models" / "best" / "manifest.json").touch()
    assert answer_lines(result(folder=tmp_path, best=BEST), sharing=False)[-3:] == [
        f"Report  {tmp_path}/report.html",
        f"Model   {tmp_path}/models/best",
        f"        studies predict {tmp_path}/models/best --input FILE",
    ]


def test_how_the_report_is_passed_on_stands_last(tmp_path: Path) -> None:
    shown = result(folder=tmp_path, best=BEST)
    *before, said, command = answer_lines(shown)
    assert before == answer_lines(shown, sharing=False)
    assert said.startswith("Share ")
    assert len(said) <= 80
    assert command.split() == [
        "studies",
        "report",
        shown.name,
        "--bundle",
        f"{shown.name}.zip",
        *shown.arguments,
    ]
