"""The table of the cells that the search selected for each comparison at best, and how firmly."""

from reports.inputs.cube import plain
from reports.results.best import describe
from reports.sections.parts.section import Cell, Column, ReportContext, Table
from reports.sections.parts.tables import owner_of
from reports.wording.words import MISSING, count, decimals_between, difference_name, number, percent


def selection_table(report_context: ReportContext) -> Table:
    """For each difference at best its two cells, how often another is selected, and the intervals with and without."""
    outcome, found = report_context.inputs.outcome, report_context.report["selection"]
    columns = [
        Column(name="difference", is_number=False),
        Column(name="cell of the later level", is_number=False),
        Column(name="another selected", unit="% of draws"),
        Column(name="cell of the earlier level", is_number=False),
        Column(name="another selected", unit="% of draws"),
        Column(name="95 % interval, these cells", unit=outcome.unit),
        Column(name="with the selection", unit=outcome.unit),
        Column(name="times as wide"),
    ]
    rows = [] if found is None else found["rows"]
    cells = {
        (row["factor"], row["level_a"], row["level_b"]): (row["best_a"], row["best_b"])
        for row in report_context.results.at_best.to_dict("records")
        if row["outcome"] == outcome.name
    }
    table, owners = [], []
    for row in rows:
        if row["outcome"] != outcome.name:
            continue
        levels = plain(row["level_a"]), plain(row["level_b"])
        first, second = cells[row["factor"], *levels]
        owners.append(owner_of(row))
        table.append(
            [
                Cell(text=difference_name(row["factor"], *levels)),
                Cell(text=describe(second)),
                _share(row["share_other_b"]),
                Cell(text=describe(first)),
                _share(row["share_other_a"]),
                _interval(row["fixed_low"], row["fixed_high"]),
                _interval(row["low"], row["high"]),
                Cell(text=number(row["width_ratio"], 2), value=row["width_ratio"]),
            ]
        )
    draws = "" if found is None else f", in {count(found['num_draws'])} bootstrap draws of its blocks"
    caption = f"The cells that the search selected{draws}, with no adjustment"
    return Table(caption=caption, columns=columns, rows=table, folded=True, of=owners)


def _share(share: float | None) -> Cell:
    return Cell(text=percent(share, 0).removesuffix("%").strip(), value=share)


def _interval(low: float | None, high: float | None) -> Cell:
    if low is None or high is None:
        return Cell(text=MISSING)
    places = decimals_between(low, high)
    return Cell(text=f"{number(low, places)} to {number(high, places)}", value=high - low)
