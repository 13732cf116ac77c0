"""Parallel coordinates: one line a search trial over its hyperparameters, dark where its loss is low."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection

from reports.plots.style.axes import named_axis, say_empty, tick_text
from reports.plots.style.marks import Of, mark, tag_each
from reports.plots.style.theme import ACCENT, FAINT, GROUND, INK, RULE
from reports.wording.words import factor_name, level_name

BEST = 0.1  # share of trials drawn in front
GOLDEN = 0.618034
MOST_LINES = 10_000
"""More lines would make a picture of many megabytes in which none can be told from another."""
MOST_TOUCHED = 1000
"""Lines up to which each says its trial at every axis, and not at the last one alone."""
JITTER = 0.09  # so that trials with the same level stay apart
LABEL_BOX = {"facecolor": GROUND.light, "edgecolor": "none", "pad": 1.5}


def tidy(trials: pd.DataFrame, choices: Mapping[str, Sequence[Any]], rates: Sequence[str]) -> pd.DataFrame:
    """Rows to draw: trial_number, a height in 0..1 for each hyperparameter and for the objective, front.

    `choices` maps a hyperparameter to its levels (placed evenly), `rates` lists positive ones (log scale). `front`
    marks the tenth of the trials with the lowest objective.
    """
    seen = trials[trials["objective"].notna()] if len(trials) else trials
    heights = pd.DataFrame({"trial_number": seen["number"] if len(seen) else pd.Series(dtype=int)})
    for name, levels in choices.items():
        places = {level_name(level): index / max(len(levels) - 1, 1) for index, level in enumerate(levels)}
        apart = JITTER * (np.arange(len(seen)) * GOLDEN % 1 - 0.5)
        heights[name] = [places.get(level_name(value), np.nan) for value in seen.get(name, [])] + apart
    for name in rates:
        heights[name] = _log_share(seen[name]) if len(seen) else []
    heights["objective"] = _share(seen["objective"]) if len(seen) else []
    heights["front"] = heights["objective"].rank(method="first") <= max(1, round(BEST * len(heights)))
    return heights.reset_index(drop=True)


def drawn(frame: pd.DataFrame) -> pd.DataFrame:
    """The rows of `tidy` that are drawn: all, or of more than MOST_LINES an even sample of about as many.

    Trials are taken by the golden ratio's multiples, which favour no cell: their numbers go round the cells.
    """
    if len(frame) <= MOST_LINES:
        return frame
    return frame[frame["trial_number"].to_numpy(dtype=float) * GOLDEN % 1 < MOST_LINES / len(frame)]


def _log_share(values: pd.Series) -> pd.Series:
    return _between(pd.Series(np.log(values.to_numpy(dtype=float)), index=values.index))


def _share(values: pd.Series) -> pd.Series:
    """Places of an objective: on a log scale where no value is 0 or below."""
    numbers = values.astype(float)
    return _log_share(numbers) if (numbers > 0).all() else _between(numbers)


def _between(values: pd.Series) -> pd.Series:
    span = values.max() - values.min()
    shares: pd.Series = (values - values.min()) / span if span > 0 else values * 0 + 0.5
    return shares


def draw(
    frame: pd.DataFrame,
    ax: Axes,
    *,
    ticks: Mapping[str, Sequence[tuple[float, str]]],
    settings: Sequence[str] = (),
    of: Sequence[Of] = (),
) -> None:
    """Draw what `tidy` gives; `ticks` labels heights of each axis and gives their order.

    `settings` says what each trial tried and reached, `of` whose it is.
    """
    if frame.empty:
        say_empty(ax, "No trial of the search has reported yet.")
        return
    names = list(ticks)
    named_axis(ax, "x", [factor_name(name) for name in names], pad=0.35)
    ax.set_ylim(-0.08, 1.08)
    ax.set_yticks([])
    for spine in ax.spines.values():
        spine.set_visible(False)
    ax.tick_params(length=0, pad=4)
    points = frame[names].to_numpy(dtype=float)
    lines = np.stack([np.broadcast_to(np.arange(len(names)), points.shape), points], axis=-1)
    front = frame["front"].to_numpy(dtype=bool)
    faint = LineCollection(lines[~front], colors=FAINT.light, linewidths=0.7, alpha=0.6)
    best = LineCollection(lines[front], colors=ACCENT.light, linewidths=1.6)
    for drawn, shown in ((faint, ~front), (best, front)):
        ax.add_collection(drawn, autolim=False)
        tag_each(
            drawn, [each for each, is_shown in zip(of, shown, strict=True) if is_shown] if of else (), ax
        )
    said = [
        f"trial {number}{f': {setting}' if setting else ''}"
        for number, setting in zip(frame["trial_number"], settings or [""] * len(frame), strict=True)
    ]
    # Of very many lines the end alone can be told from its neighbours'.
    for place in range(len(names)) if len(frame) <= MOST_TOUCHED else [len(names) - 1]:
        mark(ax, place, points[:, place], said, of_each=of or None)
    for place, name in enumerate(names):
        ax.axvline(place, color=RULE.light, linewidth=1, zorder=0)
        for height, text in ticks[name]:
            ax.text(place, height, text, ha="center", va="center", color=INK.light, bbox=LABEL_BOX, zorder=6)


def ticks_of(
    trials: pd.DataFrame, choices: Mapping[str, Sequence[Any]], rates: Sequence[str]
) -> dict[str, Any]:
    """Heights and names for the axes of `draw`: every level, and the ends of what was tried."""
    ticks: dict[str, Any] = {
        name: [(index / max(len(levels) - 1, 1), level_name(level)) for index, level in enumerate(levels)]
        for name, levels in choices.items()
    }
    for name in [*rates, "objective"]:
        values = trials[name].astype(float).dropna() if len(trials) else pd.Series(dtype=float)
        ends = (float(values.min()), float(values.max())) if len(values) else (1.0, 1.0)
        ticks[name] = [(0.0, tick_text(float(f"{ends[0]:.2g}"))), (1.0, tick_text(float(f"{ends[1]:.2g}")))]
    return ticks
