"""Stability: gradient flow against theory, layer x epoch heat maps, verdicts and growth by level."""

import itertools
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from reports.cube import plain
from reports.plots import gradient_flow, heat_map
from reports.plots.axes import limits_of
from reports.plots.canvas import Sheet, draw_panel
from reports.plots.figure import Figure
from reports.plots.signal import relative_signal
from reports.sections.section import Cell, Column, Material, Section, Table
from reports.sections.tables import contrast_table
from reports.stability import theoretical_growth, theory_applies
from reports.words import count, factor_name, level_phrase, number, percent, plural

SHAPING = (
    "batch_norm",
    "activation",
    "init",
    "init_gain",
    "residual",
    "dropout",
)  # they set growth at the start
MOST_PANELS = 12
MOST_COLUMNS, MOST_ROWS = 12, 14


def stability(material: Material) -> Section:
    """Where in depth and when in training gradients grow or vanish."""
    factors = material.inputs.factors
    signal = relative_signal(
        material.inputs.gradients, material.results.rows.assign(phase="confirm"), list(factors)
    )
    figures = [_flow(material, signal, at_end) for at_end in (False, True)]
    figures.append(_heat(material, signal))
    tables = [
        contrast_table(
            "ln total growth at initialisation", "ln", material.results.growth_contrasts, folded=True
        ),
        _theory_table(material),
        _verdict_table(material),
    ]
    context = {"tables": [table for table in tables if table.rows]}
    return Section(slug="stability", title="Stability", figures=figures, context=context)


def _flow(material: Material, signal: pd.DataFrame, at_end: bool) -> Figure:
    factors = material.inputs.factors
    epoch = int(signal["epoch"].max()) if at_end and len(signal) else 0
    now = signal[signal["epoch"] == epoch]
    line = "depth" if "depth" in factors else None
    shaping = _panel_factors(factors, line)
    frames = {}
    for levels in itertools.product(*(factors[name] for name in shaping)):
        setting = dict(zip(shaping, levels, strict=True))
        part = now[_matches(now, setting)]
        names = (
            part[line].map(lambda v: material.theme.style("depth", plain(v)).name)
            if line
            else part["layer"] * 0
        )
        lines = names if line else names.map(lambda _: "all")
        growth = None if at_end else _growth(material, setting)
        frames[_setting_name(setting)] = gradient_flow.tidy(part, lines, growth)
    columns = ["median", "low", "high", "theory"]
    values = [value for frame in frames.values() for value in frame[columns].to_numpy(dtype=float).ravel()]
    limits = limits_of([*values, 0.8, 1.25], log=True)
    num_layers = int(now["layer"].max()) if len(now) else 2
    panels = [
        draw_panel(
            lambda ax, frame=frame: gradient_flow.draw(  # type: ignore[misc]
                frame,
                ax,
                theme=material.theme,
                factor=line,
                levels=factors[line] if line else (),
                limits=limits,
                num_layers=num_layers,
            ),
            Sheet(),
            heading=name,
            note="times the last",
            prefix=f"flow{int(at_end)}{place}",
        )
        for place, (name, frame) in enumerate(frames.items())
    ]
    when = f"after {plural(epoch, 'epoch')}" if at_end else "at initialisation"
    theory = "" if at_end else " Dashed: what theory predicts for wide ReLU networks with He initialisation."
    return Figure(
        slug="gradient_flow_trained" if at_end else "gradient_flow_initial",
        title=f"How the gradient of the signal changes through the layers, {when}",
        caption=(
            "Each line is a network of one depth, from the input (layer 1) to its last hidden layer, where the line is at 1 "
            f"by definition: above 1, gradients grow toward the input; below, they vanish. Median and 5–95 % band over blocks."
            f"{theory} Log scale, the same in every panel."
        ),
        num=f"n = {plural(int(now['block'].nunique()), 'block')}",
        alt=f"Gradient of the signal relative to the last hidden layer, {when}. {_flow_alt(frames)}",
        panels=tuple(panels),
        data=pd.concat([frame.assign(panel=name) for name, frame in frames.items()], ignore_index=True),
        columns=3 if len(panels) % 3 == 0 else 2,
    )


def _panel_factors(factors: Mapping[str, Sequence[Any]], line: str | None) -> list[str]:
    chosen: list[str] = []
    for name in SHAPING:
        if name in factors and name != line:
            size = np.prod([len(factors[each]) for each in [*chosen, name]])
            chosen += [name] if size <= MOST_PANELS else []
    return chosen


def _growth(material: Material, setting: Mapping[str, Any]) -> float | None:
    settings = {**material.inputs.plan["fixed"], **setting}
    varied = set(material.inputs.factors) - set(setting)
    if not theory_applies(settings) or varied & (set(SHAPING)):
        return None
    return theoretical_growth(float(settings.get("dropout", 0.0)), bool(settings.get("batch_norm", False)))


