"""What a page's script is given: every mark of every panel, decoded again, with hostile names and of large studies."""

import json
import re
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from reports.inputs.inputs import ReportInputs
from reports.pages.exploring import Exploring
from reports.pages.page import write_report
from reports.pages.rendering import environment
from reports.plots.style.canvas import Drawing, Drawn, Panel, Sheet, draw_panel
from reports.plots.style.marks import cell, levels, mark, read, tag, verdict
from tests.reports.explored import given_to, shown_marks

HOSTILE = st.text(st.sampled_from("</script>|\"'\\&\u2028\u202eé𝒳!-[]{}0 \t"), max_size=12)


@given(
    st.lists(st.tuples(HOSTILE, st.integers(0, 1000), st.integers(0, 400)), max_size=8),
    HOSTILE,
    st.booleans(),
)
def test_marks_come_back_as_they_were_whatever_they_are_called(
    marks: list[tuple[str, int, int]], name: str, faint: bool
) -> None:
    ax = Figure(figsize=(100, 40), dpi=1).add_axes((0, 0, 1, 1))
    ax.set_xlim(0, 1000)
    ax.set_ylim(0, 400)
    if marks:
        texts, xs, ys = zip(*marks, strict=True)
        of_each = [verdict(text) for text in texts]
        mark(ax, xs, ys, name, list(texts), of=((name, name),), of_each=of_each, faint=faint)
    drawn = Drawn(svg="", pixels=np.zeros((1, 1, 3), np.uint8), marks=read(ax, 100, 40))
    exploring = Exploring()
    drawing = Drawing(draw=Axes.grid, sheet=Sheet(), heading=name, note="", prefix="a")
    exploring.panel(Panel(drawing, lambda: drawn))
    source = str(exploring.json())
    assert "<" not in source
    told = json.loads(source)
    (found,) = shown_marks(told)
    assert [each.text for each in found] == [name + text for text, _, _ in marks]
    for shown, (text, x, y) in zip(found, marks, strict=True):
        assert (shown.x, shown.y) == pytest.approx((x / 10, 40 - y / 10), abs=0.051)
        assert shown.owner == [[name, name], ["verdict", text]] or shown.owner == [[name, name]]
    assert told["panels"][0][0] == name
    assert [group[4:] for group in told["panels"][0][1]] == [[0, 0, 0, 1] if faint else []] * bool(marks)


def test_a_panel_that_stands_twice_is_given_once_and_owners_have_the_pages_numbers() -> None:
    def draw(ax: Axes, depth: int) -> None:
        (line,) = ax.plot([1, 2], [1, 2])
        tag(line, levels("depth", depth), ax)

    panels: list[Panel] = [
        draw_panel(lambda ax, depth=depth: draw(ax, depth), Sheet(), prefix="p")  # type: ignore[misc]
        for depth in (3, 5)
    ]
    exploring = Exploring()
    assert [exploring.panel(each)[0] for each in (*panels, panels[0])] == [0, 1, 0]
    assert ['data-of="1"' in exploring.panel(each)[1] for each in panels] == [False, True]
    assert exploring.place_of(levels("depth", 5)) == 1
    assert exploring.place_of(cell(1)) == 2


def test_a_cell_leads_to_the_page_of_its_confirm_trial(inputs: ReportInputs, tmp_path: Path) -> None:
    page = write_report(inputs, tmp_path).read_text()
    told = given_to(page)
    confirm = inputs.trials[inputs.trials["phase"] == "confirm"].sort_values("cell")
    assert [(number, trials) for number, _, trials in told["cells"]] == [
        (row["cell"], [row["number"]]) for _, row in confirm.iterrows()
    ]
    rows = re.findall(r'<tr id="cell-(\d+)".*?<a href="trials/trial-(\d+)\.html"', page, re.DOTALL)
    expected = zip(confirm["cell"], confirm["number"], strict=True)
    assert rows == [(str(cell), str(number)) for cell, number in expected]
    by_name = {factor["kind"]: factor["levels"] for factor in told["factors"]}
    for (_, places, _), (_, row) in zip(told["cells"], confirm.iterrows(), strict=True):
        assert [by_name[f"={name}"][place] for name, place in zip(inputs.factors, places, strict=True)] == [
            {False: "off", True: "on"}.get(row[name], str(row[name])) for name in inputs.factors
        ]


def test_the_scripts_of_a_page_stay_small() -> None:
    assert len(environment().get_template("script.js").render().encode()) < 40_000
