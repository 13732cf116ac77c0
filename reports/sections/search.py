"""Search: trials per rung and level, agreement of rungs, parallel coordinates, importance, the budget curve."""

from collections.abc import Mapping
from typing import Any

from reports.plots import budget
from reports.plots.style.axes import allows_log, scale_note
from reports.plots.style.canvas import Sheet, draw_panel
from reports.plots.style.figure import Figure
from reports.results.searching import curve_key, rung_losses
from reports.sections.importance import importance_figure
from reports.sections.parallel import parallel_figure
from reports.sections.parts.section import Cell, Column, Material, Section, Table
from reports.wording.words import count, factor_name, level_name, percent, plural


def search(material: Material) -> Section:
    """What the search tried, what it stopped, and what its budget bought."""
    figures = [parallel_figure(material), *small_figures(material)]
    context = {"said": material.report["search"]["sentences"], "tables": search_tables(material)}
    return Section(slug="search", title="Search", figures=figures, context=context)


def small_figures(material: Material) -> list[Figure]:
    """The budget curve and, where it was given, importance: side by side."""
    importance = importance_figure(material)
    curve = [_budget(material)] if len(material.report["search"]["curve"]) != 1 else []
    return [*curve, *([importance] if importance is not None else [])]


def search_tables(material: Material) -> list[Table]:
    """Trials per rung and level."""
    table = _by_level(material.report["search"], material.inputs.plan["search"]["rungs"])
    return [table] if table.rows else []


def _budget(material: Material) -> Figure:
    objective, losses, found = (
        material.inputs.objective,
        rung_losses(material.inputs),
        material.report["search"],
    )
    rung = int(material.inputs.plan["search"]["rungs"][0])
    first = losses[losses["epoch"] == rung]
    curve = [row[curve_key(objective)] for row in found["curve"]]
    frame = budget.tidy(first, curve, objective)
    log = objective.lower_is_better and allows_log(frame["loss"])
    per_cell = material.inputs.has_cells
    panel = draw_panel(
        lambda ax: budget.draw(frame, ax, unit="trials of a cell" if per_cell else "trials", log=log),
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


def _by_level(found: Mapping[str, Any], rungs: list[int]) -> Table:
    columns = [
        Column(name="factor", is_number=False),
        Column(name="level", is_number=False),
        Column(name="trials"),
        *(Column(name=f"reached epoch {rung}") for rung in rungs),
        Column(name="went to the end", unit="%"),
        Column(name="failed"),
    ]
    rows = []
    for row in found["by_level"]:
        reached = [row["reached"][str(rung)] for rung in rungs]
        share = reached[-1] / row["trials"] if row["trials"] else None
        level = row["level"]
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
    return Table(
        caption="Search trials per rung and level", columns=columns, rows=rows, folded=len(rows) > 12
    )
