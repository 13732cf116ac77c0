"""Lines over the epochs, drawn in two ways from one description: by matplotlib, or, at a tenth of its cost, as SVG.

The second way serves pages that are made by the dozen, of which nobody needs pixels.
"""

import textwrap
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final
from xml.sax.saxutils import escape

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes

from reports.plots.style.axes import (
    WRAPPED,
    label_right,
    linear_axis,
    linear_marks,
    log_axis,
    log_marks,
    quiet,
    say_empty,
    spread,
)
from reports.plots.style.canvas import Drawing, Drawn, Panel, Sheet
from reports.plots.style.marks import Group, Marks, Of, group_of, in_points, mark, tag
from reports.plots.style.theme import INK, MUTED, RULE

Numbers = npt.NDArray[np.float64]
Map = Callable[[Numbers], Numbers]
"""From data to points of the sheet."""
MOST_EPOCHS: Final = 7
"""Ticks of epochs at most."""
LABEL_GAP: Final = 12.0
"""Points between labels at least."""


@dataclass(frozen=True, kw_only=True)
class Line:
    """A line in data coordinates, with a marker at every so many of its points, if it has one, and whose it is.

    A line of a single point shows as its marker.
    """

    x: Numbers
    y: Numbers
    colour: str
    width: float
    opacity: float = 1.0
    dashes: tuple[float, float] | None = None
    marker: str | None = None
    every: int = 1
    of: Of = ()


@dataclass(frozen=True, kw_only=True)
class Band:
    """What lies between two lines, in data coordinates, and whose it is."""

    x: Numbers
    low: Numbers
    high: Numbers
    colour: str
    opacity: float = 0.12
    of: Of = ()


@dataclass(frozen=True, kw_only=True)
class Told:
    """What is said of points in data coordinates, put together from `parts`, and whose they are, as in `marks.mark`."""

    x: Numbers
    y: Numbers
    parts: Sequence[str | Sequence[str]]
    of: Of = ()
    faint: bool = False


@dataclass(frozen=True, kw_only=True)
class Chart:
    """Lines and bands over epochs 0 to `num_epochs`, `limits` of the other axis, and names at the lines' right ends.

    `labels` are heights, names and colours, `owners` whose each label is. `told` is what is said of points. `guide` is
    the height of a dashed line across. With `empty`, why there is nothing to draw, that is all there is.
    """

    limits: tuple[float, float]
    num_epochs: int
    log: bool
    lines: Sequence[Line] = ()
    bands: Sequence[Band] = ()
    labels: Sequence[tuple[float, str, str]] = ()
    owners: Sequence[Of] = ()
    told: Sequence[Told] = ()
    guide: float | None = None
    empty: str | None = None

    @property
    def last(self) -> float:
        """The right end of the epochs' axis."""
        return float(max(self.num_epochs, 2))

    @property
    def shown_guide(self) -> float | None:
        """The guide, where it lies within the limits."""
        is_within = self.guide is not None and self.limits[0] < self.guide < self.limits[1]
        return self.guide if is_within else None


def draw(chart: Chart, ax: Axes) -> None:
    """Draw by matplotlib."""
    if chart.empty is not None:
        say_empty(ax, chart.empty)
        return
    linear_axis(ax, "x", 0, chart.last, most=MOST_EPOCHS, whole=True)
    (log_axis if chart.log else linear_axis)(ax, "y", *chart.limits)
    quiet(ax)
    if chart.shown_guide is not None:
        ax.axhline(chart.shown_guide, color=MUTED.light, linewidth=0.9, dashes=(4, 3))
    for band in chart.bands:
        filled = ax.fill_between(
            band.x, band.low, band.high, color=band.colour, alpha=band.opacity, linewidth=0
        )
        tag(filled, band.of, ax)
    for line in chart.lines:
        (drawn,) = ax.plot(
            line.x,
            line.y,
            marker=line.marker,
            markevery=line.every,
            markersize=4,
            linewidth=line.width,
            color=line.colour,
            alpha=line.opacity if line.opacity < 1 else None,
            dashes=line.dashes or (None, None),
        )
        tag(drawn, line.of, ax)
    for each in chart.told:
        mark(ax, each.x, each.y, *each.parts, of=each.of, faint=each.faint)
    label_right(ax, chart.labels, of=chart.owners)
    ax.set_xlabel("epoch")


