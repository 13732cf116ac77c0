"""The plan of a recorded study, for the page of `studies show`."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rich.console import Group, RenderableType

from reports.inputs.measures import objective_of
from reports.wording.words import factor_name
from studies.base.states import Phase
from studies.base.wording import configuration, count, counted, level, moment
from studies.database.rows import StudyRow
from studies.definition.plan_versions import older_rules
from studies.terminal.output import labelled, text
from studies.terminal.planned import num_cells, planned_networks, planned_trials


def plan_page(study: StudyRow, folder: Path | None = None) -> RenderableType:
    """Return name, question and plan, a line or two for each role, and the folder of its files."""
    plan = study.plan
    rows = [
        ("searched" if plan["search"]["trials"] else "compared", _compared(plan)),
        (
            "tuned",
            "\n".join(f"{factor_name(name)} {_range(form)}" for name, form in plan["nuisances"].items()),
        ),
        ("held", configuration(plan["fixed"])),
        ("data", f"{plan['dataset']}, model {plan['model']}, seed {plan['seed']}"),
        ("read as", _read_as(plan)),
        ("search", _search(plan)),
        ("confirm", _confirm(plan)),
        (
            "size",
            f"{count(planned_networks(plan))} networks, {plan['replicates']} (replicates) in each trial",
        ),
        ("plan", f"{study.plan_hash[:12]}, frozen {moment(study.created_at)}"),
        ("rules", older_rules(plan)),
        ("files", None if folder is None else str(folder)),
    ]
    given: list[tuple[str, RenderableType]] = [(label, content) for label, content in rows if content]
    return Group(text(study.name, "bold"), text(study.question), "", labelled(given))


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
    cells = num_cells(plan)
    return "\n".join([*lines, f"every combination: {counted(cells, 'cell')}"] if cells else lines)


def _search(plan: Mapping[str, Any]) -> str:
    search = plan["search"]
    trials = counted(planned_trials(plan)[Phase.SEARCH], "trial")
    each = f", {search['trials_per_cell']} in each cell" if num_cells(plan) else ""
    rungs = [str(rung) for rung in search["rungs"]]
    share = f"the best 1 in {search['reduction_factor']}"
    stops = f"; of each cell ASHA keeps {share}" if num_cells(plan) else f"; ASHA keeps {share}"
    kept = f"{stops} at epoch {' and '.join(rungs[:-1])}" if len(rungs) > 1 else ""
    return f"{trials}{each}, proposed by {search['sampler'].upper()} for {objective_of(plan).title}{kept}"


def _confirm(plan: Mapping[str, Any]) -> str:
    trials = counted(planned_trials(plan)[Phase.CONFIRM], "trial")
    looks = f"; claims at {', '.join(map(str, plan['looks']))} blocks" if len(plan["looks"]) > 1 else ""
    return f"{trials} with fresh seeds and {plan['confirm']['epochs']} epochs, none stopped{looks}"


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
