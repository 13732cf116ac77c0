"""The table of every level at its best cell: the cell, its scores, and in per cent right where networks classify."""

from reports.inputs.cube import plain
from reports.plots.style.marks import levels as levels_of
from reports.results.best import describe, score_columns
from reports.sections.parts.section import Cell, Column, ReportContext, Table
from reports.wording.words import level_phrase, number, plural


def levels_table(report_context: ReportContext) -> Table:
    """Every level, the cell that the search selected for it, and its mean test scores over the first blocks."""
    inputs, results = report_context.inputs, report_context.results
    factors = {name: levels for name, levels in inputs.factors.items() if len(levels) > 1}
    chosen, rows = results.chosen, results.rows
    shown = [(f"test_{name}", head, unit, scale) for name, head, unit, scale in score_columns(inputs)]
    columns = [
        Column(name="level", is_number=False),
        *(Column(name=_head(name, head, inputs.own), unit=unit) for name, head, unit, _ in shown),
        Column(name="at its best cell", is_number=False),
    ]
    table, owners = [], []
    for factor, levels in factors.items():
        for level in levels:
            there = (
                chosen[[plain(value) == plain(level) for value in chosen[factor]]] if len(chosen) else chosen
            )
            if there.empty:
                continue
            top = there.sort_values(["objective", "trial_number"]).iloc[0]
            cell = {name: plain(top[name]) for name in inputs.factors}
            mine = rows
            for name, value in cell.items():
                mine = mine[[plain(each) == value for each in mine[name]]]
            owners.append(levels_of(factor, level))
            table.append(
                [
                    Cell(text=level_phrase(factor, plain(level))),
                    *(
                        _score(mine[name].mean() if len(mine) else None, name, scale, inputs.own)
                        for name, _, _, scale in shown
                    ),
                    Cell(text=describe({name: value for name, value in cell.items() if name != factor})),
                ]
            )
    num = int(rows["block"].nunique()) if len(rows) else 0
    first = ", those of the first look" if results.look.number > 1 else ""
    caption = f"Each level at its best cell: means over {plural(num, 'block')}{first}"
    return Table(
        caption=caption,
        columns=columns,
        rows=table,
        folded=len(table) > 14,
        of=owners,
    )


def _head(name: str, head: str, own: object) -> str:
    return "right answers" if name == "test_error" and not own else f"test {head}"


def _score(value: float | None, name: str, scale: float, own: object) -> Cell:
    """A mean score; an error as what is right."""
    if value is not None and name == "test_error" and not own:
        value = 1 - value
    return Cell(text=number(None if value is None else scale * value, 3 if scale == 1 else 1), value=value)