def chart_panel(chart: Chart, sheet: Sheet, *, heading: str, note: str) -> Panel:
    """A panel that has its SVG and its marks, no pixels."""
    owners: dict[Of, int] = {}
    text = svg(chart, sheet, heading=heading, note=note, owners=owners)
    marks = Marks(groups=_groups(chart, sheet), owners=tuple(owners))
    drawn = Drawn(svg=text, pixels=np.empty((0, 0, 3), dtype=np.uint8), marks=marks)
    drawing = Drawing(draw=partial(draw, chart), sheet=sheet, heading=heading, note=note, prefix="chart")
    return Panel(drawing, lambda: drawn)


def svg(chart: Chart, sheet: Sheet, *, heading: str, note: str, owners: dict[Of, int]) -> str:
    """Write what lies inside the outer tag of an SVG of this size, under a heading and a note at its right end.

    What is somebody's is tagged with the place of its owner among `owners`, to which it is added.
    """
    middle = (sheet.left + sheet.width - sheet.right) / 2
    parts = [
        _text(heading, 2, 13, size=9.5, bold=True),
        *([_text(note, sheet.width - sheet.right, 13, colour=MUTED.light, anchor="end")] if note else []),
    ]
    if chart.empty is not None:
        lines = textwrap.wrap(chart.empty, WRAPPED)
        start = sheet.height / 2 - 6 * len(lines)
        parts += [
            _text(line, middle, start + 12 * place, colour=MUTED.light, anchor="middle")
            for place, line in enumerate(lines)
        ]
        return "\n".join(parts)
    return "\n".join([*parts, *_drawn(chart, sheet, owners)])


def _scales(chart: Chart, sheet: Sheet) -> tuple[Map, Map]:
    """Return what takes epochs and heights to points of the sheet."""
    left, right, top, bottom = sheet.left, sheet.width - sheet.right, sheet.top, sheet.height - sheet.bottom
    low, high = (np.log10(chart.limits) if chart.log else np.asarray(chart.limits, dtype=float)).tolist()

    def across(x: Numbers) -> Numbers:
        return left + x / chart.last * (right - left)

    def down(y: Numbers) -> Numbers:
        with np.errstate(divide="ignore", invalid="ignore"):
            values: Numbers = np.log10(y) if chart.log else y
        found: Numbers = bottom - (values - low) / (high - low) * (bottom - top)
        return found

    return across, down


def _groups(chart: Chart, sheet: Sheet) -> tuple[Group, ...]:
    across, down = _scales(chart, sheet)
    return tuple(
        in_points(
            group_of(each.x, each.y, *each.parts, of=each.of, faint=each.faint),
            lambda x, y: (across(x), down(y)),
            sheet.width,
            sheet.height,
        )
        for each in chart.told
    )


def _drawn(chart: Chart, sheet: Sheet, owners: dict[Of, int]) -> list[str]:
    left, right, top, bottom = sheet.left, sheet.width - sheet.right, sheet.top, sheet.height - sheet.bottom
    across, down = _scales(chart, sheet)

    def tagged(drawn: str, of: Of) -> str:
        if not of:
            return drawn
        return f'<g data-of="{owners.setdefault(of, len(owners))}">\n{drawn}\n</g>'

    parts = []
    heights, names = (log_marks if chart.log else linear_marks)(*chart.limits)
    for y, name in zip(down(np.asarray(heights, dtype=float)).tolist(), names, strict=True):
        parts.append(_stroke(f"M{left:.2f} {y:.2f}H{right:.2f}", RULE.light, 0.6))
        parts.append(_text(name, left - 4, y + 3.3, colour=MUTED.light, anchor="end"))
    epochs, names = linear_marks(0, chart.last, most=MOST_EPOCHS, whole=True)
    for x, name in zip(across(np.asarray(epochs, dtype=float)).tolist(), names, strict=True):
        parts.append(_text(name, x, bottom + 12.5, colour=MUTED.light, anchor="middle"))
    parts.append(_stroke(f"M{left:.2f} {bottom:.2f}H{right:.2f}", RULE.light, 0.8))
    parts.append(_text("epoch", (left + right) / 2, bottom + 25, colour=MUTED.light, anchor="middle"))
    if chart.shown_guide is not None:
        y = float(down(np.asarray([chart.shown_guide]))[0])
        parts.append(_stroke(f"M{left:.2f} {y:.2f}H{right:.2f}", MUTED.light, 0.9, dashes=(3.6, 2.7)))
    for band in chart.bands:
        x = across(band.x)
        edge = _path(np.concatenate([x, x[::-1]]), np.concatenate([down(band.high), down(band.low)[::-1]]))
        filled = f'<path style="fill: {band.colour}; fill-opacity: {band.opacity:g}" d="{edge}z"/>'
        parts.append(tagged(filled, band.of))
    for line in chart.lines:
        x, y = across(line.x), down(line.y)
        strokes = []
        if len(x) > 1:
            scaled = (
                None if line.dashes is None else (line.dashes[0] * line.width, line.dashes[1] * line.width)
            )
            strokes.append(_stroke(_path(x, y), line.colour, line.width, opacity=line.opacity, dashes=scaled))
        if line.marker is not None:
            strokes.append(_markers(line.marker, x[:: line.every], y[:: line.every], line.colour))
        if strokes:
            parts.append(tagged("\n".join(strokes), line.of))
    labels = _labels(chart, down, right, top, bottom)
    return [*parts, *(tagged(label, of) for label, of in labels)]


