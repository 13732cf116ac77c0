"""Search: trials per rung and level, agreement of rungs, parallel coordinates, importance, the budget curve."""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import pandas as pd

from reports.inputs.cube import levels_of, plain
from reports.plots import bars, budget, parallel
from reports.plots.style.axes import allows_log, scale_note
from reports.plots.style.canvas import Sheet, draw_panel
from reports.plots.style.figure import Figure
from reports.plots.style.grid import LETTER
from reports.plots.style.marks import cell
from reports.plots.style.marks import levels as of_levels
from reports.results.searching import curve_key, rung_losses
from reports.sections.parts.section import Cell, Column, ReportContext, Section, Table, several
from reports.wording.words import count, factor_name, level_name, level_phrase, percent, plural, small


def search(report_context: ReportContext) -> Section:
    """What the search tried, what it stopped, and what its budget bought."""
    figures = [parallel_figure(report_context), *small_figures(report_context)]
    context = {"said": report_context.report["search"]["sentences"], "tables": search_tables(report_context)}
    return Section(slug="search", title="What the search did", figures=figures, context=context)


def small_figures(report_context: ReportContext) -> list[Figure]:
    """The budget curve and, where it was given, importance: side by side."""
    importance = importance_figure(report_context)
    curve = [_budget(report_context)] if len(report_context.report["search"]["curve"]) != 1 else []
    return [*curve, *([importance] if importance is not None else [])]


def search_tables(report_context: ReportContext) -> list[Table]:
    """Trials per rung and level."""
    table = _by_level(
        report_context.report["search"],
        report_context.inputs.plan["search"]["rungs"],
        several(report_context.inputs.factors),
    )
    return [table] if table.rows else []


def _budget(report_context: ReportContext) -> Figure:
    objective, losses, found = (
        report_context.inputs.objective,
        rung_losses(report_context.inputs),
        report_context.report["search"],
    )
    rung = int(report_context.inputs.plan["search"]["rungs"][0])
    first = losses[losses["epoch"] == rung]
    curve = [row[curve_key(objective)] for row in found["curve"]]
    frame = budget.tidy(first, curve, objective)
    log = objective.lower_is_better and allows_log(frame["loss"])
    per_cell = report_context.inputs.has_cells
    unit = "trials of a cell" if per_cell else "trials"
    panel = draw_panel(
        partial(budget.draw, frame, unit=unit, log=log, measure=objective),
        Sheet(width=272, height=220),
        heading=f"Expected {objective.extreme} {objective.title}",
        note=objective.shown_unit,
        prefix="budget",
    )
    scale = ", ".join(part for part in (scale_note(log), objective.shown_unit) if part)
    lines = "Faint lines: one cell each; in front their mean. " if per_cell else ""
    ends = (
        f"from {objective.bare(curve[0])} with one trial to {objective.bare(curve[-1])} with {count(len(curve))}"
        if curve
        else ""
    )
    return Figure(
        slug="budget_curve",
        title=f"What more trials bought: {ends}" if ends else "What more trials bought",
        caption=(
            f"{lines}Each point is the mean, over all ways to draw so many of the trials, of the {objective.extreme} "
            f"{objective.kind} among them, after {plural(rung, 'epoch')} ({scale}), where no trial was stopped yet."
        ),
        num=f"n = {plural(len(first), 'search trial')}",
        alt=f"Expected {objective.extreme} {objective.with_unit} by number of search trials, {ends or 'none yet'}",
        panels=(panel,),
        data=frame,
        columns=1,
    )


def _by_level(found: Mapping[str, Any], rungs: list[int], factors: Mapping[str, Sequence[Any]]) -> Table:
    columns = [
        Column(name="factor", is_number=False),
        Column(name="level", is_number=False),
        Column(name="trials"),
        *(Column(name=f"reached epoch {rung}") for rung in rungs),
        Column(name="went to the end", unit="%"),
        Column(name="failed"),
    ]
    rows, owners = [], []
    for row in found["by_level"]:
        if row["factor"] not in factors:
            continue
        reached = [row["reached"][str(rung)] for rung in rungs]
        share = reached[-1] / row["trials"] if row["trials"] else None
        level = row["level"]
        owners.append(of_levels(row["factor"], level))
        rows.append(
            [
                Cell(text=factor_name(row["factor"])),
                Cell(text=level_name(tuple(level) if isinstance(level, list) else level)),
                Cell(text=count(row["trials"]), value=row["trials"]),
                *(Cell(text=count(num), value=num) for num in reached),
                Cell(text=percent(share, 0).removesuffix("%").strip(), value=share),
                Cell(text=count(row["failed"]), value=row["failed"]),
            ]
        )
    caption = "Search trials per rung and level"
    return Table(caption=caption, columns=columns, rows=rows, folded=True, of=owners)


