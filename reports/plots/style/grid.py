"""A grid of small boxes in one drawing: rows with a name, columns in named groups; one unit is one point."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import groupby
from typing import NamedTuple

from matplotlib.axes import Axes

from reports.plots.style.marks import Of, area
from reports.plots.style.theme import INK, MUTED, RULE

FULL_WIDTH = 756.0  # points beside the table of contents on a screen of 1300 pixels
MOST_BOX, GAP_X, GAP_Y = 64.0, 7.0, 8.0
LETTER, HEADS, LINE = 5.4, 34.0, 11.0


class Column(NamedTuple):
    """A column's whole name, that of its group ("" for none), and that within the group."""

    key: str
    group: str
    name: str


@dataclass(frozen=True, kw_only=True)
class Grid:
    """Where the boxes stand: `heights` by row, as wide as fits a screen, under the names of the columns.

    `feet` is room below the last row, `aside` room between the names of the rows and the first column. A row's name
    is written in one line, or in one for each part between commas where rows are high enough (`wraps`). `of` is whose a
    row or a column is, by its name.
    """

    heights: Mapping[str, float]
    columns: Sequence[Column]
    feet: float = 0.0
    aside: float = 0.0
    wraps: bool = False
    of: Mapping[str, Of] = field(default_factory=dict)

    @cached_property
    def left(self) -> float:
        """Room left of the first column."""
        lines = [line for row in self.heights for line in self.lines(row)]
        return 12 + LETTER * max(14, *(len(line) for line in lines)) + self.aside

    def lines(self, row: str) -> list[str]:
        """The name of a row as it is written."""
        return row.replace(", ", ",\n").split("\n") if self.wraps else [row]

    @cached_property
    def box(self) -> float:
        """Width of every box."""
        return min(MOST_BOX, (FULL_WIDTH - self.left) / len(self.columns) - GAP_X)

    @cached_property
    def names(self) -> dict[str, list[str]]:
        """The name of each column in lines that are no wider than its box, where its parts allow, by its key."""
        return {column.key: wrapped(column.name, self.box) for column in self.columns}

    @property
    def heads(self) -> float:
        """Room for the names of the columns and their groups."""
        return HEADS + LINE * (max(len(lines) for lines in self.names.values()) - 1)

    @cached_property
    def lefts(self) -> dict[str, float]:
        """Left edge of each column, by its key."""
        step = self.box + GAP_X
        return {column.key: self.left + place * step for place, column in enumerate(self.columns)}

    @cached_property
    def tops(self) -> dict[str, float]:
        """Top edge of each row; y runs downward."""
        tops, top = {}, self.heads
        for row, height in self.heights.items():
            tops[row] = top
            top += height + GAP_Y
        return tops

    @cached_property
    def bottom(self) -> float:
        """Where the last row and its gap end."""
        return self.heads + sum(self.heights.values()) + GAP_Y * len(self.heights)

    @property
    def size(self) -> tuple[float, float]:
        """Width and height of the whole drawing."""
        wide = self.left + len(self.columns) * (self.box + GAP_X)
        return max(wide, 440.0 + self.left), self.bottom + self.feet

    def owner(self, row: str, column: str) -> Of:
        """Whose a box is."""
        return (*self.of.get(row, ()), *self.of.get(column, ()))

    def named(self, row: str, column: str, name: str = "") -> str:
        """How what is in a box begins to be told: where it is, and the line's name."""
        parts = dict.fromkeys([row, *([column] if len(self.columns) > 1 else []), *([name] if name else [])])
        return ", ".join(parts) + ", "

    def own(self, ax: Axes) -> None:
        """Say whose each box is, the axes being prepared."""
        for row, top in self.tops.items():
            for column, left in self.lefts.items():
                owner = self.owner(row, column)
                if owner:
                    area(ax, left, top, self.box, self.heights[row], owner)

    def prepare(self, ax: Axes) -> None:
        """Give the axes, which must have this size, units of points, and write the names."""
        width, height = self.size
        ax.set_xlim(0, width)
        ax.set_ylim(height, 0)
        ax.set_axis_off()
        for row, height in self.heights.items():
            text = "\n".join(self.lines(row))
            ax.text(2, self.tops[row] + height / 2, text, va="center", color=INK.light)
        for group, columns in groupby(self.columns, key=lambda column: column.group):
            members = [self.lefts[column.key] for column in columns]
            ax.text(members[0], 10, group, weight="bold", va="center")
            ends = [members[0], members[-1] + self.box]
            ax.plot(ends, [18, 18], color=RULE.light, linewidth=0.8)
        for key, lines in self.names.items():
            for place, line in enumerate(lines):
                ax.text(self.lefts[key], 27 + LINE * place, line, va="center", color=MUTED.light)

    def name_ends(self, ax: Axes, what: str, first: str, last: str) -> None:
        """Write below the last row what runs across a box, and its first and last value."""
        y = self.bottom + 1
        for left in self.lefts.values():
            ax.text(left, y, first, va="center", color=MUTED.light)
            ax.text(left + self.box, y, last, va="center", ha="right", color=MUTED.light)
        ax.text(2, y, what, va="center", color=MUTED.light)


def wrapped(name: str, width: float) -> list[str]:
    """A name in lines of at most `width` points: broken after commas and plus signs, at spaces where that is too wide.

    >>> wrapped("dropout 0.5, constant", 70), wrapped("shift+rotation+zoom", 70), wrapped("training share 0.1", 55)
    (['dropout 0.5,', 'constant'], ['shift+', 'rotation+', 'zoom'], ['training', 'share 0.1'])
    """
    parts = re.split(r"(?<=, )|(?<=\+)", name)
    words = [word for part in parts for word in ([part] if _fits(part, width) else re.split("(?<= )", part))]
    lines = [""]
    for word in words:
        if lines[-1] and not _fits(lines[-1] + word, width):
            lines.append("")
        lines[-1] += word
    return [line.rstrip() for line in lines]


def _fits(text: str, width: float) -> bool:
    return LETTER * len(text.rstrip()) <= width
