"""The picture of what an epoch costs: one panel for each thing that grows, both axes logarithmic."""

from collections.abc import Mapping, Sequence
from functools import partial

import pandas as pd
from matplotlib.axes import Axes

from reports.plots.style.axes import label_right, limits_of, log_axis, quiet
from reports.plots.style.canvas import Sheet, draw_panel
from reports.plots.style.figure import Figure
from reports.plots.style.theme import ACCENT, BAD, MUTED

Lines = Mapping[str, Sequence[tuple[float, float]]]
STYLES = (
    (ACCENT.light, "o", "-"),
    (ACCENT.light, "s", "--"),
    (BAD.light, "o", "-"),
    (BAD.light, "s", "--"),
    (MUTED.light, "", ":"),
)


def draw(panels: Mapping[str, Lines]) -> bytes:
    """Return a PNG on white ground: for each panel's name, lines by their names, points as (size, milliseconds)."""
    sheet = Sheet(width=330, height=220, left=44, right=112)
    drawn = tuple(
        draw_panel(partial(_draw, lines), sheet, heading=name, note="ms an epoch", prefix=name)
        for name, lines in panels.items()
    )
    figure = Figure(
        slug="cost", title="", caption="", num="", alt="", panels=drawn, data=pd.DataFrame(), columns=2
    )
    return figure.png()


def _draw(lines: Lines, ax: Axes) -> None:
    sizes = [size for line in lines.values() for size, _ in line]
    costs = [cost for line in lines.values() for _, cost in line]
    log_axis(ax, "x", *limits_of(sizes, log=True), most=5)
    log_axis(ax, "y", *limits_of(costs, log=True))
    quiet(ax)
    labels = []
    for (name, line), (colour, marker, dashes) in zip(lines.items(), STYLES, strict=True):
        ax.plot(*zip(*line, strict=True), dashes, marker=marker, markersize=4, linewidth=1.4, color=colour)
        labels.append((line[-1][1], name, colour))
    label_right(ax, labels)
