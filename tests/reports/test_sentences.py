"""Every number in a sentence of the page stands in report.json as a number, and no word is one that may not be said."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pandas as pd
import pytest

from reports.best import best_configuration
from reports.inputs import ReportInputs
from reports.page import write_report
from reports.plots import canvas
from reports.plots.figure import Figure
from reports.results import compute
from reports.wording import forbidden_words, unlisted_numbers
from tests.reports.lined import with_line
from tests.reports.looked_at import looked_at, without
from tests.reports.odd_inputs import SMALL, odd_inputs
from tests.reports.sample import sample_inputs, sample_tuning

# Texts that carry the user's own words and values; every other text of the JSON is a sentence and counts for nothing.
OWN_WORDS = ("question", "plan", "provenance", "created_at", "study", "plan_hash")
# "models/best" and "confirm.best" are a file and a field.
NAMES = ("models/best", "confirm.best")


@pytest.fixture(autouse=True)
def without_pixels(monkeypatch: pytest.MonkeyPatch) -> None:
    """Draw no pixels, which take a third of a report's time and say nothing."""
    monkeypatch.setattr(canvas, "_pixels", lambda figure: np.zeros((1, 1, 3), np.uint8))
    monkeypatch.setattr(Figure, "png", lambda figure: b"")


def full() -> ReportInputs:
    return sample_inputs()


def two_factors() -> ReportInputs:
    return sample_inputs({"depth": (3, 5), "optimizer": ("sgd", "adam")}, num_blocks=10, rates=3)


def second_look() -> ReportInputs:
    return looked_at(2)


def look_in_progress() -> ReportInputs:
    return without(looked_at(2, "interrupted"), {19, 20})


def null() -> ReportInputs:
    """Ten blocks in which nothing but chance tells networks apart."""
    study = sample_inputs(SMALL, num_blocks=10, rates=2)
    draw, rows = np.random.default_rng(5), study.replicates
    confirm = (rows["phase"] == "confirm").to_numpy()
    losses = np.where(confirm, draw.normal(0.2, 0.05, len(rows)), np.nan)
    errors = np.where(confirm, draw.normal(0.08, 0.02, len(rows)), np.nan)
    return replace(
        study,
        replicates=rows.assign(
            outcome=rows["outcome"].where(~confirm, "complete"), test_loss=losses, test_accuracy=1 - errors
        ),
    )


def missing_cell() -> ReportInputs:
    """Complete, though one cell failed in the search altogether and was never confirmed."""
    study = sample_inputs(SMALL, num_blocks=10, rates=2)
    return without(study, {int(study.trials["number"].max())})


def not_a_number() -> ReportInputs:
    """Finished networks whose test scores are not finite: they count as chance."""
    study = sample_inputs(SMALL, num_blocks=10, rates=2)
    wrong = (study.replicates["block"] == 3) & (study.replicates["phase"] == "confirm")
    rows = study.replicates.assign(
        test_loss=study.replicates["test_loss"].mask(wrong, np.inf),
        test_accuracy=study.replicates["test_accuracy"].mask(wrong),
    )
    return replace(study, replicates=rows)


def line_to_beat() -> ReportInputs:
    return with_line(sample_inputs(SMALL, num_blocks=10, rates=2), better_by=0.03)


def evaluated() -> ReportInputs:
    """With predictions of the best cell, read from its confirm trial."""
    study = sample_inputs(SMALL, num_blocks=10, rates=2)
    best = best_configuration(study, compute(study))
    assert best is not None
    draw = np.random.default_rng(2)
    rows = [
        {
            "trial_number": best["trial_number"],
            "replicate": block,
            "confusion": (np.diag(draw.integers(20, 40, 10)) + draw.integers(0, 3, (10, 10))).tolist(),
            "calibration": [
                {
                    "low": low / 10,
                    "high": (low + 1) / 10,
                    "count": 5 * low,
                    "confidence": low / 10 + 0.05,
                    "accuracy": float(draw.uniform(0, 1)),
                }
                if low
                else {"low": 0.0, "high": 0.1, "count": 0, "confidence": None, "accuracy": None}
                for low in range(10)
            ],
        }
        for block in range(1, 11)
    ]
    return replace(study, evaluation=pd.DataFrame(rows))


STUDIES: dict[str, Callable[[], ReportInputs]] = {
    "full": full,
    "two factors": two_factors,
    "second look": second_look,
    "look in progress": look_in_progress,
    "tuning": sample_tuning,
    "null": null,
    "evaluated": evaluated,
    "line to beat": line_to_beat,
    "missing cell": missing_cell,
    "not a number": not_a_number,
    **{name: (lambda inputs=inputs: inputs) for name, inputs in odd_inputs().items()},  # type: ignore[misc]
}


@cache
def made(case: str) -> tuple[str, dict[str, Any]]:
    with TemporaryDirectory() as folder:
        page = write_report(STUDIES[case](), Path(folder))
        return page.read_text(), json.loads(page.with_name("report.json").read_text())


