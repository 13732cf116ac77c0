"""The table of failed networks by level: lost, capped, and both with their interval."""

from reports.plots.style.marks import levels
from reports.sections.parts.section import Cell, Column, ReportContext, Table, several
from reports.wording.words import MISSING, count, factor_name, level_name, number


def failures_table(report_context: ReportContext) -> Table:
    """Open where levels differ in failed networks, for then it is read before losses; else folded."""
    found = report_context.report["failures"]
    columns = [
        Column(name="factor", is_number=False),
        Column(name="level", is_number=False),
        Column(name="networks"),
        Column(name="diverged or failed"),
        Column(name="no better than a failure" if report_context.inputs.own else "at chance, capped"),
        Column(name="both", unit="%"),
        Column(name="95 % interval", unit="%"),
    ]
    shown = [row for row in found["by_level"] if row["factor"] in several(report_context.inputs.factors)]
    rows = [
        [
            Cell(text=factor_name(row["factor"])),
            Cell(text=level_name(tuple(row["level"]) if isinstance(row["level"], list) else row["level"])),
            Cell(text=count(row["num"]), value=row["num"]),
            Cell(text=count(row["lost"]), value=row["lost"]),
            Cell(text=count(row["capped"]), value=row["capped"]),
            Cell(text=number(100 * row["share"], 1), value=row["share"]),
            _interval(row["low"], row["high"]),
        ]
        for row in shown
    ]
    caption = "Failed networks by level, compared first" if found["first"] else "Failed networks by level"
    owners = [levels(row["factor"], row["level"]) for row in shown]
    folded = not found["first"] or len(rows) > 12
    return Table(caption=caption, columns=columns, rows=rows, folded=folded, of=owners)


def _interval(low: float | None, high: float | None) -> Cell:
    """The ends of a share in percent; a dash where one block has all its networks."""
    if low is None or high is None:
        return Cell(text=MISSING)
    return Cell(text=f"{number(100 * low, 1)} to {number(100 * high, 1)}", value=high - low)
