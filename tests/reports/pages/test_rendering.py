"""What the page's frame promises: a policy by hash, classes instead of style attributes, numbers tied to units."""

import re

import pandas as pd
from matplotlib.axes import Axes

from reports.pages.rendering import content_policy, inline, page_parts, tied
from reports.plots.style.canvas import Sheet, draw_panel
from reports.plots.style.figure import Figure
from reports.plots.style.theme import INK, Theme


def line(ax: Axes) -> None:
    ax.plot([0, 1], color=INK.light)


def figure() -> Figure:
    panels = tuple(draw_panel(line, Sheet(), prefix=f"p{n}") for n in range(2))
    alt = 'a "quoted" description'
    return Figure(slug="x", title="T", caption="", num="", alt=alt, panels=panels, data=pd.DataFrame())


def test_drawings_carry_classes_that_the_style_defines() -> None:
    classes: dict[str, str] = {}
    drawings = inline(figure(), Theme(), classes)
    used = set(re.findall(r'class="(k\d+)"', "".join(drawings)))
    assert used == set(classes.values())
    assert " style=" not in "".join(drawings)
    style = str(page_parts(Theme(), classes)["style"])
    assert all(f".{name}{{" in style for name in used)
    assert any("stroke:var(--ink)" in declarations for declarations in classes)


def test_a_figure_is_described_once() -> None:
    first, second = inline(figure(), Theme(), {})
    assert 'role="img" aria-label="a &#34;quoted&#34; description"' in first
    assert 'aria-hidden="true"' in second


def test_the_policy_changes_with_what_it_allows() -> None:
    assert content_policy("a{}", "1") == content_policy("a{}", "1")
    assert content_policy("a{}", "1") != content_policy("a{} ", "1")


def test_a_number_keeps_its_unit_and_nothing_else_is_tied() -> None:
    text = "by 0.76 nats [0.72 to 0.80] nats (p = 0.02, p <\u202f0.001), 3 % and a = b"
    assert tied(text).replace("\u00a0", "~") == (
        "by 0.76~nats [0.72 to 0.80]~nats (p~=~0.02, p~<\u202f0.001), 3~% and a = b"
    )
