"""Search history: the objective of each trial in the order of the search, and the best so far."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from reports.inputs.measures import LOG_LOSS, Measure
from reports.plots.style.axes import linear_axis, quiet, say_empty, value_axis
from reports.plots.style.marks import mark, told, whole
from reports.plots.style.theme import ACCENT, BAD, FAINT, INK

SPOKEN = {"pruned": "stopped early"}
COLUMNS = ["trial_number", "objective", "state", "best_so_far"]


def tidy(trials: pd.DataFrame) -> pd.DataFrame:
    """Rows to draw: trial_number, objective, state, best_so_far (over completed trials); `trials` are search trials."""
    if trials.empty:
        return pd.DataFrame(columns=COLUMNS)
    ordered = trials.sort_values("number")
    objective = ordered["objective"].astype(float)
    complete = objective.where(ordered["state"] == "complete")
    rows = ordered.assign(
        objective=objective, trial_number=ordered["number"], best_so_far=complete.cummin().ffill()
    )
    return rows[COLUMNS].reset_index(drop=True)


def draw(
    frame: pd.DataFrame, ax: Axes, *, measure: Measure = LOG_LOSS, settings: Mapping[int, str] | None = None
) -> None:
    """Draw what `tidy` gives: completed trials filled, stopped ones hollow, failed ones crossed.

    `settings` says what each trial tried.
    """
    seen = frame[np.isfinite(frame["objective"].astype(float))] if len(frame) else frame
    if seen.empty:
        say_empty(ax, "No trial of the search has reported yet.")
        return
    linear_axis(ax, "x", 0, float(max(frame["trial_number"].max() + 1, 2)), most=7, whole=True)
    value_axis(ax, "y", list(seen["objective"]))
    quiet(ax)
    stopped, complete = seen[seen["state"] == "pruned"], seen[seen["state"] == "complete"]
    ax.plot(stopped["trial_number"], stopped["objective"], "o", ms=4, mfc="none", mec=FAINT.light, mew=1)
    ax.plot(complete["trial_number"], complete["objective"], "o", ms=4.5, color=ACCENT.light)
    failed = seen[seen["state"] == "failed"]
    ax.plot(failed["trial_number"], failed["objective"], "x", ms=5, color=BAD.light)
    ax.step(frame["trial_number"], frame["best_so_far"], where="post", color=INK.light, linewidth=1.3)
    ax.set_xlabel("trial")
    best = frame["best_so_far"].to_numpy(dtype=float)
    mark(
        ax,
        seen["trial_number"],
        seen["objective"],
        "trial ",
        whole(seen["trial_number"]),
        [f", {SPOKEN.get(state, state)}: " for state in seen["state"]],
        told(seen["objective"], measure.format),
        [f"; {found}" if (found := (settings or {}).get(int(each))) else "" for each in seen["trial_number"]],
    )
    mark(
        ax,
        frame["trial_number"],
        best,
        "best up to trial ",
        whole(frame["trial_number"]),
        ": ",
        told(best, measure.format),
    )
