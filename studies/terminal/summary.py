"""A plan's sizes and predicted time, as plain data and as lines to read before it runs."""

import math
import textwrap
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from reports.inputs.early_stopping import stops_early
from reports.inputs.measures import outcome_measure
from studies.definition.plan_versions import older_rules
from studies.forecast.forecast import Prediction
from studies.planning.plan import Plan
from studies.terminal.columns import column_lines, column_rows

if TYPE_CHECKING:
    from trainables.data.dataset import Dataset

WIDTH = 80

MAX_COLUMNS = 30
"""Most columns of a table that a plan shows; `studies data` shows all."""

_UPPER_LIMITS = "networks may stop early (patience): epochs and times are upper limits"


def plan_summary(
    plan: Plan,
    prediction: Prediction,
    given_up: Sequence[str] = (),
    *,
    gpu_share: str | None = None,
    dataset: "Dataset | None" = None,
) -> dict[str, Any]:
    """Return a plan's name, hash, sizes, prediction and content as plain data.

    `stops_early` says whether networks may stop before the last epoch, so that epochs and times are upper limits;
    `given_up` lists what was cut to fit a budget, warnings and notes; `gpu_share` is the part of a GPU that a trial
    needs, if known; `older_rules` names the rules of a study recorded under an earlier plan version; `columns` are
    those of a user's own table; `data_notes` are the decisions made while the data was read.
    `expected_network_epochs` uses the mean number of trials that ASHA keeps.
    """
    study = plan.study
    return {
        "study": plan.name,
        "question": study.question,
        "plan_hash": plan.hash,
        "cells": len(plan.cells),
        "search_trials": plan.num_search_trials,
        "confirm_trials": plan.num_confirm_trials,
        "trials": plan.num_search_trials + plan.num_confirm_trials,
        "replicates": study.replicates,
        "networks": plan.num_networks,
        "rungs": list(study.search.rungs),
        "epochs": study.confirm.epochs,
        "max_network_epochs": plan.max_network_epochs,
        "expected_network_epochs": round(plan.expected_network_epochs),
        "prediction": {
            **_predicted(prediction),
            "source": prediction.source,
            "alternatives": [_predicted(other) for other in prediction.alternatives],
        },
        "stops_early": stops_early(plan.to_dict()),
        "given_up": list(given_up),
        "gpu_share": gpu_share,
        "older_rules": older_rules(plan.to_dict()),
        "columns": [] if dataset is None else column_rows(dataset.columns),
        "data_notes": [] if dataset is None else list(dataset.notes),
        "plan": plan.to_dict(),
    }


def _predicted(prediction: Prediction) -> dict[str, Any]:
    widths = {name: round(width, 4) for name, width in prediction.half_widths.items() if math.isfinite(width)}
    return {
        "replicates": prediction.replicates,
        "seconds": round(prediction.seconds),
        "interval_half_width": widths,
    }


def plan_lines(summary: Mapping[str, Any]) -> list[str]:
    """Return the summary as lines of at most 80 characters."""
    plan, search = summary["plan"], summary["plan"]["search"]
    cells = f"{summary['cells']} cells, " if summary["cells"] else "no cells: factors are searched too, "
    replicates = f"{summary['replicates']} replicates a trial"
    if len(plan["looks"]) > 1:
        replicates += f"; looks at {_list(plan['looks'])} blocks, one each time the command is given"
    return [
        *textwrap.wrap(summary["question"], WIDTH),
        "",
        *_row("study", f"{summary['study']}  (plan {summary['plan_hash'][:12]})"),
        *_row("data", f"{plan['dataset']}, model {plan['model']}, objective {plan['objective']}"),
        *column_lines(summary["columns"], most=MAX_COLUMNS, width=WIDTH),
        *(line for note in summary["data_notes"] for line in _row("told", note)),
        *_block("factors", {name: _list(levels) for name, levels in plan["factors"].items()}),
        *_block("nuisances", {name: _range(_used(form, plan)) for name, form in plan["nuisances"].items()}),
        *_block("fixed", {name: _text(value) for name, value in plan["fixed"].items()}),
        *_row(
            "search",
            f"{cells}{summary['search_trials']} trials proposed by {search['sampler']}, {_stops(summary)}",
        ),
        *_row(
            "confirm",
            f"{summary['confirm_trials']} trials with fresh seeds, {_up_to(summary)}{summary['epochs']} epochs, "
            f"none stopped by ASHA",
        ),
        *_row(
            "size",
            f"{summary['networks']:,} networks ({replicates}), "
            f"about {_rounded(summary['expected_network_epochs']):,} epochs of one network",
        ),
        *(_row("", _UPPER_LIMITS) if summary["stops_early"] else []),
        *_row("rules", summary["older_rules"] or ""),
        *(line for text in summary["given_up"] for line in _noted(text)),
        *_prediction_lines(summary["prediction"], outcome_measure(plan).unit),
        *_row("gpu", summary["gpu_share"] or ""),
    ]


