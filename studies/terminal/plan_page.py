"""The plan of a recorded study, for the page of `studies show`."""

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from rich.console import Group, RenderableType

from reports.inputs.early_stopping import stops_early
from reports.inputs.measures import objective_of, outcome_measure
from reports.wording.words import factor_name
from studies.base.durations import format_duration
from studies.base.states import Phase
from studies.base.wording import configuration, count, counted, level, moment
from studies.database.rows import StudyRow
from studies.definition.plan_versions import older_rules
from studies.planning.plan_size import PlanSize
from studies.terminal.columns import column_lines
from studies.terminal.output import labelled, text

_UPPER_LIMITS = "networks may stop early (patience): epochs and times are upper limits"

MAX_COLUMNS = 30
"""Columns of a table that a plan shows; `studies data` shows all."""

Row = tuple[str, str | None]


def plan_page(study: StudyRow, folder: Path | None = None) -> RenderableType:
    """Return name, question and plan of a recorded study, a line or two for each role, and the folder of its files."""
    rows = [
        *_plan_rows(study.plan),
        ("plan", f"{study.plan_hash[:12]}, frozen {moment(study.created_at)}"),
        ("rules", older_rules(study.plan)),
        ("files", None if folder is None else str(folder)),
    ]
    return _page(study.name, study.question, rows)


def forecast_page(summary: Mapping[str, Any]) -> RenderableType:
    """Return a plan before anything runs, as `plan_summary` gives it: what would be trained, how long, how sure."""
    plan = summary["plan"]
    table = "\n".join(column_lines(summary["columns"], most=MAX_COLUMNS, width=80))
    at_most = f"; {_UPPER_LIMITS}" if summary["stops_early"] else ""
    rows = [
        *_plan_rows(plan),
        ("plan", summary["plan_hash"][:12]),
        ("rules", summary["older_rules"]),
        *(("told", note) for note in summary["data_notes"]),
        *map(_labelled_note, summary["given_up"]),
        ("epochs", f"about {_rounded(summary['expected_network_epochs']):,} of one network in all{at_most}"),
        *_prediction_rows(summary["prediction"], outcome_measure(plan).unit),
        ("gpu", summary["gpu_share"]),
    ]
    return _page(summary["study"], summary["question"], rows, table)


def _page(name: str, question: str, rows: Sequence[Row], table: str = "") -> RenderableType:
    given: list[tuple[str, RenderableType]] = [(label, content) for label, content in rows if content]
    tables: list[RenderableType] = [text(table), ""] if table else []
    return Group(text(name, "bold"), text(question), "", *tables, labelled(given))


def _plan_rows(plan: Mapping[str, Any]) -> list[Row]:
    """Return what is compared, tuned and held, on which data, and how much is trained for it."""
    nuisances = {name: _of_its_optimizers(form, plan) for name, form in plan["nuisances"].items()}
    size = PlanSize.of_record(plan)
    return [
        ("compared" if size.num_cells else "searched", _compared(plan)),
        ("tuned", "\n".join(f"{factor_name(name)} {_range(form)}" for name, form in nuisances.items())),
        ("held", configuration(plan["fixed"])),
        ("data", f"{plan['dataset']}, model {plan['model']}, seed {plan['seed']}"),
        ("read as", _read_as(plan)),
        ("search", _search(plan)),
        ("confirm", _confirm(plan)),
        ("size", f"{count(size.num_networks)} networks, {plan['replicates']} (replicates) in each trial"),
    ]


