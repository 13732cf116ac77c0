"""The table of every cell: its levels, what was chosen for it in the search, and the scores confirmed."""

from reports.inputs.cube import plain
from reports.inputs.measures import Measure
from reports.plots.style.marks import cell
from reports.results.best import score_columns
from reports.results.paged import anchor_of, paged_trials
from reports.sections.parts.section import Cell, Column, ReportContext, Table
from reports.wording.words import count, factor_name, number


def cells_table(report_context: ReportContext) -> Table:
    """Every cell: its levels, the scores confirmed, the objective of the search and the learning rate chosen there."""
    chosen, rows = report_context.results.chosen, report_context.results.rows
    factors, objective = list(report_context.inputs.factors), report_context.inputs.objective
    searched = report_context.inputs.trials.set_index("number")["objective"].astype(float)
    nuisances = [name for name in report_context.inputs.plan["nuisances"] if name in chosen]
    confirm = report_context.inputs.trials[report_context.inputs.trials["phase"] == "confirm"]
    cell_of = dict(zip(confirm["number"], confirm["cell"], strict=True))
    paged = set(paged_trials(report_context.inputs.trials))
    cells = rows["trial_number"].map(cell_of)
    shown = [
        (f"test_{name}", head, unit, scale)
        for name, head, unit, scale in score_columns(report_context.inputs)
    ]
    scores = rows.groupby(cells)[[*(name for name, *_ in shown), "failed"]].mean()
    # A cell has a confirm trial for each look; the first look's stands for it.
    pages = {of: number for number, of in sorted(cell_of.items(), reverse=True) if number in paged}
    columns = [
        Column(name="cell", unit="its\N{NO-BREAK SPACE}trial" if pages else ""),
        *(Column(name=factor_name(name), is_number=_numeric(report_context, name)) for name in factors),
        *(Column(name=f"test {head}", unit=unit) for _, head, unit, _ in shown),
        Column(name="failed", unit="%"),
        Column(name=f"{objective.title} in the search", unit=objective.unit),
        *(Column(name=factor_name(name)) for name in nuisances),
    ]
    table = []
    records = chosen.to_dict("records")
    for record in records:
        found = scores.loc[record["cell"]] if record["cell"] in scores.index else None
        failed = None if found is None else float(found["failed"])
        table.append(
            [
                Cell(
                    text=count(record["cell"]),
                    value=float(record["cell"]),
                    trial=pages.get(record["cell"]),
                ),
                *(_level_cell(report_context, name, record[name]) for name in factors),
                *(
                    _score_cell(None if found is None or failed == 1 else float(found[name]), scale)
                    for name, _, _, scale in shown
                ),
                Cell(text=number(None if failed is None else 100 * failed, 0), value=failed),
                _score_cell(
                    _unless_failed(objective, float(searched[record["trial_number"]])),
                    100 if objective.is_share else 1,
                ),
                *(Cell(text=f"{record[name]:.2g}", value=float(record[name])) for name in nuisances),
            ]
        )
    return Table(
        caption="Every cell",
        columns=columns,
        rows=table,
        folded=True,
        of=[cell(record["cell"]) for record in records],
        anchors=[anchor_of(cell=int(record["cell"]), number=0) for record in records],
    )


def _unless_failed(objective: Measure, value: float) -> float | None:
    return None if objective.is_failure(value) else value


def _score_cell(value: float | None, scale: float) -> Cell:
    """A score; one that is shown in percent has one decimal."""
    return Cell(text=number(None if value is None else scale * value, 3 if scale == 1 else 1), value=value)


def _numeric(report_context: ReportContext, factor: str) -> bool:
    levels = report_context.inputs.factors[factor]
    return all(isinstance(level, int | float) and not isinstance(level, bool) for level in levels)


def _level_cell(report_context: ReportContext, factor: str, level: object) -> Cell:
    value = float(level) if isinstance(level, int | float) else None
    return Cell(text=report_context.theme.style(factor, plain(level)).name, value=value)
