"""Every number in a sentence of the page stands in report.json as a number, and no word is one that may not be said."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from tests.reports.elements import Elements
from tests.reports.explored import given_to, shown_marks
from tests.reports.forbidden_words import forbidden_words, unlisted_numbers
from tests.reports.reported import ODD, STUDIES, made

# Texts that carry the user's own words and values; every other text of the JSON is a sentence and counts for nothing.
OWN_WORDS = ("question", "plan", "provenance", "created_at", "study", "plan_hash")
# "models/best" and "confirm.best" are a file and a field.
NAMES = ("models/best", "confirm.best")


def sentences(page: str) -> Iterator[str]:
    """Paragraphs, items, titles and captions of the page as plain text; times and drawings left out."""
    text = re.sub(r"<(style|script|svg|time|code)\b.*?</\1>", " ", page, flags=re.DOTALL)
    text = re.sub(r'<span class="size">.*?</span>', " ", text)  # how many rows a folded table has
    for tag in ("p", "li", "figcaption", "h1", "h3", "summary"):
        for found in re.findall(rf"<{tag}\b[^>]*>(.*?)</{tag}>", text, re.DOTALL):
            yield plain_text(found)


def plain_text(markup: str) -> str:
    """Without tags, in single spaces; the narrow spaces within numbers stay."""
    inline = re.sub(
        r'</?button\b[^>]*>|<span class="kept">|(?<=[)\].,;:”])</span>', "", markup
    )  # around a term
    return re.sub(r"[ \n\u00a0]+", " ", html.unescape(re.sub(r"<[^>]+>", " ", inline))).strip()


def numbers_of(value: Any, key: str = "") -> Any:
    """The JSON without its sentences: what is left are numbers, and the user's own words."""
    if isinstance(value, dict):
        return {name: item if name in OWN_WORDS else numbers_of(item, name) for name, item in value.items()}
    if isinstance(value, list):
        return [numbers_of(item, key) for item in value]
    return None if isinstance(value, str) else value


@pytest.mark.parametrize("case", STUDIES)
def test_every_number_of_a_sentence_stands_in_the_json(case: str) -> None:
    page, report = made(case).page, made(case).json
    listed = numbers_of(report)
    found = [*sentences(page)]
    assert len(found) > 20
    missing = {sentence: numbers for sentence in found if (numbers := unlisted_numbers(sentence, listed))}
    assert missing == {}


@pytest.mark.parametrize("case", STUDIES)
def test_no_sentence_says_what_may_not_be_said(case: str) -> None:
    page, report = made(case).page, made(case).json
    gates = {row["gate"] for family in ("at_best", "contrasts") for row in report[family]}
    for sentence in sentences(page):
        plain = sentence
        for name in NAMES:
            plain = plain.replace(name, "")
        assert forbidden_words(plain, gates) == [], sentence
        assert not re.search(r"\bnan\b|\bNone of them\b|\binf\b|\bNone\b(?! of)", plain), sentence


def test_the_sentences_of_the_analysis_and_the_lottery_are_those_of_the_json() -> None:
    page, report = made("full").page, made("full").json
    shown = " ".join(sentences(page))
    assert len(report["analysis"]) == 3
    for text in [
        *report["analysis"],
        *report["notes"],
        *report["lottery"]["sentences"],
        report["variation"]["sentence"],
    ]:
        assert plain_text(html.escape(text)) in shown


@pytest.mark.parametrize("case", ["full", "tuning", "half of a tuning", "frames without rows"])
def test_the_sections_are_those_of_a_report_in_their_order(case: str) -> None:
    page = made(case).page
    titles = re.findall(r'<h2 id="[\w-]+">([^<]+)</h2>', page)
    assert titles == [
        *("The answer", "What was compared", "Why we may say so", "Where training was unstable"),
        *("The best configuration and how it errs", "What the search did", "What is not known"),
        *("How to run it again", "Analysis in three paragraphs", "How the networks learned"),
        *("What one seed alone would have told", "What became of every trial", "Glossary"),
    ]


def test_54_cells_of_10_replicates_stay_small() -> None:
    # `test_page` holds eighty to 4 MB, by hand alone: making them takes several times as long.
    assert len(made("full").page.encode()) < 1_500_000


def test_a_null_study_claims_no_direction() -> None:
    page, report = made("null").page, made("null").json
    performance = page[page.index('<section id="performance"') : page.index('<section id="stability"')]
    gates = {row["gate"] for family in ("at_best", "contrasts") for row in report[family] if row["gate"]}
    assert gates <= {"UNRESOLVED", "EQUIVALENT", "BOUNDARY"}
    # Gradients do grow with depth there: only what is said of losses is null.
    answer = [each["sentence"] for each in report["answer"]]
    shown = " ".join([*answer, report["notes"][1], *sentences(performance)])
    for word in ("higher by", "lower by", "adds", "saves"):
        assert word not in shown


