"""The figures of gradient flow: a picture for each setting of the factors that shape growth, theory dashed."""

import math
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np
import pandas as pd

from reports.inputs.cube import plain
from reports.plots import flow_grid, gradient_flow, heat_map
from reports.plots.style.axes import limits_of
from reports.plots.style.canvas import Panel, Sheet, draw_panel
from reports.plots.style.figure import Figure
from reports.plots.style.grid import Column
from reports.plots.style.marks import Of, setting
from reports.sections.parts.section import ReportContext, setting_name, settings_of
from reports.sections.parts.tables import chosen_factors, level_names
from reports.stability.growth import growth_predicted
from reports.wording.phrases import factor_spoken, listed
from reports.wording.words import factor_name, number, plural, small

# What sets growth at the start, in the order of the panels.
SHAPING = ("batch_norm", "activation", "init", "init_gain", "residual", "dropout")
MOST_SETTINGS = 54
ROOMY = 9  # more settings than this are drawn as a grid of small pictures, to fit a screen


def flow_figure(report_context: ReportContext, signal: pd.DataFrame, at_end: bool) -> Figure:
    """Gradient flow at initialisation, or at the last epoch; `signal` is `relative_signal` with all factors."""
    factors = report_context.inputs.factors
    epoch = int(signal["epoch"].max()) if at_end and len(signal) else 0
    now = signal[signal["epoch"] == epoch]
    shaping = shaping_factors(factors)
    settings = {setting_name(each): each for each in settings_of(factors, shaping)}
    growths = {} if at_end else _growths(report_context, settings)
    frame = gradient_flow.tidy(now, placed(now, shaping), _lines(report_context, now), growths)
    crowded = len(settings) > ROOMY
    draw = _small if crowded else _panels
    panels = draw(report_context, frame, settings, f"flow{int(at_end)}")
    when = f"after {plural(epoch, 'epoch')}" if at_end else "at initialisation"
    return Figure(
        slug="gradient_flow_trained" if at_end else "gradient_flow_initial",
        title=f"How the gradient of the signal changes through the layers, {when}",
        caption=_caption(factors, shaping, frame),
        num=f"n = {plural(int(now['block'].nunique()), 'block')}",
        alt=f"Gradient of the signal relative to the last hidden layer, {when}. {_flow_alt(frame)}",
        panels=tuple(panels),
        data=frame,
        wide=crowded,
        columns=1 if crowded else 3 if len(panels) % 3 == 0 else 2,
    )


def shaping_factors(factors: Mapping[str, Sequence[Any]]) -> list[str]:
    """The factors that get pictures of their own, as many as fit."""
    return chosen_factors(factors, SHAPING, MOST_SETTINGS)


def _lines(report_context: ReportContext, now: pd.DataFrame) -> "pd.Series[Any]":
    return level_names(report_context, now["layer" if "depth" not in now else "depth"], _line(report_context))


def _line(report_context: ReportContext) -> str | None:
    return "depth" if "depth" in report_context.inputs.factors else None


def _growths(report_context: ReportContext, settings: Mapping[str, Mapping[str, Any]]) -> dict[str, float]:
    """The growth that theory predicts for each setting; NaN where a factor beside it shapes growth, too."""
    plan = report_context.inputs.plan
    fixed = {"model": plan["model"], **plan["fixed"]}
    others = set(report_context.inputs.factors).intersection(SHAPING)
    return {
        name: math.nan if others - set(found) else growth_predicted({**fixed, **found})
        for name, found in settings.items()
    }


def _axes(report_context: ReportContext, frame: pd.DataFrame) -> dict[str, Any]:
    """What every picture shares: the lines' styles, and the same range of both axes."""
    values = frame[["median", "low", "high", "theory"]].to_numpy(dtype=float).ravel()
    line = _line(report_context)
    return {
        "theme": report_context.theme,
        "factor": line,
        "levels": report_context.inputs.factors[line] if line else (),
        "limits": limits_of([*values, 0.8, 1.25], log=True),
        "num_layers": int(frame["layer"].max()) if len(frame) else 2,
    }


def _panels(
    report_context: ReportContext, frame: pd.DataFrame, settings: Mapping[str, Mapping[str, Any]], prefix: str
) -> list[Panel]:
    """One panel a setting."""
    shared = _axes(report_context, frame)
    return [
        draw_panel(
            partial(gradient_flow.draw, frame[frame["panel"] == name], **shared),
            Sheet(),
            heading=name,
            note="times the last",
            prefix=f"{prefix}{place}",
            of=setting(found),
        )
        for place, (name, found) in enumerate(settings.items())
    ]


