"""The figure that sets the picture of courses, the weights' gradient by layer, beside the gradient of the signal."""

from collections.abc import Mapping
from functools import partial
from typing import Any

import pandas as pd

from reports.plots import weight_gradients
from reports.plots.style.axes import limits_of
from reports.plots.style.canvas import Panel, Sheet, draw_panel
from reports.plots.style.figure import Figure
from reports.plots.style.marks import Of, setting
from reports.sections.parts.section import ReportContext, matches, setting_name, settings_of
from reports.sections.parts.tables import chosen_factors, level_names
from reports.wording.words import factor_name, level_phrase, number, plural

LINES = ("init_gain", "dropout", "activation", "init", "batch_norm")
ROWS = ("activation", "init", "batch_norm")
HELD = ("dropout", "activation", "init", "init_gain", "batch_norm", "residual")
MOST_ROWS = 3
MEASURES = {"weights": "weights’ gradient", "signal": "the signal’s"}


def weights_figure(report_context: ReportContext, layers: pd.DataFrame) -> Figure:
    """Both at initialisation, of the deepest networks; `layers` is `measured.measured_layers`."""
    factors = report_context.inputs.factors
    line = next(iter(chosen_factors(factors, LINES, 8)), None)
    rows = chosen_factors({k: v for k, v in factors.items() if k != line}, ROWS, MOST_ROWS)[:1]
    held = {name: factors[name][0] for name in HELD if name in factors and name not in (line, *rows)}
    start = layers[layers["epoch"] == 0]
    start = start[(start["num_layers"] == start["num_layers"].max()) & matches(start, held)]
    frames, owners = {}, {}
    for found in settings_of(factors, rows):
        part = start[matches(start, found)]
        names = level_names(report_context, part[line or "layer"], line)
        frames[setting_name(found)] = weight_gradients.tidy(part, names)
        owners[setting_name(found)] = setting({**held, **found})
    values = [v for f in frames.values() for v in f[list(MEASURES)].to_numpy(dtype=float).ravel()]
    limits = limits_of([*values, 0.8, 1.25], log=True)
    panels = [
        _panel(
            report_context,
            frame,
            measure,
            line,
            limits,
            heading,
            f"weight{place}{measure[0]}",
            owners[heading],
        )
        for place, (heading, frame) in enumerate(frames.items())
        for measure in MEASURES
    ]
    shown = [plural(int(start["num_layers"].max()), "layer")] if len(start) else []
    shown += [level_phrase(name, level) for name, level in held.items()]
    return Figure(
        slug="weight_gradients",
        title="What courses show, the weights’ gradient by layer, and beside it what that misses",
        caption=(
            "Weights’ gradient: its mean norm by layer, as tools log it. The signal’s: RMS of the loss’s gradient at "
            f"each layer’s output. Both at initialisation ({', '.join(shown)}), relative to the last hidden layer"
            f"{f', one line for each {factor_name(line)}' if line else ''}. A wrong scale of the weights cancels in "
            "the weights’ gradient: with 7 layers, twice He’s gain leaves a first-to-last ratio of weight gradients of "
            "0.2, and tanh at gain 0.5 one of 1.0, while the signal’s ratios are 69 and 0.014. Log scale, the same "
            "in every panel."
        ),
        num=f"n = {plural(int(start[['trial_number', 'replicate']].drop_duplicates().shape[0]), 'network')}",
        alt=f"Gradients of the weights and of the signal by layer at initialisation. {_alt(frames)}",
        panels=tuple(panels),
        data=pd.concat([frame.assign(panel=name) for name, frame in frames.items()], ignore_index=True),
        columns=2,
    )


def _panel(
    report_context: ReportContext,
    frame: pd.DataFrame,
    measure: str,
    line: str | None,
    limits: tuple[float, float],
    heading: str,
    prefix: str,
    of: Of,
) -> Panel:
    return draw_panel(
        partial(
            weight_gradients.draw,
            frame,
            measure=measure,
            theme=report_context.theme,
            factor=line,
            levels=report_context.inputs.factors[line] if line else (),
            limits=limits,
        ),
        Sheet(),
        heading=heading,
        note=MEASURES[measure],
        prefix=prefix,
        of=of,
    )


def _alt(frames: Mapping[str, pd.DataFrame]) -> str:
    """The first layer's ratios in both measures."""
    parts: list[str] = []
    for name, frame in frames.items():
        first: list[dict[Any, Any]] = frame[frame["layer"] == frame["layer"].min()].to_dict("records")
        listed = [
            f"{row['line']}: weights {number(row['weights'], 2)}, signal {number(row['signal'], 2)}"
            for row in first
        ]
        parts.append(f"{name}, layer 1 over the last, {'; '.join(listed)}")
    return ". ".join(parts)
