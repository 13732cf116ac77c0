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


def forecast_page(summary: Mapping[str, Any], *, layers: bool = False) -> RenderableType:
    """Return a plan before anything runs, as `plan_summary` gives it: what would be trained, how long, how sure.

    With `layers` those of the largest network are below.
    """
    plan = summary["plan"]
    table = "\n".join(column_lines(summary["columns"], most=MAX_COLUMNS, width=80))
    at_most = f"; {_UPPER_LIMITS}" if summary["stops_early"] else ""
    to_where = "in all" if summary["prediction"]["later_looks"] is None else "to the first look"
    rows = [
        *_plan_rows(plan),
        ("plan", summary["plan_hash"][:12]),
        ("rules", summary["older_rules"]),
        *(("told", note) for note in summary["data_notes"]),
        *map(_labelled_note, summary["given_up"]),
        ("networks", _parameters(summary["parameters"])),
        (
            "epochs",
            f"about {_rounded(summary['expected_network_epochs']):,} of one network {to_where}{at_most}",
        ),
        *_prediction_rows(summary["prediction"], outcome_measure(plan).unit),
        ("looks", _looks(summary["prediction"]["later_looks"])),
        ("gpu", summary["gpu_share"]),
    ]
    page = _page(summary["study"], summary["question"], rows, table)
    if not layers:
        return page
    told = summary["layers"] or "A training loop of one's own makes its networks itself."
    return Group(page, "", text(told))


def _parameters(sizes: Sequence[int] | None) -> str | None:
    if sizes is None:
        return None
    fewest, most = sizes
    same = f"{most:,} parameters each" if fewest == most else f"{fewest:,} to {most:,} parameters"
    return f"{same} (their layers: --architecture)"


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
        ("size", _size(size, plan)),
    ]


def _size(size: PlanSize, plan: Mapping[str, Any]) -> str:
    """Return how many networks are trained: of several looks those of the first, and the most that others add."""
    if not size.most_more:
        return f"{count(size.num_networks)} networks, {plan['replicates']} (replicates) in each trial"
    return (
        f"{count(size.first_networks)} networks to the first look, {plan['replicates']} (replicates) in each trial; at "
        f"most {count(size.most_more)} more"
    )


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
    later = prediction["later_looks"]
    looks = ""
    if later is not None:
        most = format_duration(prediction["seconds"] + later["most_seconds"])
        looks = f" at the first look\nat most {most} if no question closes before the last look"
    return [("time", f"{_forecast(prediction, unit)}{looks}{others}\npredicted from {prediction['source']}")]


_TOLD = (0.0, 0.5)
"""True differences that the page tells chances for, in smallest effects: where levels are equal, and the slowest."""


def _looks(later: Mapping[str, Any] | None) -> str | None:
    """Return the chance that each question is closed by each look, and how many networks later looks may need."""
    if later is None:
        return None
    if not later["questions"]:
        return "how soon questions are answered is unknown until a study like it has run"
    head = "chance in % that a question is answered by each look"
    rows = [_chances(question) for question in later["questions"]]
    rows.insert(0, ("if the true difference is", "none", "half the smallest effect"))
    widths = [max(len(row[place]) for row in rows) for place in range(2)]
    table = [f"{first:<{widths[0]}}  {second:<{widths[1]}}  {third}" for first, second, third in rows]
    lines = [head, *table, "(half the smallest effect takes longest to answer)"]
    more = {each["true_difference"]: _rounded(round(each["networks"])) for each in later["expected_networks"]}
    if more:
        none, half = (f"{more[told]:,}" for told in _TOLD)
        lines.append(f"later looks train about {none} networks if all are none, {half} if all are half")
    return "\n".join(lines)


def _chances(question: Mapping[str, Any]) -> tuple[str, str, str]:
    closed = {each["true_difference"]: each["closed_by_look"] for each in question["chances"]}
    none, half = (" ".join(map(_percent, closed[told])) for told in _TOLD)
    levels = f"{level(question['level_b'])} against {level(question['level_a'])}"
    return f"{factor_name(question['factor'])} {levels}", none, half


def _percent(chance: float) -> str:
    """Return a simulated chance in whole per cent; one that is not quite certain is not called so.

    >>> _percent(0.123), _percent(0.999), _percent(1.0)
    ('12', '>99', '>99')
    """
    return ">99" if chance > 0.99 else "<1" if chance < 0.01 else f"{100 * chance:.0f}"


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
    size, looks = PlanSize.of_record(plan), ""
    trials = counted(size.trials[Phase.CONFIRM], "trial")
    if len(plan["looks"]) > 1:
        trials = f"{counted(size.num_cells, 'trial')} to the first look,"
        looks = f"; looks at {', '.join(map(str, plan['looks']))} blocks"
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
