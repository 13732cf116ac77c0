"""Layer x epoch heat maps, one small panel a cell in a grid of factor levels: where in depth and when it goes wrong."""

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.collections import PolyCollection

from reports.plots.style.axes import say_empty
from reports.plots.style.grid import Column, Grid
from reports.plots.style.marks import Of, fine, mark, whole
from reports.plots.style.theme import BAD, GROWTH_INKS, MUTED, SHADE

COLUMNS = ["row", "column", "layer", "epoch", "ratio", "finite"]
EDGES = (1 / 30, 1 / 10, 1 / 3, 1 / 1.5, 1.5, 3, 10, 30)  # between the nine colours; the middle one holds 1
LAYER, MOST_HIGH, LEAST_ROW = 6.5, 540.0, 12.0  # points: a layer, all rows together, a row with a name
FEET = 62.0


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


def layout(
    frame: pd.DataFrame, rows: Sequence[str], columns: Sequence[Column], of: Mapping[str, Of] | None = None
) -> Grid:
    """The grid of these rows and columns: a row is as high as its networks are deep, all together fit a screen.

    `of` is whose a row or a column is, by its name.
    """
    layers = _num_layers(frame)
    deep = {row: layers.get(row, 3) for row in rows}
    layer = min(LAYER, MOST_HIGH / sum(deep.values()))
    heights = {row: max(LEAST_ROW, layer * count) for row, count in deep.items()}
    return Grid(heights=heights, columns=columns, feet=FEET, of=of or {})


def _num_layers(frame: pd.DataFrame) -> dict[str, int]:
    return {str(row): int(most) for row, most in frame.groupby("row")["layer"].max().items()}


def draw(frame: pd.DataFrame, ax: Axes, *, grid: Grid, num_epochs: int) -> None:
    """Draw what `tidy` gives; the axes must have the size of `grid`, which `layout` makes."""
    if frame.empty:
        say_empty(ax, "No gradients recorded in the confirm phase yet.")
        return
    grid.prepare(ax)
    grid.own(ax)
    step, layers = grid.box / (num_epochs + 1), _num_layers(frame)
    boxes: list[list[npt.NDArray[np.float64]]] = [[] for _ in GROWTH_INKS]
    broken: list[npt.NDArray[np.float64]] = []
    grounds: list[npt.NDArray[np.float64]] = []
    for key, cell in frame.groupby(["row", "column"], sort=False):
        row, column = map(str, key)
        if row in grid.tops and column in grid.lefts:
            left, top, height = grid.lefts[column], grid.tops[row], grid.heights[row]
            grounds.append(_box(left, top, grid.box, height))
            _collect(cell, left, top + height, height / layers[row], step, boxes, broken)
            _mark(ax, cell, left, top + height, height / layers[row], step, grid, row, column)
    ax.add_collection(PolyCollection(grounds, facecolors=SHADE.light, edgecolors="none"), autolim=False)
    for ink, polygons in zip(GROWTH_INKS, boxes, strict=True):
        if polygons:
            ax.add_collection(
                PolyCollection(polygons, facecolors=ink.light, edgecolors="none"), autolim=False
            )
    if broken:
        hatched = PolyCollection(broken, facecolors="none", edgecolors=BAD.light, hatch="/////", linewidths=0)
        ax.add_collection(hatched, autolim=False)
    grid.name_ends(ax, "epoch", "0", str(num_epochs))
    _legend(ax, grid.left, grid.bottom + 32, bool(broken))


def _collect(
    cell: pd.DataFrame,
    left: float,
    bottom: float,
    layer: float,
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
        y = bottom - layer * layers[start]
        box = _box(left + step * epochs[start], y, step * (epochs[end - 1] - epochs[start] + 1), layer)
        (broken if classes[start] < 0 else boxes[classes[start]]).append(box)


def _mark(
    ax: Axes,
    cell: pd.DataFrame,
    left: float,
    bottom: float,
    layer: float,
    step: float,
    grid: Grid,
    row: str,
    column: str,
) -> None:
    """Say the value of every layer and epoch of one cell."""
    where, of = grid.named(row, column), grid.owner(row, column)
    for name, rows in cell.sort_values(["layer", "epoch"], ascending=[False, True]).groupby(
        "layer", sort=False
    ):
        number = int(str(name))
        said = [
            "gradient not finite in most networks"
            if finite < 0.5
            else f"{fine(ratio)} times the last layer's gradient"
            for ratio, finite in rows[["ratio", "finite"]].to_numpy(dtype=float)
        ]
        x = left + step * (rows["epoch"].to_numpy(dtype=float) + 0.5)
        mark(
            ax,
            x,
            bottom - layer * (number - 0.5),
            where,
            f"layer {number}, epoch ",
            whole(rows["epoch"]),
            ": ",
            said,
            of=of,
        )


def _box(left: float, top: float, width: float, height: float) -> npt.NDArray[np.float64]:
    right, bottom = left + width, top + height
    return np.array([(left, top), (right, top), (right, bottom), (left, bottom)])


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
