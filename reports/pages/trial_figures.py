"""The figures of one trial: its losses over the epochs, and every measure of every hidden layer."""

from functools import partial

import pandas as pd

from reports.inputs.early_stopping import STOPPED, rested
from reports.inputs.inputs import ReportInputs
from reports.plots import layer_measures
from reports.plots.style.axes import limits_of
from reports.plots.style.canvas import Panel, Sheet, draw_panel
from reports.plots.style.figure import Figure
from reports.plots.style.theme import Theme
from reports.plots.update_ratios import GUIDE
from reports.sections.parts.curves import CURVES, Curves, curve_panels
from reports.wording.phrases import capital, listed
from reports.wording.words import number, plural, small

MEASURES = {  # heading, unit, on a log scale
    "delta_rms": ("Signal’s gradient", "RMS", True),
    "grad_l2": ("Weights’ gradient", "norm, mean", True),
    "grad_l2_max": ("Weights’ gradient, largest step", "norm", True),
    "grad_rms": ("Weights’ gradient per weight", "RMS", True),
    "weight_rms": ("Weights", "RMS", False),
    "update_ratio": ("Update ratio", "of the weights’ norm", True),
    "activation_mean": ("Activation, mean", "", False),
    "activation_std": ("Activation, spread", "standard deviation", False),
    "dead_fraction": ("Dead or saturated units", "share", False),
}


def _curves_of(inputs: ReportInputs) -> Curves:
    """What is drawn over the epochs: a classifier's loss and accuracy, or the metrics that the plan declares."""
    if not inputs.own:
        return CURVES
    named = [(each, f"val_{each.name.removeprefix('test_')}") for each in inputs.own]
    return {
        capital(each.kind): ({"validation": name}, each.unit, each.suits_log(inputs.epochs[name]))
        for each, name in named
    }


def curves_figure(inputs: ReportInputs, number_of_trial: int) -> Figure:
    """Loss and accuracy over the epochs, one faint line a network."""
    own = inputs.replicates[inputs.replicates["trial_number"] == number_of_trial]
    epochs = inputs.epochs[inputs.epochs["trial_number"] == number_of_trial]
    epochs = rested(epochs, own, inputs.trials)
    early = (
        " Networks that stopped early go on with the scores of their best epoch." if STOPPED in own else ""
    )
    last = int(epochs["epoch"].max()) if len(epochs) else 1
    curves = _curves_of(inputs)
    panels, drawn = curve_panels(epochs, curves, prefix="curve")
    at_end = drawn[drawn["epoch"] == last].groupby(["measure", "part"], sort=False)["value"].mean()
    ends = [
        f"{measure.lower()}, {part}: {number(value)}"
        for measure, part, value in at_end.reset_index().itertuples(index=False)
    ]
    return Figure(
        slug=f"trial-{number_of_trial}-curves",
        title="Loss and accuracy over the epochs"
        if not inputs.own
        else f"{listed([*curves])} over the epochs",
        caption=(
            "Thick: mean over networks, validation solid, training dashed (with dropout and augmentation if "
            f"there are any). Faint: one line a network.{early}"
        ),
        num=f"n = {plural(int(epochs['replicate'].nunique()), 'network')}",
        alt=f"Learning curves of trial {number_of_trial}. After epoch {last}: {'; '.join(ends) or 'nothing finite'}",
        panels=tuple(panels),
        data=drawn,
    )


def layers_figure(inputs: ReportInputs, number_of_trial: int, theme: Theme) -> Figure | None:
    """Small multiples, a panel a measure and a line a layer; None where no layer is recorded.

    `theme` has the style of each layer, as levels of the factor "layer".
    """
    rows = inputs.gradients[inputs.gradients["trial_number"] == number_of_trial]
    if rows.empty:
        return None
    layers = [int(layer) for layer in sorted(rows["layer"].unique())]
    last = int(rows["epoch"].max())
    panels: list[Panel] = []
    frames, ends = [], []
    for measure, (heading, unit, log) in MEASURES.items():
        if measure not in rows or rows[measure].isna().all():
            continue
        frame = layer_measures.tidy(rows, measure, log=log)
        guide = GUIDE if measure == "update_ratio" else None
        limits = limits_of([*frame["low"], *frame["high"], guide], log=log)
        if measure == "dead_fraction":
            limits = (0.0, max(limits[1], 0.1))  # a share starts at none
        panels.append(
            draw_panel(
                partial(
                    layer_measures.draw,
                    frame,
                    theme=theme,
                    layers=layers,
                    limits=limits,
                    num_epochs=last,
                    log=log,
                    guide=guide,
                    what=f"{heading[:1].lower()}{heading[1:]}{f', {unit}' if unit else ''}",
                ),
                Sheet(left=44, right=26),
                heading=heading,
                note=unit,
                prefix=f"layers{len(panels)}",
            )
        )
        frames.append(frame.assign(measure=measure))
        ends.append(f"{heading.lower()}, layer 1: {_at_end(frame)}")
    return Figure(
        slug=f"trial-{number_of_trial}-layers",
        title="Every hidden layer over the epochs",
        caption=(
            "One line a hidden layer, named at its right end, 1 next to the input: median over networks with a 5–95 % "
            "band. Epoch 0 is the initialisation. Dashed in the update ratio: 10⁻³, the common guide. Scales differ "
            "between panels; gradients and ratios are on log scales."
        ),
        num=f"n = {plural(int(rows['replicate'].nunique()), 'network')}",
        alt=f"Measures by layer and epoch of trial {number_of_trial}; at the last epoch {'; '.join(ends)}",
        panels=tuple(panels),
        data=pd.concat(frames, ignore_index=True),
        columns=3,
    )


def _at_end(frame: pd.DataFrame) -> str:
    first = frame[frame["layer"] == frame["layer"].min()] if len(frame) else frame
    return small(float(first["median"].iloc[-1])) if len(first) else "not finite"
