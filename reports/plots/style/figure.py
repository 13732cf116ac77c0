"""A figure of the report: its panels, words and data, and its standalone SVG and PNG files."""

import io
import math
import re
from dataclasses import dataclass
from typing import final
from xml.sax.saxutils import escape, quoteattr

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure as MatplotlibFigure
from matplotlib.image import imsave

from reports.plots.style.canvas import PNG_DPI, POINTS, SETTINGS, Panel, draw_at, untagged


@final
class EditableFigure(MatplotlibFigure):
    """A figure of matplotlib that a notebook shows without pyplot."""

    def _repr_png_(self) -> bytes:
        file = io.BytesIO()
        self.savefig(file, format="png")
        return file.getvalue()


GAP = 14  # points between panels in the standalone files
_NOT_IN_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")
"""What no XML file may hold, not even escaped; a text from elsewhere may."""


@dataclass(frozen=True, kw_only=True)
class Figure:
    """Panels under one title; `slug` names its files, `data` is what was drawn, `alt` says it in words.

    `caption` says how to read it, `num` what n is. `wide` figures scroll on narrow screens; others are small panels
    that flow. `columns` is how many panels stand side by side in the standalone files. `lead` are the places of the
    panels that stand for it where there is room for one or two, under `lead_title`. Without `with_png` it has no PNG
    file, and its panels need no pixels.
    """

    slug: str
    title: str
    caption: str
    num: str
    alt: str
    panels: tuple[Panel, ...]
    data: pd.DataFrame
    wide: bool = False
    columns: int = 2
    lead: tuple[int, ...] = (0,)
    lead_title: str = ""
    with_png: bool = True

    def standalone_svg(self) -> str:
        """All panels in one SVG file, in real colours, with the title as its accessible name."""
        first, *rest = self.around()
        drawn = [_in_xml(untagged(panel.svg)) + after for panel, after in zip(self.panels, rest, strict=True)]
        return first + "".join(drawn)

    def around(self) -> list[str]:
        """What stands before, between and after the panels in that file: one text more than there are panels."""
        places, width, height = self._layout()
        head = (
            '<?xml version="1.0" encoding="utf-8"?>\n'
            f'<svg xmlns="http://www.w3.org/2000/svg" width="{width:g}pt" height="{height:g}pt" '
            f'viewBox="0 0 {width:g} {height:g}" role="img" aria-label={quoteattr(self.alt)} '
            'font-family="system-ui, sans-serif">\n'
            f"<title>{escape(self.title)}</title>\n"
            "<style>*{stroke-linejoin:round;stroke-linecap:butt}</style>\n"
        )
        opening = [
            f'<svg x="{left:g}" y="{top:g}" width="{panel.width:g}" height="{panel.height:g}" '
            f'viewBox="0 0 {panel.width:g} {panel.height:g}">\n'
            for panel, (left, top) in zip(self.panels, places, strict=True)
        ]
        closing = "\n</svg>\n"
        between = [closing + each for each in opening[1:]]
        return [_in_xml(text) for text in (head + opening[0], *between, f"{closing}</svg>\n")]

    def png(self) -> bytes:
        """All panels in one PNG file on white ground."""
        places, width, height = self._layout()
        scale = PNG_DPI / POINTS
        shape = (math.ceil(height * scale), math.ceil(width * scale), 3)
        sheet = np.full(shape, 255, dtype=np.uint8)
        for panel, (left, top) in zip(self.panels, places, strict=True):
            x, y = round(left * scale), round(top * scale)
            rows, columns = (
                min(panel.pixels.shape[0], shape[0] - y),
                min(panel.pixels.shape[1], shape[1] - x),
            )
            sheet[y : y + rows, x : x + columns] = panel.pixels[:rows, :columns]
        file = io.BytesIO()
        imsave(file, sheet, format="png", dpi=PNG_DPI, pil_kwargs={"compress_level": 4})
        return file.getvalue()

    def editable(self) -> "EditableFigure":
        """All panels as axes of one fresh matplotlib figure, in the order of the panels, which may be changed."""
        places, width, height = self._layout()
        with mpl.rc_context(SETTINGS):
            made = EditableFigure(figsize=(width / POINTS, height / POINTS), dpi=PNG_DPI, facecolor="white")
            for panel, (left, top) in zip(self.panels, places, strict=True):
                draw_at(made, panel.drawing, (left, height - top - panel.height), (width, height))
            FigureCanvasAgg(made).draw()  # type: ignore[no-untyped-call]  # ticks take their look when first drawn
        return made

    def _layout(self) -> tuple[list[tuple[float, float]], float, float]:
        """Left and top of each panel, and the size of the whole, in points."""
        wide = max(panel.width for panel in self.panels)
        high = max(panel.height for panel in self.panels)
        columns = min(self.columns, len(self.panels))
        rows = math.ceil(len(self.panels) / columns)
        places = [
            ((place % columns) * (wide + GAP), (place // columns) * (high + GAP))
            for place in range(len(self.panels))
        ]
        return places, columns * (wide + GAP) - GAP, rows * (high + GAP) - GAP


def _in_xml(text: str) -> str:
    """A text without what no XML file may hold."""
    return _NOT_IN_XML.sub("\N{REPLACEMENT CHARACTER}", text)