def importance_figure(report_context: ReportContext) -> Figure | None:
    """Bars of the importance that came with the inputs; None without any."""
    frame = report_context.inputs.importance
    if frame is None or frame.empty:
        return None
    ordered = frame.sort_values(["importance", "parameter"], ascending=[False, True])
    shown = bars.tidy(
        [factor_name(str(name)) for name in ordered["parameter"]],
        list(ordered["importance"]),
        [False] * len(ordered),
    )
    panel = draw_panel(
        partial(bars.draw, shown, why_empty="No importance was computed.", what="importance"),
        Sheet(width=246, height=8 + bars.ROW * max(len(shown), 2), left=2, right=2, top=4, bottom=4),
        prefix="importance",
    )
    used, ignored = int(frame["num_trials"].iloc[0]), int(frame["num_ignored"].iloc[0])
    listed = ", ".join(
        f"{name} {percent(share, 0)}" for name, share in zip(shown["name"], shown["share"], strict=True)
    )
    return Figure(
        slug="importance",
        title="What sets the lowest search trials apart",
        caption=(
            "PED-ANOVA importance, shares that sum to 1. Descriptive only: it reads the "
            f"{plural(used, 'trial')} that were not stopped and ignores {plural(ignored, 'other')}."
        ),
        num=f"n = {plural(used, 'search trial')}",
        alt=f"Importance of each hyperparameter: {listed}",
        panels=(panel,),
        data=shown,
        columns=1,
    )


def parallel_figure(report_context: ReportContext) -> Figure:
    """One line a search trial over factors, nuisances and the objective."""
    trials = report_context.inputs.search_trials
    choices, rates = _parameters(report_context, trials)
    frame = parallel.tidy(trials, choices, rates)
    ticks = parallel.ticks_of(trials, choices, rates)
    width, left = max(400, 84 * len(ticks)), _room(ticks)
    shown = parallel.drawn(frame)
    tried = trials.set_index("number").loc[shown["trial_number"]]
    settings = trial_settings(report_context, tried, [*choices, *rates])
    owners = [cell(number) for number in tried["cell"]] if report_context.inputs.has_cells else []
    some = f"An even sample of {count(len(shown))} trials is drawn. " if len(shown) < len(frame) else ""
    panel = draw_panel(
        partial(parallel.draw, shown, ticks=ticks, settings=settings, of=owners),
        Sheet(width=width + left, height=240, left=8 + left, right=36, top=10, bottom=26),
        prefix="parallel",
    )
    return Figure(
        slug="parallel",
        title="Where in the space the search spent its trials",
        caption=(
            f"{some}One line a trial through its values; in colour, the tenth of the trials with the lowest "
            f"objective, stopped or not. The right axis is the {report_context.inputs.objective_name} at the last "
            f"epoch reached ({scale_note(bool((trials['objective'].dropna() > 0).all()))})."
        ),
        num=f"n = {plural(len(frame), 'search trial')}",
        alt="Parallel coordinates of all search trials over " + ", ".join(map(factor_name, ticks)),
        panels=(panel,),
        data=frame,
        wide=True,
        columns=1,
    )


def trial_settings(report_context: ReportContext, trials: pd.DataFrame, names: Sequence[str]) -> list[str]:
    """What each search trial tried and reached: "depth 5, learning rate 0.01; validation log-loss 0.112 nats"."""
    columns = {name: [_phrase(name, value) for value in trials[name]] for name in names if name in trials}
    tried = map(", ".join, zip(*columns.values(), strict=True)) if columns else [""] * len(trials)
    reached = (report_context.inputs.objective.reached(float(value)) for value in trials["objective"])
    return [f"{each}; {value}" for each, value in zip(tried, reached, strict=True)]


def _phrase(name: str, value: Any) -> str:
    value = plain(value)
    return f"{factor_name(name)} {small(value)}" if isinstance(value, float) else level_phrase(name, value)


def _room(ticks: Mapping[str, Sequence[tuple[float, str]]]) -> float:
    """Points left of the first axis for the half of its longest label that would be cut off."""
    longest = max((len(text) for _, text in next(iter(ticks.values()))), default=0)
    return max(0.0, LETTER * longest / 2 - 24)


def _parameters(
    report_context: ReportContext, trials: pd.DataFrame
) -> tuple[dict[str, tuple[Any, ...]], list[str]]:
    """Hyperparameters with levels, and those on a log scale, among what was searched."""
    choices: dict[str, tuple[Any, ...]] = dict(report_context.inputs.factors)
    rates = []
    for name, nuisance in report_context.inputs.plan["nuisances"].items():
        if name in choices or name not in trials:
            continue
        if name == "learning_rate" or (isinstance(nuisance, Mapping) and nuisance.get("log")):
            rates.append(name)
        else:
            choices[name] = levels_of(trials[name])
    return choices, rates