def _small(
    report_context: ReportContext, frame: pd.DataFrame, settings: Mapping[str, Mapping[str, Any]], prefix: str
) -> list[Panel]:
    """One drawing with a small picture for each setting."""
    names = list(next(iter(settings.values())))
    rows, columns = grid({name: report_context.inputs.factors[name] for name in names})
    places = pd.DataFrame(
        {
            "panel": name,
            "row": setting_name({each: found[each] for each in rows}),
            "column": setting_name({each: found[each] for each in columns}),
        }
        for name, found in settings.items()
    )
    factors = report_context.inputs.factors
    layout = flow_grid.layout(
        row_names(factors, rows), column_names(factors, columns), owners(factors, rows, columns)
    )
    shared, (width, height) = _axes(report_context, frame), layout.size
    frame = frame.merge(places, on="panel")
    sheet = Sheet(width=width, height=height, left=0, right=0, top=0, bottom=0)
    return [draw_panel(partial(flow_grid.draw, frame, grid=layout, **shared), sheet, prefix=prefix)]


def _caption(factors: Mapping[str, Sequence[Any]], shaping: Sequence[str], frame: pd.DataFrame) -> str:
    averaged = [factor_spoken(name) for name in factors if name not in ("depth", *shaping)]
    over = f", averaged over {listed(averaged)}" if averaged else ""
    theory, gaps = "", ""
    if frame["theory"].notna().any():
        theory = " Dashed: what theory predicts for wide ReLU networks with He initialisation."
    if frame["median"].isna().any():
        gaps = " Where a line is missing, gradients are 0 or not finite."
    return (
        "Gradient of the signal as a multiple of that at the last hidden layer, where each line is at 1 by "
        "definition. A line is a network of one depth, layer 1 next to the input: above 1, gradients grow toward "
        f"the input; below, they vanish. Median and 5–95 % band over blocks{over}.{theory}{gaps} Log scale, the "
        "same in every picture."
    )


def _flow_alt(frame: pd.DataFrame) -> str:
    parts = []
    for name, panel in frame.groupby("panel", sort=False):
        first = panel[panel["layer"] == panel["layer"].min()]
        values = [f"{row['line']}: {small(row['median'])}" for row in first.to_dict("records")]
        parts.append(f"{name}, at layer 1, by depth: {', '.join(values)}")
    return "; ".join(parts)


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
    return [setting_name(found) for found in settings_of(factors, names)]


def column_names(factors: Factors, names: Sequence[str]) -> list[Column]:
    """Every column, grouped by the first of two or more factors."""
    return [_column(found) for found in settings_of(factors, names)]


def owners(factors: Factors, *sides: Sequence[str]) -> dict[str, Of]:
    """Whose each row and column is, by its name."""
    return {setting_name(found): setting(found) for names in sides for found in settings_of(factors, names)}


def _column(found: Mapping[str, Any]) -> Column:
    key, names = setting_name(found), list(found)
    if len(names) < 2:
        return Column(key, "", key)
    group, *rest = names
    inner = {name: found[name] for name in rest}
    return Column(key, setting_name({group: found[group]}), setting_name(inner))


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


def heat_figure(report_context: ReportContext, signal: pd.DataFrame) -> Figure:
    """One figure of all heat maps; `signal` is `relative_signal` with all factors."""
    factors = report_context.inputs.factors
    rows, columns = grid(factors)
    frame = heat_map.tidy(signal, placed(signal, rows), placed(signal, columns))
    epochs = int(frame["epoch"].max()) if len(frame) else 1
    layout = heat_map.layout(
        frame, row_names(factors, rows), column_names(factors, columns), owners(factors, rows, columns)
    )
    width, height = layout.size
    panel = draw_panel(
        partial(heat_map.draw, frame, grid=layout, num_epochs=epochs),
        Sheet(width=width, height=height, left=0, right=0, top=0, bottom=0),
        prefix="heat",
    )
    averaged = [name for name in factors if name not in (*rows, *columns)]
    over = f" Median also over {', '.join(map(factor_name, averaged))}." if averaged else ""
    return Figure(
        slug="heat_map",
        title="Layer by epoch: where in depth and when in training gradients grow or vanish",
        caption=(
            "One panel a cell: epochs from left to right (0 is the initialisation), layers from the input "
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
