"""From a drawing function to one panel: its SVG text and its pixels, the same bytes for the same input."""

import io
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from functools import cache
from typing import Any, Protocol, final

import matplotlib as mpl
import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure

from reports.plots.style.marks import TAG, TAGS, Marks, Of, read
from reports.plots.style.theme import INK, MUTED, RULE

PNG_DPI = 120
POINTS = 72
SETTINGS: Any = {  # names and values of matplotlib's settings
    "svg.fonttype": "none",
    "svg.hashsalt": "reports",
    "font.family": "sans-serif",
    "font.sans-serif": ["DejaVu Sans"],
    "font.size": 9,
    "text.color": INK.light,
    "axes.edgecolor": RULE.light,
    "axes.linewidth": 0.8,
    "axes.labelsize": 9,
    "axes.labelcolor": MUTED.light,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
    "xtick.color": RULE.light,
    "ytick.color": RULE.light,
    "xtick.labelcolor": MUTED.light,
    "ytick.labelcolor": MUTED.light,
    "xtick.labelsize": 9,
    "ytick.labelsize": 9,
    "grid.color": RULE.light,
    "grid.linewidth": 0.6,
    "hatch.linewidth": 0.8,
    "lines.solid_capstyle": "round",
    "axes.unicode_minus": True,
    "path.simplify": True,
    # A level or a name may hold dollar signs: it is text, and as a formula it could be a wrong one.
    "text.parse_math": False,
}


@dataclass(frozen=True, kw_only=True)
class Sheet:
    """The size of a panel and the margins around its axes, all in points (1/72 inch)."""

    width: float = 246
    height: float = 204
    left: float = 38
    right: float = 14
    top: float = 28
    bottom: float = 36


@dataclass(frozen=True, kw_only=True)
class Drawn:
    """A finished drawing: the inner SVG (without its outer tag), its pixels (RGB, white ground), what its marks say."""

    svg: str
    pixels: npt.NDArray[np.uint8]
    marks: Marks


@dataclass(frozen=True, kw_only=True)
class Drawing:
    """What is to be drawn, as `draw_panel` is asked for it."""

    draw: Callable[[Axes], None]
    sheet: Sheet
    heading: str
    note: str
    prefix: str


@final
class Panel:
    """One drawing: the inner SVG (without its outer tag), its size in points, its pixels (RGB, white ground).

    `heading` stands over it, and `of` is whose all of it is.
    """

    def __init__(self, drawing: Drawing, find: Callable[[], Drawn], *, of: Of = ()) -> None:
        """`find` returns the drawing, once it is finished, and raises what made it fail."""
        self.width, self.height, self._find = drawing.sheet.width, drawing.sheet.height, find
        self.drawing, self.heading, self.of = drawing, drawing.heading, of

    @property
    def svg(self) -> str:
        """The inner SVG."""
        return self._find().svg

    @property
    def pixels(self) -> npt.NDArray[np.uint8]:
        """Height by width by 3."""
        return self._find().pixels

    @property
    def marks(self) -> Marks:
        """What its marks say."""
        return self._find().marks


class Drawers(Protocol):
    """Draws elsewhere, as in other processes."""

    def give(self, drawing: Drawing) -> Callable[[], Drawn]:
        """Begin to draw; return what waits for it."""

    def help(self) -> None:
        """Draw here what was given and has not been begun."""


@final
class DrawnWhenAsked:
    """Draws nothing (`Drawers`) before a panel is asked for its drawing."""

    def give(self, drawing: Drawing) -> Callable[[], Drawn]:
        """Return what draws, once."""
        return cache(lambda: finish(drawing))

    def help(self) -> None:
        """Do nothing."""


_drawers: ContextVar[Drawers | None] = ContextVar("drawers", default=None)


@contextmanager
def drawn_by(drawers: Drawers | None) -> Iterator[None]:
    """Let `drawers` draw what `draw_panel` is asked for inside the context; None: it draws by itself, at once."""
    token = _drawers.set(drawers)
    try:
        yield
    finally:
        _drawers.reset(token)


def draw_panel(
    draw: Callable[[Axes], None],
    sheet: Sheet,
    *,
    heading: str = "",
    note: str = "",
    prefix: str,
    of: Of = (),
) -> Panel:
    """Let `draw` fill a fresh axes of this size, under a heading and a note (the unit) at its right end.

    `prefix` makes the ids in the SVG unique on a page. `of` is whose the panel is, as a picture of one setting. Inside
    `drawn_by` the panel may be finished later.
    """
    drawing = Drawing(draw=draw, sheet=sheet, heading=heading, note=note, prefix=prefix)
    drawers = _drawers.get()
    if drawers is not None:
        return Panel(drawing, drawers.give(drawing), of=of)
    drawn = finish(drawing)
    return Panel(drawing, lambda: drawn, of=of)