def _of_its_optimizers(form: Mapping[str, Any], plan: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return a range without the optimizers that the plan does not have."""
    if "choices" in form or "low" in form:
        return form
    optimizers = plan["factors"].get("optimizer") or [plan["fixed"].get("optimizer")]
    return {name: inner for name, inner in form.items() if name in optimizers} or form


def _labelled_note(note: str) -> Row:
    """Return a warning or a note under its own label, and else what was given up for a budget."""
    head, _, words = note.partition(": ")
    return (head, words) if head in ("warning", "note") else ("given up", note)


def _prediction_rows(prediction: Mapping[str, Any], unit: str) -> list[Row]:
    """Return time and interval width for the plan's replicates and others, and what that rests on."""
    others = "".join(
        f"\nwith {other['replicates']} replicates: {_forecast(other, unit)}"
        for other in prediction["alternatives"]
    )
    return [("time", f"{_forecast(prediction, unit)}{others}\npredicted from {prediction['source']}")]


def _forecast(predicted: Mapping[str, Any], unit: str) -> str:
    duration = f"about {format_duration(predicted['seconds'])}"
    widths = predicted["interval_half_width"]
    if not widths:
        return duration
    spans = ", ".join(f"{name} ±{width:.3f}" for name, width in widths.items())
    return f"{duration}; 95 % intervals {spans} {unit}".rstrip()


def _rounded(value: int) -> int:
    """Return a count rounded to two significant digits."""
    return value if value < 100 else round(value, 1 - int(math.log10(value)))


def _read_as(plan: Mapping[str, Any]) -> str:
    """Return how the user's own table is read.

    >>> _read_as({"target": "kind", "columns": {"id": "ignore"}, "header": False})
    'target kind, id ignore, no header'
    """
    return ", ".join(
        [
            *([f"target {plan['target']}"] if "target" in plan else []),
            *(f"{name} {kind}" for name, kind in plan.get("columns", {}).items()),
            *([] if plan.get("header", True) else ["no header"]),
            *(["labels that are spelled alike joined"] if plan.get("join_labels") else []),
        ]
    )


def _compared(plan: Mapping[str, Any]) -> str:
    lines = [
        f"{factor_name(name)} {', '.join(map(level, levels))}" for name, levels in plan["factors"].items()
    ]
    cells = PlanSize.of_record(plan).num_cells
    return "\n".join([*lines, f"every combination: {counted(cells, 'cell')}"] if cells else lines)


def _search(plan: Mapping[str, Any]) -> str:
    search = plan["search"]
    trials = counted(PlanSize.of_record(plan).trials[Phase.SEARCH], "trial")
    each = f", {search['trials_per_cell']} in each cell" if PlanSize.of_record(plan).num_cells else ""
    rungs = [str(rung) for rung in search["rungs"]]
    share = f"the best 1 in {search['reduction_factor']}"
    stops = (
        f"; of each cell ASHA keeps {share}"
        if PlanSize.of_record(plan).num_cells
        else f"; ASHA keeps {share}"
    )
    kept = f"{stops} at epoch {' and '.join(rungs[:-1])}" if len(rungs) > 1 else ""
    return f"{trials}{each}, proposed by {search['sampler'].upper()} for {objective_of(plan).title}{kept}"


def _confirm(plan: Mapping[str, Any]) -> str:
    trials = counted(PlanSize.of_record(plan).trials[Phase.CONFIRM], "trial")
    looks = f"; claims at {', '.join(map(str, plan['looks']))} blocks" if len(plan["looks"]) > 1 else ""
    epochs = f"{'up to ' if stops_early(plan) else ''}{plan['confirm']['epochs']}"
    return f"{trials} with fresh seeds and {epochs} epochs, none stopped{looks}"


def _range(form: Mapping[str, Any]) -> str:
    """Return a nuisance's range as text; ranges by optimizer are grouped where they are equal.

    >>> _range({"low": 0.001, "high": 0.1, "log": True})
    'from 0.001 to 0.1 (log scale)'
    """
    if "choices" in form:
        return f"one of {', '.join(map(level, form['choices']))}"
    if "low" in form:
        return (
            f"from {level(form['low'])} to {level(form['high'])}{' (log scale)' if form.get('log') else ''}"
        )
    optimizers: dict[str, list[str]] = {}
    for optimizer, own in form.items():
        optimizers.setdefault(_range(own), []).append(level(optimizer))
    return "; ".join(f"{range_} with {' and '.join(names)}" for range_, names in optimizers.items())
