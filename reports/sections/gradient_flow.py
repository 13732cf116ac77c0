"""The figures of gradient flow: one panel for each setting of the factors that shape growth, theory dashed."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from reports.cube import plain
from reports.plots import gradient_flow
from reports.plots.axes import limits_of
from reports.plots.canvas import Sheet, draw_panel
from reports.plots.figure import Figure
from reports.sections.measured import chosen_factors
from reports.sections.section import Material
from reports.sections.settings import matches, setting_name, settings_of
from reports.stability import growth_predicted
from reports.words import number, plural

# What sets growth at the start, in the order of the panels.
SHAPING = ("batch_norm", "activation", "init", "init_gain", "residual", "dropout")
MOST_PANELS = 18
ROOMY = 9  # more panels than this are drawn smaller, to fit a screen
SMALL = Sheet(width=172, height=150, top=24, right=8)


def flow_figure(material: Material, signal: pd.DataFrame, at_end: bool) -> Figure:
    """Gradient flow at initialisation, or at the last epoch; `signal` is `relative_signal` with all factors."""
    factors = material.inputs.factors
    epoch = int(signal["epoch"].max()) if at_end and len(signal) else 0
    now = signal[signal["epoch"] == epoch]
    line = "depth" if "depth" in factors else None
    shaping = shaping_factors(factors)
    frames = {}
    for setting in settings_of(factors, shaping):
        part = now[matches(now, setting)]
        lines = pd.Series("all", index=part.index)
        if line:
            lines = part[line].map(lambda level: material.theme.style("depth", plain(level)).name)
        growth = None if at_end else _growth(material, setting)
        frames[setting_name(setting)] = gradient_flow.tidy(part, lines, growth)
    columns = ["median", "low", "high", "theory"]
    values = [value for frame in frames.values() for value in frame[columns].to_numpy(dtype=float).ravel()]
    limits = limits_of([*values, 0.8, 1.25], log=True)
    num_layers = int(now["layer"].max()) if len(now) else 2
    crowded = len(frames) > ROOMY
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
            SMALL if crowded else Sheet(),
            heading=name,
            note="" if crowded else "times the last",
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
            "Gradient of the signal as a multiple of that at the last hidden layer, where each line is at 1 by "
            "definition. A line is a network of one depth, layer 1 next to the input: above 1, gradients grow toward "
            f"the input; below, they vanish. Median and 5–95 % band over blocks.{theory} Log scale, the same in "
            "every panel."
        ),
        num=f"n = {plural(int(now['block'].nunique()), 'block')}",
        alt=f"Gradient of the signal relative to the last hidden layer, {when}. {_flow_alt(frames)}",
        panels=tuple(panels),
        data=pd.concat([frame.assign(panel=name) for name, frame in frames.items()], ignore_index=True),
        columns=4 if crowded else 3 if len(panels) % 3 == 0 else 2,
    )


def shaping_factors(factors: Mapping[str, Sequence[Any]]) -> list[str]:
    """The factors that get panels of their own, as many as fit."""
    return chosen_factors(factors, SHAPING, MOST_PANELS)


def _growth(material: Material, setting: Mapping[str, Any]) -> float | None:
    settings = {**material.inputs.plan["fixed"], **setting}
    varied = set(material.inputs.factors) - set(setting)
    growth = growth_predicted(settings)
    return None if varied & set(SHAPING) or math.isnan(growth) else growth


def _flow_alt(frames: Mapping[str, pd.DataFrame]) -> str:
    parts = []
    for name, frame in frames.items():
        first = frame[frame["layer"] == frame["layer"].min()]
        values = [f"{row['line']}: {number(row['median'], 2)}" for _, row in first.iterrows()]
        parts.append(f"{name}, at layer 1, by depth: {', '.join(values)}")
    return "; ".join(parts)
