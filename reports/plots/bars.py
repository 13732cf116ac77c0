"""Shares as horizontal bars, the name above each bar and the share at its end."""

from collections.abc import Sequence

import pandas as pd
from matplotlib.axes import Axes

from reports.plots.style.axes import say_empty
from reports.plots.style.marks import Of, mark, tag, told
from reports.plots.style.theme import ACCENT, FAINT, INK, MUTED
from reports.wording.words import percent

COLUMNS = ["name", "share", "marked"]
ROW = 30  # points


def tidy(names: Sequence[str], shares: Sequence[float], marked: Sequence[bool]) -> pd.DataFrame:
    """Rows to draw, top to bottom: name, share (a fraction), marked (drawn in the accent's colour)."""
    return pd.DataFrame({"name": list(names), "share": list(shares), "marked": list(marked)}, columns=COLUMNS)


def draw(
    frame: pd.DataFrame, ax: Axes, *, why_empty: str, what: str = "share", of: Sequence[Of] = ()
) -> None:
    """Draw what `tidy` gives; bars start at 0 and the longest leaves room for its number.

    `what` says what a share is one of, `of` whose each bar is.
    """
    if frame.empty:
        say_empty(ax, why_empty)
        return
    rows = range(len(frame))
    shares = frame["share"].to_numpy(dtype=float)
    ax.set_axis_off()
    ax.set_xlim(0, max(float(shares.max()), 1e-9) * 1.25)
    ax.set_ylim(len(frame) - 0.4, -0.6)
    colours = [ACCENT.light if marked else FAINT.light for marked in frame["marked"]]
    drawn = ax.barh([row + 0.16 for row in rows], shares, 0.3, color=colours, linewidth=0)
    owners = of or [()] * len(frame)
    places = [row + 0.16 for row in rows]
    said = told(shares, lambda share: percent(share, 1))
    mark(
        ax,
        shares,
        places,
        list(frame["name"]),
        f": {what} ",
        said,
        of_each=owners,
        ends=(0 * shares, shares),
        across=True,
    )
    for row, (name, share) in enumerate(zip(frame["name"], shares, strict=True)):
        tag(drawn.patches[row], owners[row], ax)
        tag(ax.text(0, row - 0.2, name, va="center", color=INK.light), owners[row], ax)
        number = ax.annotate(
            percent(share, 1 if share < 0.1 else 0),
            (share, row + 0.16),
            xytext=(5, 0),
            textcoords="offset points",
            va="center",
            color=MUTED.light,
        )
        tag(number, owners[row], ax)