def _stops(summary: Mapping[str, Any]) -> str:
    """Return at which epochs ASHA stops trials: at every rung but the last, where all end."""
    *between, last = summary["rungs"]
    if not between:
        return f"none stopped by ASHA, {last} {'epoch' if last == 1 else 'epochs'}"
    share = summary["plan"]["search"]["reduction_factor"]
    return f"stopped by ASHA after epochs {_list(between)} (the best 1/{share} go on), {last} epochs at most"


def _noted(text: str) -> list[str]:
    for head in ("warning", "note"):
        if text.startswith(f"{head}: "):
            return _row(head, text.removeprefix(f"{head}: "))
    return _row("given up", text)


def _up_to(summary: Mapping[str, Any]) -> str:
    return "up to " if summary["stops_early"] else ""


def _prediction_lines(prediction: Mapping[str, Any], unit: str) -> list[str]:
    """Return time and interval widths for the plan's and other numbers of replicates, and what they rest on."""
    lines = _row("time", _forecast(prediction, unit))
    for other in prediction["alternatives"]:
        lines += _row("", f"with {other['replicates']} replicates: {_forecast(other, unit)}")
    return [*lines, *_row("", f"predicted from {prediction['source']}")]


def _forecast(predicted: Mapping[str, Any], unit: str) -> str:
    text = f"about {_told(predicted['seconds'])}"
    widths = predicted["interval_half_width"]
    if not widths:
        return text
    spans = ", ".join(f"{name} ±{width:.3f}" for name, width in widths.items())
    return f"{text}; 95 % intervals {spans} {unit}".rstrip()


def _told(seconds: float) -> str:
    """Return a time in the unit that suits it.

    >>> _told(95), _told(600), _told(11_000), _told(40_000_000)
    ('95 s', '10 min', '3.1 h', '463 days')
    """
    minutes = seconds / 60
    if minutes < 2:
        return f"{_rounded(round(seconds))} s"
    if minutes < 180:
        return f"{minutes:.0f} min"
    return f"{minutes / 60:.1f} h" if minutes < 72 * 60 else f"{minutes / 1440:.0f} days"


def _block(title: str, entries: Mapping[str, str]) -> list[str]:
    width = max(map(len, entries), default=0)
    return [
        line
        for place, (name, text) in enumerate(entries.items())
        for line in _row("" if place else title, text, name=f"{name:<{width}}  ")
    ]


def _row(head: str, text: str, *, name: str = "") -> list[str]:
    """Return a labelled text as lines; later lines are indented to the start of the first."""
    first = f"{head:<10} {name}"
    return textwrap.wrap(text, WIDTH, initial_indent=first, subsequent_indent=" " * len(first))


def _list(values: list[Any]) -> str:
    return ", ".join(map(_text, values))


def _text(value: Any) -> str:
    return (
        {True: "on", False: "off", None: "none"}[value]
        if value is None or isinstance(value, bool)
        else str(value)
    )


def _used(form: Mapping[str, Any], plan: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return a range by optimizer without the optimizers that the plan does not use."""
    if "choices" in form or "low" in form:
        return form
    optimizers = plan["factors"].get("optimizer") or [plan["fixed"].get("optimizer")]
    return {name: inner for name, inner in form.items() if name in optimizers} or form


def _range(form: Mapping[str, Any]) -> str:
    if "choices" in form:
        return _list(form["choices"])
    if "low" in form:
        return f"{form['low']:g} to {form['high']:g}{', log scale' if form['log'] else ''}"
    return "; ".join(f"{_range(inner)} for {name}" for name, inner in form.items())


def _rounded(value: int) -> int:
    """Return a count rounded to two significant digits."""
    return value if value < 100 else round(value, 1 - int(math.log10(value)))
