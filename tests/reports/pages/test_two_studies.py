"""Two studies side by side: shared contrasts, else best configurations, budgets and verdicts; no test between them."""

from __future__ import annotations

import html
import json
import re
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from reports.inputs.inputs import ReportInputs
from reports.pages.side_by_side import differences, side_by_side
from reports.pages.two_studies import write_comparison
from tests.reports.forbidden_words import forbidden_words, unlisted_numbers
from tests.reports.looked_at import until_clear
from tests.reports.odd_inputs import SMALL, odd_inputs, until
from tests.reports.sample import sample_inputs, sample_tuning


@pytest.fixture(scope="module")
def first() -> ReportInputs:
    return sample_inputs(SMALL, num_blocks=10, rates=2)


@pytest.fixture(scope="module")
def second() -> ReportInputs:
    return replace(sample_inputs(SMALL, num_blocks=3, rates=2, seed=4), study="smaller")


def test_the_same_factors_have_their_contrasts_beside_each_other(
    first: ReportInputs, second: ReportInputs
) -> None:
    record = side_by_side(first, second)
    assert record["same_factors"]
    assert len(record["shared"]) == 4
    assert record["only"] == [0, 0]
    row = record["shared"][0]
    assert (row["a"]["num_blocks"], row["b"]["num_blocks"]) == (10, 3)
    assert row["b"]["gate"] == "INDICATED"
    assert {"field": "replicates", "a": 10, "b": 3} in record["differences"]


def test_levels_that_only_one_has_are_counted_and_named(first: ReportInputs) -> None:
    wider = sample_inputs({"depth": (3, 5, 7), "batch_norm": (False, True)}, num_blocks=3, rates=2)
    record = side_by_side(first, wider)
    assert not record["same_factors"]
    assert {row["factor"] for row in record["shared"]} == {"batch_norm"}
    assert record["only"] == [2, 4]
    assert "They share 1 comparison, of batch norm" in record["scope"]


def test_studies_that_share_nothing_stand_with_what_they_found_and_cost(
    first: ReportInputs, tmp_path: Path
) -> None:
    page = write_comparison(first, sample_tuning(budget=12, num_blocks=3), tmp_path)
    text, record = page.read_text(), json.loads((tmp_path / "comparison.json").read_text())
    assert record["shared"] == []
    assert "They share no comparison" in text
    for title in ("Best configurations", "Budgets", "Verdicts on confirmed networks"):
        assert title in text
    assert "<figure" not in text


def test_nothing_is_tested_between_the_two(first: ReportInputs, second: ReportInputs) -> None:
    assert "Nothing is tested between the two studies" in side_by_side(first, second)["scope"]


def test_claims_of_an_unfinished_study_are_withheld(first: ReportInputs, tmp_path: Path) -> None:
    half = until(first, int(first.trials["number"].max()) - 1)
    page = write_comparison(half, first, tmp_path)
    record = json.loads((tmp_path / "comparison.json").read_text())
    assert {row["a"]["sentence"] for row in record["shared"]} <= {None}
    assert all(row["b"]["sentence"] for row in record["shared"])
    assert "is running: 11 of 12 trials have ended." in page.read_text()


def test_the_words_pass_the_lint_and_their_numbers_stand_in_the_json(
    first: ReportInputs, second: ReportInputs, tmp_path: Path
) -> None:
    page = write_comparison(first, second, tmp_path).read_text()
    record = json.loads((tmp_path / "comparison.json").read_text())
    for paragraph in re.findall(r"<(?:p|li)\b[^>]*>(.*?)</(?:p|li)>", page, re.DOTALL):
        text = _text(paragraph)
        assert unlisted_numbers(text, record) == [], text
        assert forbidden_words(text, [row["a"]["gate"] for row in record["shared"]]) == []


def _text(markup: str) -> str:
    return " ".join(html.unescape(re.sub(r"<[^>]+>", "", markup)).split())


def test_another_day_changes_the_date_alone(
    first: ReportInputs, second: ReportInputs, tmp_path: Path
) -> None:
    days = timedelta(days=2)
    later_a, later_b = (replace(each, generated_at=each.generated_at + days) for each in (first, second))
    one = write_comparison(first, second, tmp_path / "one").read_text().splitlines()
    two = write_comparison(later_a, later_b, tmp_path / "two").read_text().splitlines()
    changed = [line for line, other in zip(one, two, strict=True) if line != other]
    assert [
        line for line in changed if "<time" not in line and 'data-file="comparison.json"' not in line
    ] == []


@pytest.mark.parametrize(
    "case", ["frames without rows", "all diverged", "one block", "no factor", "half of a tuning"]
)
def test_an_odd_study_can_stand_beside_another(case: str, first: ReportInputs, tmp_path: Path) -> None:
    text = write_comparison(odd_inputs()[case], first, tmp_path).read_text()
    assert text.rstrip().endswith("</html>")
    assert not re.search(r">\s*(nan|None)\b", text)


def test_plans_differ_in_dotted_fields() -> None:
    one, two = (
        {"search": {"rungs": [6, 18]}, "seed": 0},
        {"search": {"rungs": [3, 9]}, "seed": 0, "looks": [10]},
    )
    assert differences(one, two) == [
        {"field": "search.rungs", "a": [6, 18], "b": [3, 9]},
        {"field": "looks", "a": None, "b": [10]},
    ]


def test_comparisons_of_different_looks_stand_with_the_blocks_that_each_has(tmp_path: Path) -> None:
    inputs = until_clear(noise={1: 0.08})
    page = write_comparison(inputs, replace(until_clear(1, noise={2: 0.2}), study="other"), tmp_path)
    text = html.unescape(page.read_text())
    assert "n = blocks: 10 to 20 in depth_study, 10 in other" in text
    record = json.loads((tmp_path / "comparison.json").read_text())
    assert {study["num_judged"] for study in record["studies"]} == {40}
