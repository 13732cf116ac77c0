"""The page of `studies monitor`: the answer first, whole without script, readable on a phone."""

import json
import re
from html import unescape
from pathlib import Path

import numpy as np
import pytest

from reports.pages.monitor_page import write_monitor_page
from tests.browser import Browser
from tests.reports.elements import Elements
from tests.reports.forbidden_words import forbidden_words
from tests.reports.monitored import compared, monitor_inputs
from trainables.use.monitoring.drift import drift
from trainables.use.monitoring.reference import Reference


def written(folder: Path, **changes: object) -> Path:
    path = folder / "monitor.html"
    write_monitor_page(monitor_inputs(compared(**changes)), path)  # type: ignore[arg-type]
    return path


def told(page: Path) -> str:
    return " ".join(" ".join(Elements(page.read_text()).text).split())


def test_the_answer_comes_first_and_the_drifted_columns_in_a_table(tmp_path: Path) -> None:
    page = written(tmp_path, unit=0.4, gaps=0.1)
    text = told(page)
    assert "Drift: 2 of 3 columns have changed" in text
    assert text.index("Drift: 2 of 3") < text.index("Changed most: size (median 170 before")
    assert text.index("Changed most") < text.index("What has changed")
    assert "1 000 rows of the test part" in text.replace("\u202f", " ")
    assert not re.search(r"\bnan\b|\bNone\b|\binf\b", text)


def test_no_drift_says_what_could_be_missed(tmp_path: Path) -> None:
    text = told(written(tmp_path)).replace("\u202f", " ").replace("\u00a0", " ")
    assert "No drift found at 300 rows" in text
    assert re.search(r"a shift of one number by less than 0\.\d+ standard deviations", text)
    assert "What has changed" not in text


def test_it_is_one_file_without_script_and_its_numbers_lie_beside_it(tmp_path: Path) -> None:
    page = written(tmp_path, unit=0.4)
    html = unescape(page.read_text())
    assert "default-src 'none'" in html
    assert "<script" not in html
    assert "://" not in html
    assert 'style="' not in html
    numbers = json.loads((tmp_path / "monitor.json").read_text())
    assert numbers["is_drift"] is True
    assert numbers["answer"].startswith("Drift: 1 of 3 columns has changed")
    assert numbers["input"] == "november.csv"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["monitor.html", "monitor.json"]


def test_the_same_record_gives_the_same_bytes_and_names_are_escaped(tmp_path: Path) -> None:
    inputs = monitor_inputs(compared(), input="<b>.csv", baseline="<i>.csv")
    write_monitor_page(inputs, tmp_path / "a.html")
    first = (tmp_path / "a.html").read_bytes()
    write_monitor_page(inputs, tmp_path / "a.html")
    assert (tmp_path / "a.html").read_bytes() == first
    assert b"<b>.csv" not in first
    assert b"&lt;i&gt;.csv" in first


def test_no_word_claims_more_than_was_measured(tmp_path: Path) -> None:
    for changes in ({}, {"unit": 0.4}, {"confidence": 0.3}, {"num": 1}):
        text = told(written(tmp_path, **changes)).replace("runs/depth_study/models/best", "")
        assert forbidden_words(text) == []


@pytest.mark.parametrize("width", [1280, 400])
@pytest.mark.parametrize("is_drift", [True, False])
def test_nothing_is_wider_than_the_window_and_nothing_is_refused(
    tmp_path: Path, chromium: Browser, width: int, is_drift: bool
) -> None:
    page = written(tmp_path, unit=0.4 if is_drift else 1.0, gaps=0.05)
    chromium.resize(width, 900)
    chromium.open(page)
    chromium.evaluate("document.querySelectorAll('details').forEach((each) => (each.open = true))")
    assert chromium.evaluate("document.documentElement.scrollWidth") <= width
    assert chromium.complaints == []
    top = chromium.evaluate("document.querySelector('.facts').getBoundingClientRect().top")
    assert top < 500


HOSTILE = ("<script>alert(1)</script>", "列 \U0001f600 $x^2$", "x" * 200, "\x1b[31mred")


def test_names_in_any_script_and_of_any_length_are_shown_and_run_nothing(
    tmp_path: Path, chromium: Browser
) -> None:
    random = np.random.default_rng(0)
    even = np.full((300, 2), 0.5)
    made = Reference.of(
        kind="table",
        features=random.normal(size=(300, 4)),
        probabilities=even,
        names=HOSTILE,
        classes=HOSTILE[:2],
    )
    record = drift(made, random.normal(2, 1, (300, 4)), even).as_json()
    page = tmp_path / "page.html"
    write_monitor_page(monitor_inputs(record, input="i" * 150, baseline="b" * 90), page)
    chromium.resize(400, 900)
    chromium.open(page)
    assert chromium.evaluate("document.documentElement.scrollWidth") <= 400
    assert chromium.complaints == []
    assert "Drift: 4 of 4 columns have changed" in told(page)
    assert "列 \U0001f600 $x^2$" in told(page)
