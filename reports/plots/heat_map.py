"""Layer x epoch heat maps, one small block a cell in a grid of factor levels: where in depth and when it goes wrong."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.collections import PolyCollection

from reports.plots.axes import say_empty
from reports.theme import BAD, GROWTH_INKS, INK, MUTED, RULE, SHADE

COLUMNS = ["row", "column", "layer", "epoch", "ratio", "finite"]
EDGES = (1 / 30, 1 / 10, 1 / 3, 1 / 1.5, 1.5, 3, 10, 30)  # between the nine colours; the middle one holds 1
BOX, LAYER, GAP_X, GAP_Y = 64.0, 6.5, 7.0, 8.0  # points
LETTER, HEADS, FEET = 5.4, 34.0, 62.0


def tidy(signal: pd.DataFrame, rows: pd.Series, columns: pd.Series) -> pd.DataFrame:
    """Rows to draw: row and column (labels of the grid), layer, epoch, ratio, finite.

    `signal` is `signal.relative_signal`; `rows` and `columns` give each of its rows its place in the grid. `ratio` is
    the median over networks of delta_rms[layer]/delta_rms[H], `finite` the share of networks that have one.
    """
    if signal.empty:
        return pd.DataFrame(columns=COLUMNS)
    keys = ["row", "column", "layer", "epoch"]
    groups = signal.assign(row=rows, column=columns).groupby(keys, sort=False)["log_ratio"]
    cells = groups.agg(["median", "count", "size"]).reset_index()
    cells["ratio"] = np.exp(cells["median"])
    cells["finite"] = cells["count"] / cells["size"]
    return cells[COLUMNS]


def size(frame: pd.DataFrame, rows: Sequence[str], columns: Sequence[str]) -> tuple[float, float]:
    """Width and height in points that the grid takes."""
    heights = _heights(frame, rows)
    width = label_width(rows) + len(columns) * (BOX + GAP_X) + 6
    return max(width, 440.0 + label_width(rows)), HEADS + sum(heights.values()) + GAP_Y * len(rows) + FEET


def label_width(rows: Sequence[str]) -> float:
    """Room for the names of the rows and the legend, in points."""
    return 12 + LETTER * max(14, *(len(row) for row in rows))


def draw(
    frame: pd.DataFrame, ax: Axes, *, rows: Sequence[str], columns: Sequence[tuple[str, str]], num_epochs: int
) -> None:
    """Draw what `tidy` gives; `columns` are pairs (name of the group of columns, name within the group).

    The axes must have the size that `size` says; one unit is one point.
    """
    if frame.empty:
        say_empty(ax, "No gradients recorded in the confirm phase yet.")
        return
    width, height = size(frame, rows, [f"{a}|{b}" for a, b in columns])
    ax.set_xlim(0, width)
    ax.set_ylim(height, 0)
    ax.set_axis_off()
    heights, top = _heights(frame, rows), HEADS
    step = BOX / (num_epochs + 1)
    boxes: list[list[npt.NDArray[np.float64]]] = [[] for _ in GROWTH_INKS]
    broken: list[npt.NDArray[np.float64]] = []
    grounds: list[npt.NDArray[np.float64]] = []
    tops = {}
    for row in rows:
        tops[row] = top
        top += heights[row] + GAP_Y
    lefts = {f"{a}|{b}": label_width(rows) + place * (BOX + GAP_X) for place, (a, b) in enumerate(columns)}
    for key, cell in frame.groupby(["row", "column"], sort=False):
        row, column = map(str, key)
        if row in tops and column in lefts:
            grounds.append(_box(lefts[column], tops[row], BOX, heights[row]))
            _collect(cell, lefts[column], tops[row], heights[row], step, boxes, broken)
    ax.add_collection(PolyCollection(grounds, facecolors=SHADE.light, edgecolors="none"), autolim=False)
    for ink, polygons in zip(GROWTH_INKS, boxes, strict=True):
        if polygons:
            ax.add_collection(
                PolyCollection(polygons, facecolors=ink.light, edgecolors="none"), autolim=False
            )
    if broken:
        hatched = PolyCollection(broken, facecolors="none", edgecolors=BAD.light, hatch="/////", linewidths=0)
        ax.add_collection(hatched, autolim=False)
    _name_rows(ax, rows, tops, heights)
    _name_columns(ax, columns, lefts)
    _name_axes(ax, rows, tops, heights, lefts, num_epochs)
    _legend(ax, label_width(rows), top + 32, bool(broken))


def _heights(frame: pd.DataFrame, rows: Sequence[str]) -> dict[str, float]:
    layers = frame.groupby("row")["layer"].max() if len(frame) else pd.Series(dtype=float)
    return {row: LAYER * float(layers.get(row, 3)) for row in rows}


def _collect(
    cell: pd.DataFrame,
    left: float,
    top: float,
    height: float,
    step: float,
    boxes: list[list[npt.NDArray[np.float64]]],
    broken: list[npt.NDArray[np.float64]],
) -> None:
    """Add one cell's polygons: neighbours in time that share a colour become one box."""
    ordered = cell.sort_values(["layer", "epoch"])
    classes = np.digitize(ordered["ratio"].to_numpy(), EDGES)
    classes = np.where(ordered["finite"].to_numpy() < 0.5, -1, classes)
    layers, epochs = ordered["layer"].to_numpy(), ordered["epoch"].to_numpy()
    new = np.diff(classes) != 0
    new |= (np.diff(layers) != 0) | (np.diff(epochs) != 1)
    starts = np.concatenate([[0], np.flatnonzero(new) + 1])
    ends = np.concatenate([starts[1:], [len(classes)]])
    for start, end in zip(starts, ends, strict=True):
        # Layer 1, the input's, is at the bottom.
        y = top + height - LAYER * layers[start]
        box = _box(left + step * epochs[start], y, step * (epochs[end - 1] - epochs[start] + 1), LAYER)
        (broken if classes[start] < 0 else boxes[classes[start]]).append(box)


