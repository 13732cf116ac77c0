"""The figure of layer x epoch heat maps: the cells of a study in a grid that fits a screen."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from reports.cube import plain
from reports.plots import heat_map
from reports.plots.canvas import Sheet, draw_panel
from reports.plots.figure import Figure
from reports.sections.section import Material
from reports.sections.settings import setting_name, settings_of
from reports.words import factor_name, number, plural

MOST_COLUMNS, MOST_ROWS = 12, 14


def heat_figure(material: Material, signal: pd.DataFrame) -> Figure:
    """One figure of all heat maps; `signal` is `relative_signal` with all factors."""
    rows, columns = grid(material.inputs.factors)
    row_names = [setting_name(setting) for setting in settings_of(material.inputs.factors, rows)]
    column_names = [_pair(setting) for setting in settings_of(material.inputs.factors, columns)]
    row_of = _labels(signal, rows, setting_name)
    column_of = _labels(signal, columns, lambda setting: "|".join(_pair(setting)))
    frame = heat_map.tidy(signal, row_of, column_of)
    epochs = int(frame["epoch"].max()) if len(frame) else 1
    width, height = heat_map.size(frame, row_names, ["|".join(pair) for pair in column_names])
    panel = draw_panel(
        lambda ax: heat_map.draw(frame, ax, rows=row_names, columns=column_names, num_epochs=epochs),
        Sheet(width=width, height=height, left=0, right=0, top=0, bottom=0),
        prefix="heat",
    )
    averaged = [name for name in material.inputs.factors if name not in (*rows, *columns)]
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
    column = str(place["column"]).replace("|", ", ").removeprefix(", ")
    where = f"{place['row']}, {column}, layer {place['layer']}, epoch {place['epoch']}"
    return f" Farthest from 1: {where}: {number(float(place['ratio']), 2)}."


def grid(factors: Mapping[str, Sequence[Any]]) -> tuple[list[str], list[str]]:
    """Factors down the rows (depth and switches) and across the columns (others), as many as fit a screen."""
    rows: list[str] = []
    columns: list[str] = []
    order = sorted(factors, key=lambda name: (name != "depth", name != "optimizer"))
    for name in order:
        side, most = (
            (rows, MOST_ROWS)
            if name == "depth" or isinstance(factors[name][0], bool)
            else (columns, MOST_COLUMNS)
        )
        if np.prod([len(factors[each]) for each in [*side, name]]) <= most:
            side.append(name)
    return rows, columns


def _pair(setting: Mapping[str, Any]) -> tuple[str, str]:
    """Name of the group of columns and of the column within it."""
    names = list(setting)
    if len(names) < 2:
        return "", setting_name(setting)
    return setting_name({names[0]: setting[names[0]]}), setting_name(
        {name: setting[name] for name in names[1:]}
    )


def _labels(signal: pd.DataFrame, names: Sequence[str], label: Any) -> pd.Series:
    """The label of each row's setting; every distinct setting is named once."""
    if not names or signal.empty:
        return pd.Series(label({}), index=signal.index)
    codes, _ = zip(*(pd.factorize(signal[name].map(plain)) for name in names), strict=True)
    keys = pd.Series(list(zip(*codes, strict=True)), index=signal.index)
    first = ~keys.duplicated()
    known = {
        key: label({name: plain(row[name]) for name in names})
        for key, (_, row) in zip(keys[first], signal[first].iterrows(), strict=True)
    }
    return keys.map(known)
