"""The figure of layer x epoch heat maps: the cells of a study in a grid that fits a screen."""

import numpy as np
import pandas as pd

from reports.plots import heat_map
from reports.plots.style.canvas import Sheet, draw_panel
from reports.plots.style.figure import Figure
from reports.sections.parts.section import Material
from reports.sections.stability.placed import column_names, grid, placed, row_names
from reports.wording.words import factor_name, number, plural


def heat_figure(material: Material, signal: pd.DataFrame) -> Figure:
    """One figure of all heat maps; `signal` is `relative_signal` with all factors."""
    factors = material.inputs.factors
    rows, columns = grid(factors)
    frame = heat_map.tidy(signal, placed(signal, rows), placed(signal, columns))
    epochs = int(frame["epoch"].max()) if len(frame) else 1
    layout = heat_map.layout(frame, row_names(factors, rows), column_names(factors, columns))
    width, height = layout.size
    panel = draw_panel(
        lambda ax: heat_map.draw(frame, ax, grid=layout, num_epochs=epochs),
        Sheet(width=width, height=height, left=0, right=0, top=0, bottom=0),
        prefix="heat",
    )
    averaged = [name for name in factors if name not in (*rows, *columns)]
    over = f" Median also over {', '.join(map(factor_name, averaged))}." if averaged else ""
    return Figure(
        slug="heat_map",
        title="Layer by epoch: where in depth and when in training gradients grow or vanish",
        caption=(
            "One block a cell: epochs from left to right (0 is the initialisation), layers from the input "
            "(bottom) to the last hidden one (top). Colour: gradient of the signal relative to the last "
            "hidden layer, median over networks; grey is near 1, red grows toward the input, blue vanishes. "
            f"Hatched: not finite in more than half of the networks.{over}"
        ),
        num=f"n = {plural(int(signal['block'].nunique()), 'network')} a cell",
        alt=f"Heat maps of the relative gradient by layer and epoch for every cell.{_farthest(frame)}",
        panels=(panel,),
        data=frame,
        wide=True,
        columns=1,
    )


def _farthest(frame: pd.DataFrame) -> str:
    """Where the ratio is farthest from 1, for readers who cannot see the map."""
    away = np.abs(np.log(frame["ratio"].to_numpy(dtype=float)))
    if not np.isfinite(away).any():
        return " No value is finite."
    place = frame.iloc[int(np.nanargmax(away))]
    where = f"{place['row']}, {place['column']}, layer {place['layer']}, epoch {place['epoch']}"
    return f" Farthest from 1: {where}: {number(float(place['ratio']), 2)}."
