"""Marks: where each stands in its panel, what it says, whose it is; and a panel that looks the same with them."""

import importlib
import inspect
import pkgutil
import re
from functools import partial

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from reports import plots
from reports.plots.style.canvas import Panel, Sheet, draw_panel, untagged
from reports.plots.style.marks import (
    Of,
    area,
    cell,
    levels,
    mark,
    read,
    setting,
    tag,
    tag_each,
    told,
    told_intervals,
    verdict,
)

SHEET = Sheet(width=200, height=100, left=20, right=30, top=10, bottom=40)


def drawn(x: list[float], y: list[float], *, log: bool = False) -> Panel:
    return draw_panel(partial(dots, x=x, y=y, log=log), SHEET, prefix="p", heading="a heading")


def dots(ax: Axes, *, x: list[float], y: list[float], log: bool) -> None:
    ax.set_xlim(0, 10)
    if log:
        ax.set_yscale("log")
        ax.set_ylim(0.01, 100)
    else:
        ax.set_ylim(0, 5)
    mark(ax, x, y, "x ", told(x), ": ", told(y, str))


def test_a_mark_stands_where_its_data_are_in_points_from_the_left_and_the_top() -> None:
    panel = drawn([0, 5, 10], [0, 2.5, 5])
    (group,) = panel.marks.groups
    assert group.x == pytest.approx([20, 95, 170])
    assert group.y == pytest.approx([60, 35, 10])
    assert panel.marks.texts() == ["x 0.000: 0.0", "x 5.000: 2.5", "x 10.000: 5.0"]
    assert panel.heading == "a heading"


values = st.sampled_from([-1e300, -1.0, 0.0, 1e-9, 0.5, 3.0, 8.0, 1e300, np.inf, -np.inf, np.nan])


@given(st.lists(st.tuples(values, values), max_size=6), st.booleans())
def test_only_what_can_be_drawn_is_a_mark(points: list[tuple[float, float]], log: bool) -> None:
    ax = Figure(figsize=(200, 100), dpi=1).add_axes((0, 0, 1, 1))
    dots(ax, x=[x for x, _ in points], y=[y for _, y in points], log=log)
    low, high = (0.01, 100) if log else (0, 5)
    shown = [y for x, y in points if 0 <= x <= 10 and low <= y <= high]
    assert [text.rpartition(" ")[2] for text in read(ax, 200, 100).texts()] == [str(y) for y in shown]


def test_what_is_not_finite_takes_its_text_owner_and_ends_with_it() -> None:
    def draw(ax: Axes) -> None:
        ax.set_xlim(0, 10)
        mark(
            ax,
            [1.0, np.nan, 3.0],
            0.5,
            ["a", "b", "c"],
            of=levels("depth", 3),
            of_each=[cell(1), cell(2), cell(3)],
            ends=([0.0, 1.0, 2.0], [2.0, 3.0, 4.0]),
            across=True,
        )

    (group,) = draw_panel(draw, SHEET, prefix="p").marks.groups
    assert group.parts == (("a", "c"),)
    assert group.of == ((("=depth", "3"), ("cell", "1")), (("=depth", "3"), ("cell", "3")))
    assert group.ends is not None
    assert group.ends[0] == pytest.approx([20, 50])


def test_a_text_for_each_mark_is_one_for_each() -> None:
    with pytest.raises(AssertionError, match="one text for each mark"):
        drawn([1, 2], [1, 2]) and draw_panel(lambda ax: mark(ax, [1, 2], 0, ["only one"]), SHEET, prefix="p")


def test_owners_are_levels_cells_and_verdicts_and_nobody() -> None:
    assert levels("width", [128, 64], True) == (("=width", "128-64"), ("=width", "on"))
    assert levels(None, 3) == cell(None) == cell(float("nan")) == verdict(None) == ()
    assert setting({"depth": 3, "optimizer": "sgd"}) == (("=depth", "3"), ("=optimizer", "SGD"))
    assert (cell(7.0), verdict("DEAD")) == ((("cell", "7"),), (("verdict", "DEAD"),))


def tagged(ax: Axes, *, owner: Of) -> None:
    (line,) = ax.plot([1, 2], [1, 2])
    (dots,) = ax.plot([1, 2, 3], [2, 1, 2], "o")
    text = ax.text(1, 1, '<g data-of="0"')
    if owner:
        tag(line, owner, ax)
        tag_each(dots, [cell(1), cell(2), cell(1)], ax)
        tag(text, (), ax)
        area(ax, 1, 2, 3, 4, owner)


def test_tags_say_whose_a_part_is_and_leave_the_picture_as_it_is() -> None:
    with_tags = draw_panel(partial(tagged, owner=levels("depth", 3)), SHEET, prefix="p")
    without = draw_panel(partial(tagged, owner=()), SHEET, prefix="p")
    assert with_tags.svg.count('<g data-of="0"') == 1
    assert with_tags.svg.count('<g data-each="1,2,1"') == 1
    assert untagged(with_tags.svg) == without.svg == untagged(without.svg)
    assert "&lt;g data-of=" in without.svg  # a text that looks like a tag is none
    assert (with_tags.pixels == without.pixels).all()
    assert with_tags.marks.owners == (levels("depth", 3), cell(1), cell(2))
    assert with_tags.marks.areas[0].of == levels("depth", 3)


def test_an_interval_that_is_not_known_is_not_told() -> None:
    assert told_intervals([0.4, np.nan], [0.43, 1.0]) == (", 95 % interval 0.400 to 0.430", "")
    assert told_intervals([0.95], [0.97], scale=100) == (", 95 % interval 95.0 to 97.0",)


def test_every_plot_marks_what_it_draws() -> None:
    """A plot that is added without marks is found here, and by the pages' test if it marks only some panels."""
    found = [
        importlib.import_module(each.name)
        for each in pkgutil.walk_packages(plots.__path__, f"{plots.__name__}.")
        if ".style." not in each.name
    ]
    drawing = [module for module in found if hasattr(module, "draw")]
    assert len(drawing) >= 24
    silent = [each.__name__ for each in drawing if not re.search(r"\bmark\(\s*ax\b", inspect.getsource(each))]
    assert silent == []
