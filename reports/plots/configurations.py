"""Confirmed configurations side by side: one faint dot a block, mean and interval; the stated default among them."""

from collections.abc import Sequence

import pandas as pd
from matplotlib.axes import Axes

from reports.inputs.measures import TEST_LOG_LOSS, Measure
from reports.plots.style.axes import limits_of, linear_axis, quiet, say_empty
from reports.plots.style.marks import Of, mark, tag, tag_each, told, told_intervals, whole
from reports.plots.style.theme import ACCENT, FAINT, INK, MUTED
from reports.statistics.intervals import ANYWHERE, Bounds, t_interval

COLUMNS = ["kind", "place", "name", "block", "value", "low", "high"]
ROW = 36  # points


def tidy(
    scores: pd.DataFrame, names: Sequence[tuple[int, str]], outcome: str, within: Bounds = ANYWHERE
) -> pd.DataFrame:
    """Rows to draw: kind ("block", "mean"), place, name, block, value, low, high (95 % t interval over blocks).

    `scores` has trial_number, block and the outcome; `names` lists trial numbers with the name of each, top first;
    `within` is what a mean can lie between.
    """
    rows = []
    for place, (number, name) in enumerate(names):
        found = scores[scores["trial_number"] == number]
        base = {"place": place, "name": name}
        values = zip(found["block"], found[outcome], strict=True)
        rows += [{"kind": "block", **base, "block": block, "value": value} for block, value in values]
        mean, low, high = t_interval(found[outcome].to_numpy(dtype=float), within)
        rows.append({"kind": "mean", **base, "value": mean, "low": low, "high": high})
    return pd.DataFrame(rows, columns=COLUMNS)


def draw(
    frame: pd.DataFrame,
    ax: Axes,
    *,
    unit: str,
    measure: Measure = TEST_LOG_LOSS,
    of: Sequence[Of] = (),
) -> None:
    """Draw what `tidy` gives, the first row (the best) in the accent's colour; `of` is whose each place is."""
    means = frame[(frame["kind"] == "mean") & frame["value"].notna()] if len(frame) else frame
    if means.empty:
        say_empty(ax, "Nothing is confirmed yet.")
        return
    linear_axis(ax, "x", *limits_of([*frame["value"], *frame["low"], *frame["high"]]), most=5)
    ax.set_ylim(float(frame["place"].max()) + 0.5, -0.5)
    ax.set_yticks([])
    quiet(ax, grid="x")
    ax.spines["left"].set_visible(False)
    blocks = frame[frame["kind"] == "block"]
    (dots,) = ax.plot(blocks["value"], blocks["place"] + 0.2, "o", ms=4, color=FAINT.light, alpha=0.7, mew=0)
    owners = of or [()] * (int(frame["place"].max()) + 1)
    tag_each(dots, [owners[place] for place in blocks.loc[blocks["value"].notna(), "place"]], ax)
    numbers = means[["place", "value", "low", "high"]].to_numpy(dtype=float)
    for name, (place, mean, low, high) in zip(means["name"], numbers, strict=True):
        first = place == 0
        colour = ACCENT.light if first else INK.light
        (bar,) = ax.plot([low, high], [place + 0.2] * 2, color=colour, linewidth=2)
        (dot,) = ax.plot(mean, place + 0.2, "D", ms=5.5, color=colour)
        written = INK.light if first else MUTED.light
        text = ax.text(0, place - 0.18, name, transform=ax.get_yaxis_transform(), va="center", color=written)
        for artist in (bar, dot, text):
            tag(artist, owners[int(place)], ax)
    ax.set_xlabel(unit)
    scale = 100 if measure.is_share else 1
    mark(
        ax,
        means["value"],
        means["place"] + 0.2,
        list(means["name"]),
        f": mean {measure.title} ",
        told(means["value"], measure.value),
        told_intervals(means["low"], means["high"], scale=scale),
        of_each=[owners[place] for place in means["place"]],
        ends=(means["low"], means["high"]),
        across=True,
    )
    for place, rows in blocks.groupby("place"):
        mark(
            ax,
            rows["value"],
            rows["place"] + 0.2,
            f"{rows['name'].iloc[0]}, block ",
            whole(rows["block"]),
            f": {measure.title} ",
            told(rows["value"], measure.value),
            of=owners[int(str(place))],
            faint=True,
        )