def finish(drawing: Drawing) -> Drawn:
    """Draw, and return the same bytes for the same drawing in every process."""
    sheet = drawing.sheet
    with mpl.rc_context(SETTINGS):
        figure = Figure(figsize=(sheet.width / POINTS, sheet.height / POINTS), dpi=POINTS)
        ax = draw_at(figure, drawing, (0, 0), (sheet.width, sheet.height))
        # Before pixels are made, which changes how many there are to a point.
        marks = read(ax, sheet.width, sheet.height)
        return Drawn(svg=_svg(figure, drawing.prefix), pixels=_pixels(figure), marks=marks)


def draw_at(figure: Figure, drawing: Drawing, place: tuple[float, float], size: tuple[float, float]) -> Axes:
    """Draw onto a figure of this `size`, with the left bottom corner of the drawing at `place`, in points; its axes."""
    sheet, (x, y), (width, height) = drawing.sheet, place, size
    ax = figure.add_axes(
        (
            (x + sheet.left) / width,
            (y + sheet.bottom) / height,
            (sheet.width - sheet.left - sheet.right) / width,
            (sheet.height - sheet.top - sheet.bottom) / height,
        )
    )
    drawing.draw(ax)
    top = (y + sheet.height - 11) / height
    figure.text((x + 2) / width, top, drawing.heading, size=9.5, weight="bold")
    figure.text((x + sheet.width - sheet.right) / width, top, drawing.note, color=MUTED.light, ha="right")
    return ax


def _svg(figure: Figure, prefix: str) -> str:
    FigureCanvasSVG(figure)
    text = io.StringIO()
    figure.savefig(text, format="svg", transparent=True, metadata={"Date": None, "Creator": None})
    return slim(text.getvalue(), prefix)


def slim(svg: str, prefix: str) -> str:
    """What lies inside the outer tag, without metadata, comments and unused ids, with two decimals a coordinate.

    Ids that are referred to get the prefix, so that several drawings can share one page. A group that is tagged says so
    in `data-of` (the place of its owner in the panel's marks) or `data-each` (one for each element within).
    """
    inner = svg[svg.index(">", svg.index("<svg")) + 1 : svg.rindex("</svg>")]
    inner = re.sub(r"<metadata>.*?</metadata>|<style[^>]*>.*?</style>|<!--.*?-->", "", inner, flags=re.DOTALL)
    inner = re.sub(rf'<g id="{TAG}([0-9]+)"', r'<g data-of="\1"', inner)
    inner = re.sub(rf'<g id="{TAGS}([0-9,]+)"', r'<g data-each="\1"', inner)
    inner = re.sub(r'(<g) id="[^"]*"', r"\1", inner)
    inner = re.sub(r'( id="|xlink:href="#|url\(#)', rf"\1{prefix}-", inner).replace("xlink:href", "href")
    inner = re.sub(r"<[^>]+>", lambda tag: re.sub(r"(\.\d\d)\d+", r"\1", tag.group()), inner)
    # The page's or the viewer's own sans-serif face, at the drawn size.
    inner = re.sub(r"font-family: [^;\"]*;? ?", "", inner)
    # One way to write a style: the page, which turns it into a class, can then write the same file again.
    inner = re.sub(r' style="([^"]*)"', _one_way, inner)
    inner = re.sub(r' transform="rotate\(-?0 [^"]*"', "", inner)
    inner = re.sub(r"<defs>\s*</defs>", "", inner)
    return re.sub(r"\s*\n\s*", "\n", inner).strip()


def untagged(svg: str) -> str:
    """A panel's SVG without what says whose its parts are, which is of use on a page alone."""
    return re.sub(r'<g data-(?:of|each)="[0-9,]*"', "<g", svg)


def _one_way(style: re.Match[str]) -> str:
    declarations = [each.partition(":") for each in style[1].split(";") if each.strip()]
    return f' style="{"; ".join(f"{name.strip()}: {value.strip()}" for name, _, value in declarations)}"'


def _pixels(figure: Figure) -> npt.NDArray[np.uint8]:
    figure.set_dpi(PNG_DPI)
    figure.set_facecolor("white")
    canvas = FigureCanvasAgg(figure)
    canvas.draw()  # type: ignore[no-untyped-call]
    pixels = np.asarray(canvas.buffer_rgba())  # type: ignore[no-untyped-call]
    return pixels[:, :, :3].copy()