def _labels(chart: Chart, down: Map, right: float, top: float, bottom: float) -> list[tuple[str, Of]]:
    owners = chart.owners or [()] * len(chart.labels)
    both = zip(chart.labels, owners, strict=True)
    finite = [(label, of) for label, of in both if np.isfinite(label[0])]
    wanted = (bottom - down(np.asarray([y for (y, _, _), _ in finite], dtype=float))) / (bottom - top)
    places = spread(wanted.tolist(), LABEL_GAP / (bottom - top))
    return [
        (_text(name, right + 5, bottom - place * (bottom - top) + 3.3, colour=colour), of)
        for place, ((_, name, colour), of) in zip(places, finite, strict=True)
    ]


def _path(x: Numbers, y: Numbers) -> str:
    return "M" + "L".join([f"{one:.2f} {two:.2f}" for one, two in zip(x.tolist(), y.tolist(), strict=True)])


def _stroke(
    path: str, colour: str, width: float, *, opacity: float = 1.0, dashes: tuple[float, float] | None = None
) -> str:
    style = f"fill: none; stroke: {colour}; stroke-width: {width:g}"
    style += f"; stroke-opacity: {opacity:g}" if opacity < 1 else ""
    style += f"; stroke-dasharray: {dashes[0]:g},{dashes[1]:g}" if dashes else ""
    return f'<path style="{style}" d="{path}"/>'


def _text(
    text: str,
    x: float,
    y: float,
    *,
    colour: str = INK.light,
    anchor: str = "start",
    size: float = 9,
    bold: bool = False,
) -> str:
    weight = "font-weight: 700; " if bold else ""
    style = f"{weight}font-size: {size:g}px; text-anchor: {anchor}; fill: {colour}"
    return f'<text style="{style}" x="{x:.2f}" y="{y:.2f}">{escape(text)}</text>'


MARKERS: Final[Mapping[str, str]] = {
    "o": "m-2 0a2 2 0 1 0 4 0a2 2 0 1 0 -4 0z",
    "s": "m-2 -2h4v4h-4z",
    "^": "m0 -2.4l2.2 4h-4.4z",
    "D": "m0 -2.6l2.6 2.6l-2.6 2.6l-2.6 -2.6z",
    "v": "m0 2.4l2.2 -4h-4.4z",
    "P": "m-.8 -2.3h1.6v1.5h1.5v1.6h-1.5v1.5h-1.6v-1.5h-1.5v-1.6h1.5z",
    "X": "m-2 -1l1 -1 1 1 1 -1 1 1 -1 1 1 1 -1 1 -1 -1 -1 1 -1 -1 1 -1z",
    "p": "m0 -2.4l2.3 1.7l-.9 2.7h-2.8l-.9 -2.7z",
}
"""The theme's markers, each from its middle."""


def _markers(marker: str, x: Numbers, y: Numbers, colour: str) -> str:
    shape = MARKERS[marker]
    path = "".join([f"M{one:.2f} {two:.2f}{shape}" for one, two in zip(x.tolist(), y.tolist(), strict=True)])
    return f'<path style="fill: {colour}" d="{path}"/>'
