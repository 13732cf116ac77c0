"""A chart as SVG: where matplotlib draws it, too, valid for any text, and empty with its reason."""

import re
from xml.etree import ElementTree

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reports.plots.style.canvas import Sheet, draw_panel
from reports.plots.style.chart import MARKERS, Band, Chart, Line, draw, svg
from reports.plots.style.theme import MARKERS as OF_THEME

SHEET = Sheet()


def chart(**changes: object) -> Chart:
    x, y = np.array([0.0, 1.0, 4.0]), np.array([0.2, 2.0, 0.5])
    line = Line(x=x, y=y, colour="#1f5fa8", width=1.4, marker="s", every=1)
    band = Band(x=x, low=y / 2, high=y * 2, colour="#1f5fa8")
    found = {"lines": [line], "bands": [band], "labels": [(0.5, "3", "#1f5fa8")], "guide": 1.0}
    return Chart(**({"limits": (0.1, 10.0), "num_epochs": 4, "log": True} | found | changes))  # type: ignore[arg-type]


def drawn(found: Chart, heading: str = "a", note: str = "b") -> str:
    text = svg(found, SHEET, heading=heading, note=note, owners={})
    ElementTree.fromstring(f"<svg>{text}</svg>")
    return text


def points(path: str) -> np.ndarray:
    return np.array(
        [[float(each) for each in pair.split()] for pair in re.split("[ML]", path) if pair.strip(" z\n")]
    )


@pytest.mark.parametrize("log", [True, False])
def test_a_line_lies_where_matplotlib_draws_it(log: bool) -> None:
    found = chart(log=log, bands=[], guide=None, labels=[])
    ours = re.search(r'stroke: #1f5fa8[^>]* d="(M[^"]*)"', drawn(found))
    theirs = re.search(
        r'd="(M[^"]*)"[^>]*stroke: #1f5fa8; stroke-width: 1.4',
        draw_panel(lambda ax: draw(found, ax), SHEET, prefix="p").svg,
    )
    assert ours is not None
    assert theirs is not None
    assert points(ours[1]) == pytest.approx(points(theirs[1]), abs=0.06)


def test_both_ways_name_the_same_ticks_and_lines() -> None:
    texts = [
        sorted(re.findall(r"<text[^>]*>([^<]+)</text>", text))
        for text in (drawn(chart(), "", ""), draw_panel(lambda ax: draw(chart(), ax), SHEET, prefix="p").svg)
    ]
    assert [each for each in texts[0] if each] == texts[1]


def test_every_marker_of_the_theme_can_be_drawn() -> None:
    assert set(OF_THEME) <= set(MARKERS)


def test_an_empty_chart_says_why() -> None:
    text = drawn(chart(empty="Nothing <recorded> & kept."))
    assert "Nothing &lt;recorded&gt; &amp; kept." in text
    assert "<path" not in text


@given(
    st.text(st.characters(exclude_categories=["Cc", "Cs"], exclude_characters="\ufffe\uffff"), max_size=20)
)
@settings(max_examples=30)
def test_any_heading_is_text(heading: str) -> None:
    root = ElementTree.fromstring(f"<svg>{svg(chart(), SHEET, heading=heading, note='', owners={})}</svg>")
    assert (root[0].text or "") == heading