def test_a_missing_cell_is_said_and_nothing_is_claimed() -> None:
    page, report = made("missing cell").page, made("missing cell").json
    rows = [row for family in ("at_best", "contrasts") for row in report[family] if row["gate"]]
    assert {row["gate"] for row in rows if row["factor"] == "depth"} == {"UNRESOLVED"}
    assert "cells are missing, so nothing is claimed" in " ".join(sentences(page))
    assert report["accounting"]["missing"] == 1


def test_scores_that_are_not_finite_count_as_chance() -> None:
    report = made("not a number").json
    assert sum(row["capped"] for row in report["failures"]["by_level"] if row["factor"] == "depth") == 4


def test_the_lottery_can_be_drawn_again_from_what_the_page_holds() -> None:
    page, report = made("full").page, made("full").json
    found = re.search(r'data-lottery="([^"]*)"', page)
    assert found is not None
    held = json.loads(html.unescape(found[1]))
    assert held["names"] == [each["name"] for each in report["lottery"]["networks"]]
    assert [len(losses) for losses in held["losses"]] == [10] * 54
    means = [np.mean(losses) for losses in held["losses"]]
    assert means == sorted(means)
    assert means[0] == pytest.approx(report["lottery"]["networks"][0]["mean"], abs=1e-4)


def test_the_best_model_shows_how_it_errs() -> None:
    page, report = made("evaluated").page, made("evaluated").json
    found = report["evaluation"]
    assert found["num_blocks"] == 10
    assert {"figure-confusion", "figure-reliability"} <= set(re.findall(r'<figure id="([\w-]+)"', page))
    assert "Precision and recall by class, over 10 blocks" in page


@pytest.mark.parametrize("case", ODD)
def test_an_odd_study_gives_a_whole_report(case: str) -> None:
    report = made(case)
    assert report.page.rstrip().endswith("</html>")
    text = " ".join(Elements(report.page).text)
    assert not re.search(r"\bnan\b|\bNone\b(?! of)|\binf\b", text)
    assert not [name for name in report.files if name.endswith(".tmp")]
    unfinished = ODD[case].state != "complete"
    assert ("As of" in text) == unfinished
    if unfinished:
        assert report.json["answer"] == []
        assert {row["sentence"] for row in report.json["contrasts"]} <= {None}
        assert {row["gate"] for row in report.json["contrasts"]} <= {None}


@pytest.mark.parametrize("case", STUDIES)
def test_every_panel_with_a_picture_says_what_it_shows(case: str) -> None:
    page = made(case).page
    panels = shown_marks(given_to(page))
    drawn = re.findall(r'<svg [^>]*data-marks="(\d+)"[^>]*>(.*?)</svg>', page, re.DOTALL)
    assert {int(number) for number, _ in drawn} == set(range(len(panels)))
    # A panel that says why it is empty has a ground or two, and no marks.
    silent = [svg for number, svg in drawn if not panels[int(number)]]
    assert [svg for svg in silent if len(re.findall("<path |<use ", svg)) > 2] == []
    told = [shown.text for panel in panels for shown in panel]
    assert not [text for text in told if re.search(r"\bnan\b|\bNone\b|\binf\b|<NA>", text)]


@pytest.mark.parametrize("case", STUDIES)
def test_a_figure_that_a_caption_names_is_on_the_page(case: str) -> None:
    found = [*sentences(made(case).page)]
    assert [
        text for text in found if re.search(r"\b(?:next|previous|following) (?:figure|table)\b", text)
    ] == []
    page = re.sub(r"<(style|script|svg)\b.*?</\1>", " ", made(case).page, flags=re.DOTALL)
    titles = {
        plain_text(title)
        for title in re.findall(r"<(?:figcaption|h2)\b[^>]*>(.*?)</(?:figcaption|h2)>", page, re.DOTALL)
    }
    captions = [plain_text(text) for text in re.findall(r'<p class="caption">(.*?)</p>', page, re.DOTALL)]
    named = [name for text in captions for name in re.findall("“(.*?)”", text)]
    assert [name for name in named if name not in titles] == []


def test_the_first_picture_says_the_comparison_that_the_verdict_makes() -> None:
    verdict, page = made("full").json["verdict"], made("full").page
    assert verdict["picture"]["slug"] == "interaction"
    (title,) = re.findall(
        r'<figure class="picture".*?<figcaption class="title">(.*?)</figcaption>', page, re.DOTALL
    )
    claim = plain_text(title).removesuffix(", averaged over the rest")
    assert claim in plain_text(verdict["sentence"])
