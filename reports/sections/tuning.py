"""A study without cells: the configurations confirmed against the stated default, and the history of the search."""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import pandas as pd

from reports.plots import configurations, history
from reports.plots.style.axes import allows_log, scale_note
from reports.plots.style.canvas import Sheet, draw_panel
from reports.plots.style.figure import Figure
from reports.plots.style.marks import levels
from reports.results.best import score_columns, standing
from reports.sections.configurations import FACTOR, configuration_names
from reports.sections.parts.section import Cell, Column, ReportContext, Section, Table
from reports.sections.search import parallel_figure, search_tables, small_figures, trial_settings
from reports.wording.phrases import capital
from reports.wording.words import factor_name, level_name, level_phrase, number, plural, small


def confirmed(report_context: ReportContext) -> Section:
    """Section "Performance" of a study without cells: best found against the stated default."""
    found = report_context.report["confirmed"]
    figures = [_confirmed_figure(report_context, found)] if found else []
    tables = [_confirmed_table(report_context, found)]
    context = {"tables": [table for table in tables if table.rows]}
    return Section(slug="confirmed", title="Why we may say so", figures=figures, context=context)


def searched(report_context: ReportContext) -> Section:
    """Section "Search" of a study without cells: history, parallel coordinates, budget, importance."""
    figures = [
        _history_figure(report_context),
        parallel_figure(report_context),
        *small_figures(report_context),
    ]
    context = {"said": report_context.report["search"]["sentences"], "tables": search_tables(report_context)}
    return Section(slug="searched", title="What the search did", figures=figures, context=context)


def _confirmed_figure(report_context: ReportContext, found: Sequence[Mapping[str, Any]]) -> Figure:
    ordered = sorted(found, key=standing)
    names = [(each["trial_number"], _short_name(each, place)) for place, each in enumerate(ordered, start=1)]
    outcome, rows = report_context.inputs.outcome, report_context.results.rows
    frame = configurations.tidy(rows, names, outcome.name, outcome.bounds(rows[outcome.name]))
    short = configuration_names(found)
    owners = [levels(FACTOR, short[int(number)]) for number, _ in names]
    panel = draw_panel(
        partial(configurations.draw, frame, unit=outcome.axis, measure=outcome, of=owners),
        Sheet(width=400, height=48 + configurations.ROW * max(len(names), 2), left=16, right=10, top=6),
        prefix="confirmed",
    )
    means = frame[frame["kind"] == "mean"]
    listed = "; ".join(
        f"{name} {number(value)}" for name, value in zip(means["name"], means["value"], strict=True)
    )
    return Figure(
        slug="confirmed",
        title="Confirmed configurations and the stated default",
        caption=(
            "Faint dots: one block each. Diamond and bar: mean over blocks and its 95 % interval. Fresh "
            "seeds, nothing stopped."
        ),
        num=f"n = {plural(int(report_context.inputs.plan['replicates']), 'block')}",
        alt=f"{capital(outcome.with_unit)} of the confirmed configurations. {listed}",
        panels=(panel,),
        data=frame,
        wide=True,
        columns=1,
    )


def _short_name(each: Mapping[str, Any], place: int) -> str:
    params = [level_phrase(name, value) for name, value in each["params"].items() if name != "learning_rate"]
    rate = each["params"].get("learning_rate")
    params += [] if rate is None else [f"rate {small(rate)}"]
    return ("Default: " if each["is_default"] else f"{place}. ") + ", ".join(params)


def _confirmed_table(report_context: ReportContext, found: Sequence[Mapping[str, Any]]) -> Table:
    names = list(found[0]["params"]) if found else []
    (first, head, unit, scale), *_ = scores = score_columns(report_context.inputs)
    shown = [
        (f"val_{first}", f"validation {head}", unit, scale),
        *((f"test_{name}", f"test {head}", unit, scale) for name, head, unit, scale in scores),
    ]
    columns = [
        Column(name="configuration", is_number=False),
        *(Column(name=factor_name(name)) for name in names),
        *(Column(name=head, unit=unit) for _, head, unit, _ in shown),
    ]
    rows = []
    for each in found:
        params = [each["params"][name] for name in names]
        rows.append(
            [
                Cell(text="stated default" if each["is_default"] else f"trial {each['trial_number']}"),
                *(Cell(text=small(v) if isinstance(v, float) else level_name(v)) for v in params),
                *(_score_cell(each[name], scale) for name, _, _, scale in shown),
            ]
        )
    return Table(caption="Confirmed configurations", columns=columns, rows=rows, folded=True)


def _score_cell(value: float | None, scale: float) -> Cell:
    return Cell(text=number(None if value is None else scale * value, 3 if scale == 1 else 1), value=value)


def _history_figure(report_context: ReportContext) -> Figure:
    trials = report_context.inputs.search_trials
    frame = history.tidy(trials)
    scale = scale_note(allows_log(frame["objective"]))
    tried = trials.set_index("number", drop=False)
    names = [name for name in report_context.inputs.plan["nuisances"] if name in tried]
    seen = tried[tried["objective"].notna()]
    told = trial_settings(report_context, seen, [*report_context.inputs.factors, *names])
    settings = dict(zip(seen["number"], told, strict=True))
    panel = draw_panel(
        partial(history.draw, frame, measure=report_context.inputs.objective, settings=settings),
        Sheet(width=400, height=220),
        prefix="history",
    )
    best = frame["best_so_far"].min() if len(frame) else None
    return Figure(
        slug="history",
        title=_last_gain(frame),
        caption=(
            "Filled: trials that reached the last rung; hollow: stopped at an earlier one; crosses: failed. "
            f"The line is the lowest {report_context.inputs.objective_name} so far ({scale})."
        ),
        num=f"n = {plural(len(trials), 'search trial')}",
        alt=f"{report_context.inputs.objective_name} of each search trial in order; the lowest is {number(best)}",
        panels=(panel,),
        data=frame,
        wide=True,
        columns=1,
    )


def _last_gain(frame: pd.DataFrame) -> str:
    """When the search last found something lower."""
    best = frame["best_so_far"].dropna()
    if best.empty:
        return "What the search found, trial by trial"
    trial = int(frame.loc[best.index[best == best.min()][0], "trial_number"])
    return f"The search came lowest at trial {trial} of {len(frame)}"
