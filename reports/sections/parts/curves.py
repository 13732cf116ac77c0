"""Panels of losses and scores over the epochs, of one trial's networks or of a single one."""

from collections.abc import Mapping
from functools import partial
from typing import Final

import pandas as pd

from reports.plots import trial_curves
from reports.plots.style.axes import limits_of
from reports.plots.style.canvas import Panel, Sheet, draw_panel

Curves = Mapping[str, tuple[dict[str, str], str, bool]]
"""For each panel's heading: the columns by part (training, validation), their unit, and whether the axis is log."""

CURVES: Final[Curves] = {
    "Log-loss": ({"training": "train_loss", "validation": "val_loss"}, "nats", True),
    "Accuracy": ({"training": "train_accuracy", "validation": "val_accuracy"}, "share", False),
}
"""A classifier's."""


def curve_panels(epochs: pd.DataFrame, curves: Curves, *, prefix: str) -> tuple[list[Panel], pd.DataFrame]:
    """Return a panel for each heading, and what was drawn, with the heading in column `measure`."""
    last = int(epochs["epoch"].max()) if len(epochs) else 1
    panels: list[Panel] = []
    frames = []
    for heading, (measures, unit, log) in curves.items():
        frame = trial_curves.tidy(epochs, measures)
        limits = limits_of(frame["value"], log=log)
        panels.append(
            draw_panel(
                partial(
                    trial_curves.draw,
                    frame,
                    limits=limits,
                    num_epochs=last,
                    log=log,
                    what=heading[:1].lower() + heading[1:],
                    unit=unit if unit != "share" else "",
                ),
                Sheet(right=62),
                heading=heading,
                note=unit,
                prefix=f"{prefix}{len(panels)}",
            )
        )
        frames.append(frame.assign(measure=heading))
    return panels, pd.concat(frames, ignore_index=True)