def _matches(frame: pd.DataFrame, setting: Mapping[str, Any]) -> pd.Series:
    match = pd.Series(True, index=frame.index)
    for name, level in setting.items():
        match &= frame[name].map(plain).map(lambda value, level=level: value == plain(level)).astype(bool)
    return match


def _setting_name(setting: Mapping[str, Any]) -> str:
    text = ", ".join(level_phrase(name, level) for name, level in setting.items())
    return text[:1].upper() + text[1:] if text else "All networks"


def _flow_alt(frames: Mapping[str, pd.DataFrame]) -> str:
    parts = []
    for name, frame in frames.items():
        first = frame[frame["layer"] == frame["layer"].min()]
        values = [f"{row['line']}: {number(row['median'], 2)}" for _, row in first.iterrows()]
        parts.append(f"{name}, at layer 1, by depth: {', '.join(values)}")
    return "; ".join(parts)


def _heat(material: Material, signal: pd.DataFrame) -> Figure:
    rows, columns = _grid(material.inputs.factors)
    row_names = [_setting_name(setting) for setting in _settings(material, rows)]
    column_names = [_pair(setting) for setting in _settings(material, columns)]
    row_of = _labels(signal, rows, lambda setting: _setting_name(setting))
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
    worst = frame.loc[frame["ratio"].map(np.log).abs().idxmax()] if frame["ratio"].notna().any() else None
    where = (
        ""
        if worst is None
        else (
            f" Farthest from 1: {worst['row']}, {worst['column'].replace('|', ', ')}, layer {worst['layer']}, "
            f"epoch {worst['epoch']}: {number(worst['ratio'], 2)}."
        )
    )
    return Figure(
        slug="heat_map",
        title="Layer by epoch: where in depth and when in training gradients grow or vanish",
        caption=(
            "One block a cell: epochs from left to right (0 is the initialisation), layers from the input (bottom) to the last "
            "hidden one (top). Colour: gradient of the signal relative to the last hidden layer, median over networks; grey is "
            f"near 1, red grows toward the input, blue vanishes. Hatched: not finite in more than half of the networks.{over}"
        ),
        num=f"n = {plural(int(signal['block'].nunique()), 'network')} a cell",
        alt=f"Heat maps of the relative gradient by layer and epoch for every cell.{where}",
        panels=(panel,),
        data=frame,
        wide=True,
        columns=1,
    )


def _grid(factors: Mapping[str, Sequence[Any]]) -> tuple[list[str], list[str]]:
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


def _settings(material: Material, names: Sequence[str]) -> list[dict[str, Any]]:
    return [
        dict(zip(names, levels, strict=True))
        for levels in itertools.product(*(material.inputs.factors[name] for name in names))
    ]


def _pair(setting: Mapping[str, Any]) -> tuple[str, str]:
    """Name of the group of columns and of the column within it."""
    names = list(setting)
    if len(names) < 2:
        return "", _setting_name(setting)
    return _setting_name({names[0]: setting[names[0]]}), _setting_name(
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


def _theory_table(material: Material) -> Table:
    theory = material.results.theory
    columns = [
        *(Column(name=factor_name(name), is_number=False) for name in material.inputs.factors),
        Column(name="growth measured", unit="per block"),
        Column(name="theory", unit="per block"),
        Column(name="ratio"),
        Column(name="networks"),
    ]
    rows = [
        [
            *(
                Cell(text=material.theme.style(name, plain(row[name])).name)
                for name in material.inputs.factors
            ),
            Cell(text=number(row["measured"]), value=row["measured"]),
            Cell(text=number(row["predicted"]), value=row["predicted"]),
            Cell(text=number(row["ratio"]), value=row["ratio"]),
            Cell(text=count(row["num_replicates"]), value=float(row["num_replicates"])),
        ]
        for row in theory.to_dict("records")
    ]
    return Table(
        caption="Growth at initialisation, measured and predicted", columns=columns, rows=rows, folded=True
    )


def _verdict_table(material: Material) -> Table:
    verdicts = material.results.verdicts
    columns = [
        Column(name="factor", is_number=False),
        Column(name="level", is_number=False),
        Column(name="when", is_number=False),
        Column(name="verdict", is_number=False),
        Column(name="networks"),
        Column(name="share"),
        Column(name="95 % interval"),
    ]
    rows = [
        [
            Cell(text=factor_name(row["factor"])),
            Cell(text=material.theme.style(row["factor"], plain(row["level"])).name),
            Cell(text="at the start" if row["when"] == "initial" else "trained"),
            Cell(text=str(row["verdict"])),
            Cell(text=f"{row['count']} of {row['num']}", value=float(row["count"])),
            Cell(text=percent(row["share"], 0), value=row["share"]),
            Cell(
                text=f"{percent(row['low'], 0)} to {percent(row['high'], 0)}", value=row["high"] - row["low"]
            ),
        ]
        for row in verdicts.to_dict("records")
    ]
    return Table(caption="Verdicts by level", columns=columns, rows=rows, folded=True)