def _box(left: float, top: float, width: float, height: float) -> npt.NDArray[np.float64]:
    right, bottom = left + width, top + height
    return np.array([(left, top), (right, top), (right, bottom), (left, bottom)])


def _name_rows(ax: Axes, rows: Sequence[str], tops: dict[str, float], heights: dict[str, float]) -> None:
    for row in rows:
        ax.text(2, tops[row] + heights[row] / 2, row, va="center", color=INK.light)


def _name_columns(ax: Axes, columns: Sequence[tuple[str, str]], lefts: dict[str, float]) -> None:
    for group in dict.fromkeys(group for group, _ in columns):
        members = [lefts[f"{a}|{b}"] for a, b in columns if a == group]
        ax.text(members[0], 10, group, weight="bold", va="center")
        ax.plot([members[0], members[-1] + BOX], [18, 18], color=RULE.light, linewidth=0.8)
    for group, name in columns:
        ax.text(lefts[f"{group}|{name}"], 27, name, va="center", color=MUTED.light)


def _name_axes(
    ax: Axes,
    rows: Sequence[str],
    tops: dict[str, float],
    heights: dict[str, float],
    lefts: dict[str, float],
    num_epochs: int,
) -> None:
    bottom = tops[rows[-1]] + heights[rows[-1]] + 9
    for left in lefts.values():
        ax.text(left, bottom, "0", va="center", color=MUTED.light)
        ax.text(left + BOX, bottom, str(num_epochs), va="center", ha="right", color=MUTED.light)
    ax.text(2, bottom, "epoch", va="center", color=MUTED.light)


def _legend(ax: Axes, left: float, top: float, any_broken: bool) -> None:
    width = 34.0
    for place, ink in enumerate(GROWTH_INKS):
        box = PolyCollection([_box(left + place * width, top - 5, width, 9)], facecolors=ink.light)
        ax.add_collection(box, autolim=False)
    for place, edge in enumerate(EDGES, start=1):
        text = f"{edge:g}" if edge >= 1 else f"1/{1 / edge:g}"
        ax.text(left + place * width, top + 13, text, ha="center", va="center", color=MUTED.light)
    ax.text(2, top, "times the last", va="center", color=MUTED.light)
    if any_broken:
        end = left + len(GROWTH_INKS) * width + 14
        box = PolyCollection(
            [_box(end, top - 5, 22, 9)], facecolors="none", edgecolors=BAD.light, hatch="/////"
        )
        ax.add_collection(box, autolim=False)
        ax.text(end + 28, top, "not finite", va="center", color=MUTED.light)
