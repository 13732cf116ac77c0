"""The figure of update ratios: a panel for each optimizer, with and without batch norm."""

from functools import partial

import pandas as pd

from reports.plots import update_ratios
from reports.plots.style.axes import limits_of
from reports.plots.style.canvas import Sheet, draw_panel
from reports.plots.style.figure import Figure
from reports.plots.style.marks import setting
from reports.sections.parts.section import ReportContext, matches, setting_name, settings_of
from reports.sections.parts.tables import chosen_factors
from reports.wording.phrases import listed
from reports.wording.words import factor_name, plural, small

PREFERRED = ("batch_norm", "optimizer", "activation", "init_gain")
MOST_PANELS = 6


def ratios_figure(report_context: ReportContext, layers: pd.DataFrame) -> Figure:
    """How far one step moves the weights, over the epochs; `layers` is `measured.measured_layers`."""
    factors, thresholds = report_context.inputs.factors, report_context.inputs.plan["thresholds"]
    trained = layers[layers["epoch"] > 0]
    setting_names = chosen_factors(factors, PREFERRED, MOST_PANELS)
    settings = {setting_name(found): found for found in settings_of(factors, setting_names)}
    frames = {name: update_ratios.tidy(trained[matches(trained, found)]) for name, found in settings.items()}
    values = [v for frame in frames.values() for v in frame[["low", "high"]].to_numpy(dtype=float).ravel()]
    limits = limits_of([*values, update_ratios.GUIDE], log=True)
    epochs = int(layers["epoch"].max()) if len(layers) else 1
    stalled, hot = (float(thresholds.get(name, float("nan"))) for name in ("stalled", "hot"))
    panels = [
        draw_panel(
            partial(update_ratios.draw, frame, limits=limits, num_epochs=epochs, stalled=stalled, hot=hot),
            Sheet(right=34),
            heading=name,
            prefix=f"ratio{place}",
            of=setting(settings[name]),
        )
        for place, (name, frame) in enumerate(frames.items())
    ]
    crossed = [value for value in (stalled, hot) if limits[0] < value < limits[1]]
    dotted = (
        f" Dotted in red: beyond {' and '.join(small(value) for value in crossed)} a network is called "
        f"{' or '.join('STALLED' if value == stalled else 'HOT' for value in crossed)}."
        if crossed
        else ""
    )
    pooled = [factor_name(name) for name in factors if name not in setting_names]
    over = f" whatever their {listed(pooled)}" if pooled else ""
    return Figure(
        slug="update_ratios",
        title="How far one step moves the weights, epoch by epoch",
        caption=(
            "Norm of the true update (weights after a step minus before it) over the norm of the weights: median and "
            f"5–95 % band over networks{over}, first hidden layer (solid) and last (dashed). Dashed across: "
            f"10⁻³, the common guide.{dotted} Optimizers are compared by this ratio, for Adam, AdamW and RMSprop "
            "cancel a constant scale of the gradient. Log scale, the same in every panel."
        ),
        num=f"n = {plural(int(trained[['trial_number', 'replicate']].drop_duplicates().shape[0]), 'network')}",
        alt=f"Update ratio by epoch, against the guide of 0.001. {_alt(frames)}",
        panels=tuple(panels),
        data=pd.concat([frame.assign(panel=name) for name, frame in frames.items()], ignore_index=True),
        columns=3 if len(panels) % 3 == 0 else 2,
    )


def _alt(frames: dict[str, pd.DataFrame]) -> str:
    parts = []
    for name, frame in frames.items():
        end = frame[frame["epoch"] == frame["epoch"].max()]
        values = ", ".join(f"{row['part']} {small(row['median'])}" for _, row in end.iterrows())
        parts.append(f"{name}, after the last epoch: {values or 'none recorded'}")
    return "; ".join(parts)
