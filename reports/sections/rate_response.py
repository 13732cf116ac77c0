"""Learning-rate response: how the loss at the first rung depends on the rate, failures and range ends marked."""

from collections.abc import Mapping
from functools import partial
from typing import Any

import pandas as pd

from reports.inputs.cube import plain
from reports.inputs.inputs import ReportInputs
from reports.inputs.measures import Measure
from reports.plots import rate_response
from reports.plots.style.axes import limits_of
from reports.plots.style.canvas import Sheet, draw_panel
from reports.plots.style.figure import Figure
from reports.plots.style.marks import levels
from reports.results.searching import failed_shares, rung_losses
from reports.sections.parts.section import Cell, Column, ReportContext, Table, several
from reports.wording.phrases import capital
from reports.wording.words import count, factor_name, level_name, number, plural

NAME = "learning_rate"


def rate_response_figure(report_context: ReportContext) -> Figure:
    """One panel an optimizer, a faint line a cell, the rates that the search chose marked."""
    inputs = report_context.inputs
    trials = inputs.trials[inputs.trials["phase"] == "search"]
    losses, failed, measure = _first_rung(inputs), failed_shares(inputs), inputs.validation
    chosen = list(report_context.results.chosen["trial_number"]) if len(report_context.results.chosen) else []
    ranges = rate_ranges(
        inputs.plan["nuisances"][NAME], inputs.factors.get("optimizer"), inputs.plan["fixed"]
    )
    frames = {}
    for optimizer in ranges:
        there = trials
        if "optimizer" in inputs.factors and len(trials):
            there = trials[[plain(value) == optimizer for value in trials["optimizer"]]]
        frames[optimizer] = rate_response.tidy(there, losses, failed, chosen)
    values = [value for frame in frames.values() for value in frame["loss"]]
    log = measure.suits_log(values)
    limits = limits_of(values, log=log)
    guess = "a failure" if inputs.own else "chance"
    panels = []
    for place, (optimizer, frame) in enumerate(frames.items()):
        style = report_context.theme.style("optimizer", optimizer) if "optimizer" in inputs.factors else None
        panels.append(
            draw_panel(
                partial(
                    rate_response.draw,
                    frame,
                    bounds=ranges[optimizer],
                    limits=limits,
                    log=log,
                    measure=measure,
                    colour=style.mark.light if style else None,
                ),
                Sheet(),
                heading=level_name(optimizer) if optimizer else "All cells",
                note=measure.unit,
                prefix=f"rate{place}",
                of=levels("optimizer", optimizer) if style else (),
            )
        )
    rung = inputs.plan["search"]["rungs"][0]
    shown = pd.concat([frame.assign(optimizer=name) for name, frame in frames.items()], ignore_index=True)
    return Figure(
        slug="rate_response",
        title=_title(report_context),
        caption=(
            f"{capital(measure.title)} after {plural(rung, 'epoch')}, the first rung, which every trial reaches; "
            "one faint line a cell. Dots: the rate that the search chose. Crosses: some of the trial's "
            f"networks diverged or failed (they count as {guess}). Shaded: the outer tenths of the range; a "
            "choice there is limited by the range."
        ),
        num=f"n = {plural(len(shown), 'search trial')}, {plural(int(inputs.plan['replicates']), 'network')} each",
        alt=_alt(frames, measure),
        panels=tuple(panels),
        data=shown,
        columns=3,
    )


def _title(report_context: ReportContext) -> str:
    """How many of the chosen rates lie at the end of their range."""
    chosen = report_context.results.chosen
    if chosen.empty:
        return f"How the {report_context.inputs.validation.kind} responds to the learning rate"
    num = int(chosen["at_boundary"].sum())
    return f"{count(num) if num else 'None'} of {plural(len(chosen), 'chosen learning rate')} at the end of the range"


def _first_rung(inputs: ReportInputs) -> "pd.Series[Any]":
    """By search trial its mean validation loss at the first rung, capped at chance."""
    losses = rung_losses(inputs, inputs.validation)
    first = losses[losses["epoch"] == inputs.plan["search"]["rungs"][0]]
    by_trial: pd.Series[Any] = first.set_index("trial_number")[inputs.validation.name].astype(float)
    return by_trial


def rate_ranges(
    nuisance: Mapping[str, Any], optimizers: tuple[Any, ...] | None, fixed: Mapping[str, Any]
) -> dict[str, tuple[float, float]]:
    """Lowest and highest rate for each optimizer of the study; one nameless range where it is the same for all."""
    if "low" in nuisance:
        names = [str(name) for name in optimizers] if optimizers else [""]
        return {name: (float(nuisance["low"]), float(nuisance["high"])) for name in names}
    if optimizers is None and "optimizer" not in fixed:
        ends = [(float(each["low"]), float(each["high"])) for each in nuisance.values()]
        return {"": (min(low for low, _ in ends), max(high for _, high in ends))}
    names = [str(name) for name in optimizers or (fixed["optimizer"],)]
    return {name: (float(nuisance[name]["low"]), float(nuisance[name]["high"])) for name in names}


def _alt(frames: Mapping[str, pd.DataFrame], measure: Measure) -> str:
    parts = []
    for name, frame in frames.items():
        rates = frame.loc[frame["chosen"].astype(bool), "rate"]
        span = f"{rates.min():.2g} to {rates.max():.2g}" if len(rates) else "none yet"
        parts.append(f"{level_name(name) if name else 'all cells'}: chosen rates {span}")
    return f"{capital(measure.title)} by learning rate. " + "; ".join(parts)


def robustness_table(report_context: ReportContext) -> Table:
    """How much the learning rate matters, by level, at the first rung, which every trial reaches."""
    measure, own = report_context.inputs.validation, report_context.inputs.own
    spread = f"{measure.unit}, interquartile"
    columns = [
        Column(name="factor", is_number=False),
        Column(name="level", is_number=False),
        Column(name="trials"),
        Column(name="as a failure or lost" if own else "at chance or lost", unit="% of trials"),
        Column(name=f"spread of {measure.kind} over rates", unit=spread.removeprefix(", ")),
    ]
    found = report_context.report["search"]["robustness"]
    shown = [row for row in found if row["factor"] in several(report_context.inputs.factors)]
    rows = [
        [
            Cell(text=factor_name(row["factor"])),
            Cell(text=level_name(tuple(row["level"]) if isinstance(row["level"], list) else row["level"])),
            Cell(text=count(row["num_trials"]), value=row["num_trials"]),
            Cell(text=number(100 * row["failed_share"], 0), value=row["failed_share"]),
            Cell(text=number(row["spread"]), value=row["spread"]),
        ]
        for row in shown
    ]
    owners = [levels(row["factor"], row["level"]) for row in shown]
    caption = "Robustness to the learning rate"
    return Table(caption=caption, columns=columns, rows=rows, folded=True, of=owners)
