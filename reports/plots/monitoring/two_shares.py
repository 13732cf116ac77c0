"""Categories or words in two samples: a mark for each share, joined by a line that is the change."""

from collections.abc import Sequence

import pandas as pd
from matplotlib.axes import Axes

from reports.plots.monitoring.key import draw_key
from reports.plots.style.axes import linear_axis, named_axis, quiet, say_empty
from reports.plots.style.marks import mark, told
from reports.plots.style.theme import FAINT, LevelStyle
from reports.wording.words import percent

COLUMNS = ["name", "before", "after"]
LONGEST = 18
"""Letters of a name; a longer one is cut."""


def tidy(names: Sequence[str], before: Sequence[float], after: Sequence[float]) -> pd.DataFrame:
    """Rows to draw, from top to bottom: a name and its share of each sample."""
    return pd.DataFrame({"name": list(names), "before": before, "after": after}, columns=COLUMNS)


def draw(frame: pd.DataFrame, ax: Axes, *, before: LevelStyle, after: LevelStyle, most: float) -> None:
    """Draw what `tidy` gives; shares from 0 to `most`, in per cent."""
    if frame.empty:
        say_empty(ax, "There is no category.")
        return
    places = list(range(len(frame)))
    linear_axis(ax, "x", 0, 100 * most * 1.06, most=5, least=0)
    names = [each if len(each) <= LONGEST else each[: LONGEST - 1] + "…" for each in frame["name"]]
    named_axis(ax, "y", names)
    ax.invert_yaxis()
    quiet(ax, grid="x")
    for name, style in (("before", before), ("after", after)):
        ax.plot(100 * frame[name], places, style.marker, color=style.mark.light, markersize=6)
    ax.hlines(places, 100 * frame["before"], 100 * frame["after"], color=FAINT.light, linewidth=1.5, zorder=0)
    for name, word in (("before", "before"), ("after", "now")):
        mark(ax, 100 * frame[name], places, list(frame["name"]), f", {word}: ", told(frame[name], percent))
    draw_key(ax, before=before, after=after, signs=("●", "■"))