def sentences(page: str) -> Iterator[str]:
    """Paragraphs, items, titles and captions of the page as plain text; times and drawings left out."""
    text = re.sub(r"<(style|script|svg|time|code)\b.*?</\1>", " ", page, flags=re.DOTALL)
    text = re.sub(r'<span class="size">.*?</span>', " ", text)  # how many rows a folded table has
    for tag in ("p", "li", "figcaption", "h1", "h3", "summary"):
        for found in re.findall(rf"<{tag}\b[^>]*>(.*?)</{tag}>", text, re.DOTALL):
            yield plain_text(found)


def plain_text(markup: str) -> str:
    """Without tags, in single spaces; the narrow spaces within numbers stay."""
    return re.sub(r"[ \n\u00a0]+", " ", html.unescape(re.sub(r"<[^>]+>", " ", markup))).strip()


def numbers_of(value: Any, key: str = "") -> Any:
    """The JSON without its sentences: what is left are numbers, and the user's own words."""
    if isinstance(value, dict):
        return {name: item if name in OWN_WORDS else numbers_of(item, name) for name, item in value.items()}
    if isinstance(value, list):
        return [numbers_of(item, key) for item in value]
    return None if isinstance(value, str) else value


@pytest.mark.parametrize("case", STUDIES)
def test_every_number_of_a_sentence_stands_in_the_json(case: str) -> None:
    page, report = made(case)
    listed = numbers_of(report)
    found = [*sentences(page)]
    assert len(found) > 20
    missing = {sentence: numbers for sentence in found if (numbers := unlisted_numbers(sentence, listed))}
    assert missing == {}


@pytest.mark.parametrize("case", STUDIES)
def test_no_sentence_says_what_may_not_be_said(case: str) -> None:
    page, report = made(case)
    gates = {row["gate"] for family in ("at_best", "contrasts") for row in report[family]}
    for sentence in sentences(page):
        plain = sentence
        for name in NAMES:
            plain = plain.replace(name, "")
        assert forbidden_words(plain, gates) == [], sentence
        assert not re.search(r"\bnan\b|\bNone of them\b|\binf\b|\bNone\b(?! of)", plain), sentence


def test_the_sentences_of_the_analysis_and_the_lottery_are_those_of_the_json() -> None:
    page, report = made("full")
    shown = " ".join(sentences(page))
    assert len(report["analysis"]) == 3
    for text in [*report["analysis"], *report["lottery"]["sentences"], report["variation"]["sentence"]]:
        assert plain_text(html.escape(text)) in shown


@pytest.mark.parametrize("case", ["full", "tuning", "half of a tuning", "frames without rows"])
def test_the_sections_are_those_of_a_report_in_their_order(case: str) -> None:
    page, _ = made(case)
    titles = re.findall(r'<h2 id="[\w-]+">([^<]+)</h2>', page)
    assert titles == [
        *("The answer", "Analysis", "Accounting", "Performance", "Stability", "Training", "Search"),
        *("The best model", "The seed lottery", "Provenance"),
    ]


def test_a_null_study_claims_no_direction() -> None:
    page, report = made("null")
    performance = page[page.index('<section id="performance"') : page.index('<section id="stability"')]
    gates = {row["gate"] for family in ("at_best", "contrasts") for row in report[family] if row["gate"]}
    assert gates <= {"UNRESOLVED", "EQUIVALENT", "BOUNDARY"}
    # Gradients do grow with depth there: only what is said of losses is null.
    answer = [each["sentence"] for each in report["answer"]]
    shown = " ".join([*answer, report["analysis"][1], *sentences(performance)])
    for word in ("higher by", "lower by", "adds", "saves"):
        assert word not in shown


def test_a_missing_cell_is_said_and_nothing_is_claimed() -> None:
    page, report = made("missing cell")
    rows = [row for family in ("at_best", "contrasts") for row in report[family] if row["gate"]]
    assert {row["gate"] for row in rows if row["factor"] == "depth"} == {"UNRESOLVED"}
    assert "cells are missing, so nothing is claimed" in " ".join(sentences(page))
    assert report["accounting"]["missing"] == 1


def test_scores_that_are_not_finite_count_as_chance() -> None:
    _, report = made("not a number")
    assert sum(row["capped"] for row in report["failures"]["by_level"] if row["factor"] == "depth") == 4


def test_the_lottery_can_be_drawn_again_from_what_the_page_holds() -> None:
    page, report = made("full")
    found = re.search(r'data-lottery="([^"]*)"', page)
    assert found is not None
    held = json.loads(html.unescape(found[1]))
    assert held["names"] == [each["name"] for each in report["lottery"]["networks"]]
    assert [len(losses) for losses in held["losses"]] == [10] * 54
    means = [np.mean(losses) for losses in held["losses"]]
    assert means == sorted(means)
    assert means[0] == pytest.approx(report["lottery"]["networks"][0]["mean"], abs=1e-4)


def test_the_best_model_shows_how_it_errs() -> None:
    page, report = made("evaluated")
    found = report["evaluation"]
    assert found["num_blocks"] == 10
    assert {"figure-confusion", "figure-reliability"} <= set(re.findall(r'<figure id="([\w-]+)"', page))
    assert "Precision and recall by class, over 10 blocks" in page
