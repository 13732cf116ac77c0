"""Two studies side by side, as plain data: plans, shared contrasts, best configurations, budgets and verdicts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from reports.inputs.inputs import ReportInputs
from reports.pages.json_report import json_report, json_value
from reports.results.looks import first_look
from reports.results.results import compute
from reports.wording.phrases import listed
from reports.wording.words import factor_name, plural

FAMILIES = {"at_best": "each at its best cell", "contrasts": "averaged over the other factors"}
SHOWN = (
    "estimate",
    "ci_low",
    "ci_high",
    "simultaneous_low",
    "simultaneous_high",
    "num_blocks",
    "gate",
    "sentence",
)
OLDER = ("p_holm",)
"""What contrasts of plans of versions 1 and 2 have beside these."""
KEPT = (
    "study",
    "question",
    "state",
    "plan_hash",
    "older_rules",
    "created_at",
    "generated_at",
    "found",
    "headline",
    "best",
    "look",
)


def side_by_side(inputs_a: ReportInputs, inputs_b: ReportInputs) -> dict[str, Any]:
    """What comparison.json holds.

    - `studies`: for each study what its report opens with, its budget, and its verdicts after training (`verdicts`)
    - `differences`: field, a, b for every field in which the plans differ
    - `same_factors`: whether both compare the same factors at the same levels
    - `shared`: contrasts that both have: family, factor, level_a, level_b, and a and b with the numbers of each
    - `only`: how many contrasts only one of the two has
    - `scope`: the sentence that says what may be read across the two columns

    Raises AccountingError where a record contradicts itself.
    """
    both = (inputs_a, inputs_b)
    reports = [json_report(inputs, compute(inputs)) for inputs in both]
    shared, only = _contrasts(reports, inputs_a.outcome.name)
    same = _levels(inputs_a) == _levels(inputs_b) and inputs_a.has_cells and inputs_b.has_cells
    own = {"own": [[inputs.own != [], asdict(inputs.outcome)] for inputs in both]}
    record = {
        "studies": [_summary(inputs, report) for inputs, report in zip(both, reports, strict=True)],
        "differences": differences(inputs_a.plan, inputs_b.plan),
        "same_factors": same,
        "shared": shared,
        "only": only,
        "scope": _scope(same, shared),
        **(own if inputs_a.own or inputs_b.own else {}),
    }
    plain: dict[str, Any] = json_value(record)
    return plain


def _levels(inputs: ReportInputs) -> dict[str, tuple[Any, ...]]:
    return {name: tuple(levels) for name, levels in inputs.factors.items()}


def _summary(inputs: ReportInputs, report: Mapping[str, Any]) -> dict[str, Any]:
    plan, counts = inputs.plan, report["accounting"]
    described = first_look(inputs).replicates
    confirm = described[described["phase"] == "confirm"]
    verdicts = confirm["verdict_trained"].dropna().value_counts()
    return {
        **{name: report[name] for name in KEPT},
        "answer": report["answer"],
        "has_cells": inputs.has_cells,
        "data": plan["dataset"],
        "model": plan["model"],
        "epochs_each": plan["confirm"]["epochs"],
        "networks": counts["networks"],
        "epochs": counts["epochs"],
        "planned": counts["planned"],
        "ended": counts["complete"] + counts["pruned"] + counts["failed"],
        "wall_seconds": inputs.seconds.get("wall"),
        "busy_seconds": counts["seconds"],
        "verdicts": {str(name): int(num) for name, num in sorted(verdicts.items())},
        "num_judged": int(verdicts.sum()),
    }


def differences(plan_a: Mapping[str, Any], plan_b: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Fields in which two plans differ, dotted: field, a, b; None where a plan lacks it."""
    flat_a, flat_b = _flat(plan_a), _flat(plan_b)
    fields = [*flat_a, *(name for name in flat_b if name not in flat_a)]
    return [
        {"field": name, "a": flat_a.get(name), "b": flat_b.get(name)}
        for name in fields
        if flat_a.get(name) != flat_b.get(name)
    ]


def _flat(values: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in values.items():
        found |= (
            _flat(value, f"{prefix}{name}.") if isinstance(value, Mapping) else {f"{prefix}{name}": value}
        )
    return found


def _contrasts(reports: Sequence[Mapping[str, Any]], outcome: str) -> tuple[list[dict[str, Any]], list[int]]:
    """The contrasts of the outcome that both have, and how many each has alone."""
    shared, only = [], [0, 0]
    for family in FAMILIES:
        first, second = (
            {_key(row): row for row in report[family] if row["outcome"] == outcome} for report in reports
        )
        shared += [_pair(family, row, second[key]) for key, row in first.items() if key in second]
        only[0] += len(first.keys() - second.keys())
        only[1] += len(second.keys() - first.keys())
    return shared, only


def _key(row: Mapping[str, Any]) -> tuple[str, str, str]:
    return row["factor"], repr(row["level_a"]), repr(row["level_b"])


def _pair(family: str, row_a: Mapping[str, Any], row_b: Mapping[str, Any]) -> dict[str, Any]:
    named = {name: row_a[name] for name in ("factor", "level_a", "level_b")}
    a, b = ({name: row[name] for name in (*SHOWN, *OLDER) if name in row} for row in (row_a, row_b))
    return {"family": family, **named, "a": a, "b": b}


def _scope(same: bool, shared: Sequence[Mapping[str, Any]]) -> str:
    """What the page may be read for."""
    if same:
        head = (
            "Both compare the same levels of the same factors, so their differences stand beside each other."
        )
    elif shared:
        names = dict.fromkeys(factor_name(row["factor"]) for row in shared)
        pairs = plural(len({_key(row) for row in shared}), "comparison")
        head = (
            f"They share {pairs}, of {listed([*names])}; the other factors and levels of each are its own, and an "
            "average over other cells is another average."
        )
    else:
        head = "They share no comparison, so their best configurations, budgets and verdicts stand beside each other."
    return (
        f"{head} Nothing is tested between the two studies: their networks are not paired, so a difference between "
        "the columns is described, and a claim about it would need one study with both."
    )
