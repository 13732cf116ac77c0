"""A grid of cells: which factors go down its rows and which across its columns, and where a frame's rows stand."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from reports.inputs.cube import plain
from reports.plots.style.grid import Column
from reports.sections.parts.settings import setting_name, settings_of

MOST_COLUMNS, MOST_ROWS = 12, 14

Factors = Mapping[str, Sequence[Any]]


def grid(factors: Factors) -> tuple[list[str], list[str]]:
    """Factors down the rows (depth and switches first) and across the columns (others first), as many as fit."""
    rows: list[str] = []
    columns: list[str] = []
    order = sorted(factors, key=lambda name: (name != "depth", name != "optimizer"))
    for name in order:
        downward = name == "depth" or isinstance(factors[name][0], bool)
        _join(rows if downward else columns, name, factors, MOST_ROWS if downward else MOST_COLUMNS)
    for name in order:
        if name not in (*rows, *columns) and not _join(rows, name, factors, MOST_ROWS):
            _join(columns, name, factors, MOST_COLUMNS)
    return rows, columns


def _join(side: list[str], name: str, factors: Factors, most: int) -> bool:
    fits = bool(np.prod([len(factors[each]) for each in [*side, name]]) <= most)
    if fits:
        side.append(name)
    return fits


def row_names(factors: Factors, names: Sequence[str]) -> list[str]:
    """The name of every row."""
    return [setting_name(setting) for setting in settings_of(factors, names)]


def column_names(factors: Factors, names: Sequence[str]) -> list[Column]:
    """Every column, grouped by the first of two or more factors."""
    return [_column(setting) for setting in settings_of(factors, names)]


def _column(setting: Mapping[str, Any]) -> Column:
    key, names = setting_name(setting), list(setting)
    if len(names) < 2:
        return Column(key, "", key)
    group, *rest = names
    inner = {name: setting[name] for name in rest}
    return Column(key, setting_name({group: setting[group]}), setting_name(inner))


def placed(frame: pd.DataFrame, names: Sequence[str]) -> "pd.Series[Any]":
    """The name of each row's setting of these factors; every distinct setting is named once."""
    if not names or frame.empty:
        return pd.Series(setting_name({}), index=frame.index, dtype=object)
    codes = [pd.factorize(frame[name].map(plain))[0] for name in names]
    keys = pd.Series(list(zip(*codes, strict=True)), index=frame.index)
    first = ~keys.duplicated()
    known = {
        key: setting_name({name: plain(row[name]) for name in names})
        for key, (_, row) in zip(keys[first], frame[first].iterrows(), strict=True)
    }
    return keys.map(known)
