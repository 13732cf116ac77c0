"""Total growth against the final loss: one faint dot a network, one mark a cell; an association, no more."""

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from reports.inputs.measures import TEST_LOG_LOSS, Measure
from reports.plots.style.axes import linear_axis, log_axis, quiet, say_empty
from reports.plots.style.marks import Of, cell, fine, mark, tag_each, told, verdict, whole
from reports.plots.style.marks import levels as of_levels
from reports.plots.style.theme import INK, MUTED, Theme
from reports.wording.words import factor_name

COLUMNS = ["kind", "level", "cell", "total_growth", "loss", "verdict"]


def tidy(
    networks: pd.DataFrame,
    levels: "pd.Series[Any]",
    cells: "pd.Series[Any]",
    outcome: str = "test_loss",
    verdicts: "pd.Series[Any] | None" = None,
) -> pd.DataFrame:
    """Rows to draw, one for each kind ("network", "cell") and network or cell.

    - `level` (name of the colour's level), `cell`, `total_growth`, `loss` (nats), `verdict` (of a network)

    `networks` has ln_total_growth and the outcome; those without a finite growth are left out. A cell's mark is its
    geometric mean growth and its mean loss.
    """
    found = pd.DataFrame(
        {
            "level": levels,
            "cell": cells,
            "log": networks["ln_total_growth"],
            "loss": networks[outcome],
            "verdict": None if verdicts is None else verdicts,
        }
    )
    found = found[np.isfinite(found["log"].astype(float)) & np.isfinite(found["loss"].astype(float))]
    means = found.groupby(["level", "cell"], sort=False, as_index=False)[["log", "loss"]].mean()
    both = pd.concat([found.assign(kind="network"), means.assign(kind="cell")], ignore_index=True)
    with np.errstate(over="ignore"):
        return both.assign(total_growth=np.exp(both["log"].astype(float)))[COLUMNS]


def draw(
    frame: pd.DataFrame,
    ax: Axes,
    *,
    theme: Theme,
    factor: str | None,
    levels: Sequence[Any],
    x_limits: tuple[float, float],
    y_limits: tuple[float, float],
    log: bool = True,
    measure: Measure = TEST_LOG_LOSS,
) -> None:
    """Draw what `tidy` gives, colour and marker by the level of `factor` (ink and a dot where it is None)."""
    if frame.empty:
        say_empty(ax, "No network has both a finite growth and a loss.")
        return
    log_axis(ax, "x", *x_limits, most=5)
    (log_axis if log else linear_axis)(ax, "y", *y_limits)
    quiet(ax)
    if x_limits[0] < 1 < x_limits[1]:
        ax.axvline(1, color=MUTED.light, linewidth=0.8)
    placed = []
    for level in levels or [None]:
        style = theme.style(factor, level) if factor else None
        rows = frame[frame["level"] == style.name] if style else frame
        colour, marker = (style.mark.light, style.marker) if style else (INK.light, "o")
        networks, cells = rows[rows["kind"] == "network"], rows[rows["kind"] == "cell"]
        (dots,) = ax.plot(
            networks["total_growth"], networks["loss"], ".", markersize=3.4, alpha=0.45, mew=0, color=colour
        )
        (means,) = ax.plot(
            cells["total_growth"], cells["loss"], marker, linestyle="", markersize=5.5, mew=0, color=colour
        )
        of = of_levels(factor if style else None, level)
        had = {number: each.unique() for number, each in networks.groupby("cell")["verdict"]}
        _tell(ax, dots, networks, [(each,) for each in networks["verdict"]], of, "a network", measure)
        _tell(ax, means, cells, [had[number] for number in cells["cell"]], of, "mean", measure)
        if style and len(cells):
            placed.append((style.name, style.text.light, marker, colour))
    _key(ax, factor, placed)
    ax.set_xlabel("total growth")


def _tell(
    ax: Axes,
    drawn: Line2D,
    rows: pd.DataFrame,
    verdicts_of: Sequence[Iterable[Any]],
    of: Of,
    what: str,
    measure: Measure,
) -> None:
    """Say whose each dot is, and what stands behind it; a cell is of every verdict that a network of it has."""
    owners = [
        (*of, *cell(number), *(pair for name in names for pair in verdict(name)))
        for number, names in zip(rows["cell"], verdicts_of, strict=True)
    ]
    tag_each(drawn, owners, ax)
    verdicts = tuple(f", {name}" if isinstance(name, str) else "" for name in rows["verdict"])
    growths = told(rows["total_growth"], fine)
    losses = told(rows["loss"], measure.value)
    mark(
        ax,
        rows["total_growth"],
        rows["loss"],
        "cell ",
        whole(rows["cell"]),
        f", {what}",
        verdicts,
        ": total growth ",
        growths,
        f", {measure.title} ",
        losses,
        of_each=owners,
        faint=what != "mean",
    )


def _key(ax: Axes, factor: str | None, placed: Sequence[tuple[str, str, str, str]]) -> None:
    """The markers with their levels in one line above the axes' right end: dots of all levels overlap."""
    if not factor or not placed:
        return
    right = 1.0
    width = ax.get_window_extent().width * 72 / ax.figure.get_dpi()
    for name, ink, marker, colour in reversed(placed):
        ax.text(right, 1.03, name, transform=ax.transAxes, ha="right", va="bottom", color=ink)
        right -= (6 * len(name) + 6) / width
        ax.plot(
            [right], [1.065], marker, transform=ax.transAxes, markersize=5, mew=0, color=colour, clip_on=False
        )
        right -= 9 / width
    ax.text(
        right, 1.03, factor_name(factor), transform=ax.transAxes, ha="right", va="bottom", color=MUTED.light
    )
