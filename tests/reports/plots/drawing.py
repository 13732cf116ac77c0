"""A fresh axes to draw on, and what can be read from it afterwards."""

from collections.abc import Callable

import matplotlib as mpl
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from reports.plots.style.canvas import SETTINGS


def axes() -> Axes:
    """An axes of a small panel with the report's settings."""
    with mpl.rc_context(SETTINGS):
        return Figure(figsize=(3.4, 2.8)).add_axes((0.15, 0.15, 0.75, 0.7))


def texts(ax: Axes) -> list[str]:
    """Every text on the axes, annotations included."""
    return [text.get_text() for text in ax.texts]


def unchanged(frame: pd.DataFrame, draw: Callable[[pd.DataFrame, Axes], None]) -> Axes:
    """Draw, and check that the frame is what it was before."""
    before, ax = frame.copy(deep=True), axes()
    draw(frame, ax)
    pd.testing.assert_frame_equal(frame, before)
    return ax
