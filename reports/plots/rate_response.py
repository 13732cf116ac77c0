"""Learning-rate response: loss at the first rung over the rate, a faint line a cell, failures and range ends marked."""

import math
from collections.abc import Sequence

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection

from reports.plots.style.axes import linear_axis, log_axis, quiet, say_empty
from reports.plots.style.theme import ACCENT, BAD, FAINT, GROUND, SHADE

COLUMNS = ["trial_number", "cell", "rate", "loss", "failed", "chosen"]
OUTER = 0.1  # of the range on a log scale, as the gate BOUNDARY has it


def tidy(trials: pd.DataFrame, losses: pd.Series, failed: pd.Series, chosen: Sequence[int]) -> pd.DataFrame:
    """Rows to draw: trial_number, cell, rate, loss, failed (share of its networks), chosen.

    `trials` are search trials with `learning_rate`; `losses` (mean loss at the first rung) and `failed` are indexed
    by trial number; `chosen` lists the trials whose rate the confirm phase took.
    """
    if trials.empty or "learning_rate" not in trials:
        return pd.DataFrame(columns=COLUMNS)
    number = trials["number"]
    rows = pd.DataFrame(
        {
            "trial_number": number,
            "cell": trials["cell"],
            "rate": trials["learning_rate"].astype(float),
            "loss": number.map(losses).astype(float),
            "failed": number.map(failed).fillna(0.0).astype(float),
            "chosen": number.isin(chosen),
        }
    )
    return rows.sort_values(["cell", "rate"])[COLUMNS].reset_index(drop=True)


def draw(
    frame: pd.DataFrame,
    ax: Axes,
    *,
    bounds: tuple[float, float],
    limits: tuple[float, float],
    colour: str | None,
    log: bool = True,
) -> None:
    """Draw what `tidy` gives; `bounds` is the range searched, whose outer tenths are shaded."""
    if frame.empty or frame["loss"].isna().all():
        say_empty(ax, "No search trial has reached its first rung yet.")
        return
    low, high = bounds
    log_axis(ax, "x", low * 0.9, high * 1.1, most=5)
    (log_axis if log else linear_axis)(ax, "y", *limits)
    quiet(ax)
    margin = OUTER * math.log(high / low)
    ax.axvspan(low, low * math.exp(margin), color=SHADE.light, linewidth=0, zorder=0)
    ax.axvspan(high * math.exp(-margin), high, color=SHADE.light, linewidth=0, zorder=0)
    seen = frame[frame["loss"].notna()]
    lines = [rows[["rate", "loss"]].to_numpy() for _, rows in seen.groupby("cell")]
    ax.add_collection(LineCollection(lines, colors=FAINT.light, linewidths=0.8, alpha=0.8), autolim=False)
    chosen = seen[seen["chosen"]]
    ax.plot(
        chosen["rate"],
        chosen["loss"],
        "o",
        markersize=5,
        color=colour or ACCENT.light,
        markeredgecolor=GROUND.light,
        markeredgewidth=0.6,
        zorder=4,
    )
    bad = seen[seen["failed"] > 0]
    ax.plot(bad["rate"], bad["loss"], "x", markersize=5.5, markeredgewidth=1.4, color=BAD.light, zorder=5)
    ax.set_xlabel("learning rate")
