"""A verdict is read back from report.json, of this version and of earlier ones, whatever the file holds."""

from typing import Any

import pytest

from reports.pages.told_verdict import ToldVerdict

ANSWER = [
    {"sentence": "Higher by 0.3 nats.", "gate": "DIRECTION"},
    {"sentence": "By far.", "gate": "MEANINGFUL"},
]


def test_a_verdict_has_its_sentence_facts_status_and_picture() -> None:
    verdict = {
        "sentence": "No.",
        "facts": ["97 % right", "96 % right"],
        "status": "no",
        "picture": {"slug": "forest"},
    }
    told = ToldVerdict.of({"verdict": verdict, "answer": ANSWER})
    assert told == ToldVerdict(
        sentence="No.", facts=("97 % right", "96 % right"), status="no", picture="forest"
    )
    assert told.in_short == "No."


def test_an_earlier_version_told_its_answer_in_sentences() -> None:
    told = ToldVerdict.of({"answer": ANSWER, "found": "Depth 3."})
    assert (told.sentence, told.facts) == ("Higher by 0.3 nats.", ("By far.",))
    assert told.in_short == "Higher by 0.3 nats. By far."
    assert ToldVerdict.of({"answer": [], "found": "Depth 3."}).in_short == "Depth 3."


@pytest.mark.parametrize(
    "report",
    [
        {},
        {"verdict": None, "answer": None, "found": None},
        {"verdict": "No.", "answer": "No."},
        {"verdict": {"sentence": 3}, "answer": [3, {"sentence": 3}], "found": ["Depth 3."]},
    ],
)
def test_what_is_no_text_is_not_told(report: dict[str, Any]) -> None:
    assert ToldVerdict.of(report) == ToldVerdict(sentence="")


@pytest.mark.parametrize("slug", ["../../x", "a/b", "", "-x", ".x", "x\n", 3, None])
def test_a_picture_is_a_figure_of_the_report_and_no_other_file(slug: object) -> None:
    verdict = {"sentence": "No.", "facts": "none", "status": 3, "picture": {"slug": slug}}
    assert ToldVerdict.of({"verdict": verdict}) == ToldVerdict(sentence="No.")
