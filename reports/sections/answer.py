"""The answer: what was found, the best configuration with its scores, and four numbers."""

from collections.abc import Mapping
from typing import Any

from reports.results import OUTCOME
from reports.sections.section import Cell, Column, Material, Section, Table
from reports.words import (
    MISSING,
    count,
    decimals_for,
    difference_name,
    duration,
    factor_name,
    interval,
    level_name,
    number,
    percent,
    plural,
    small,
)


def answer(material: Material) -> Section:
    """What a reader takes away from the first screen."""
    report = material.report
    averaged = [row for row in report["contrasts"] if row["outcome"] == OUTCOME]
    context = {
        "sentences": [row["sentence"] for row in (*report["at_best"], *averaged) if row["sentence"]],
        "lede": _lede(material),
        "best": _best(report["best"]),
        "tiles": tiles(report["headline"]),
        "at_best": _lines(report["at_best"]),
        "averaged": _lines(averaged),
        "scope": _scope(material),
    }
    return Section(slug="answer", title="The answer", context=context)


def _lede(material: Material) -> str:
    """What was compared and what came out lowest, without a claim."""
    report, inputs = material.report, material.inputs
    best = report["best"]
    if best is None:
        return "Nothing has been found yet: no search trial has reached the last rung."
    what = describe(best["params"])
    if best["test_loss"] is None:
        return f"The search has its lowest validation loss so far at {what}; it is not confirmed yet."
    score = f"test log-loss of {spread(best, 'test_loss')} nats"
    if inputs.has_cells:
        return f"The lowest validation loss in the search is at {what}. Confirmed with fresh seeds, it has a {score}."
    default = next((each for each in report["confirmed"] if each["is_default"]), None)
    against = "" if default is None else f"; the stated default has {spread(default, 'test_loss')}"
    return f"Best found: {what}. Confirmed with fresh seeds, it has a {score}{against}."


def describe(params: Mapping[str, Any]) -> str:
    """A configuration in one line: "depth 3, dropout 0.1, batch norm on, Adam, learning rate 0.0042"."""
    parts = []
    for name, value in params.items():
        text = small(value) if isinstance(value, float) else level_name(value)
        alone = isinstance(value, str) and name in ("optimizer", "activation")
        parts.append(text if alone else f"{factor_name(name)} {text}")
    return ", ".join(parts)


def spread(scored: Mapping[str, Any], name: str, scale: float = 1) -> str:
    """A score, times `scale`, with its interval over blocks: "0.102 [0.096, 0.108]"."""
    if scored[name] is None:
        return MISSING
    value, (low, high) = scale * scored[name], scored[f"{name}_interval"]
    if low is None or high is None:
        return number(value)
    decimals = decimals_for(scale * (high - low) / 2)
    return f"{number(value, decimals)} [{number(scale * low, decimals)}, {number(scale * high, decimals)}]"


def _best(best: Mapping[str, Any] | None) -> dict[str, Any] | None:
    if best is None:
        return None
    columns = [
        Column(name="score", is_number=False),
        Column(name="log-loss", unit="nats"),
        Column(name="error", unit="%"),
    ]
    rows = [
        [
            Cell(text=name),
            Cell(text=spread(best, f"{part}_loss")),
            Cell(text=spread(best, f"{part}_error", 100)),
        ]
        for name, part in (("validation", "val"), ("test", "test"))
    ]
    caption = f"Its scores with fresh seeds: mean and 95 % interval over {plural(best['num_blocks'], 'block')}"
    params = [
        (factor_name(name), small(value) if isinstance(value, float) else level_name(value))
        for name, value in best["params"].items()
    ]
    confirmed = best["test_loss"] is not None
    return {
        "params": params,
        "table": Table(caption=caption, columns=columns, rows=rows) if confirmed else None,
    }


def tiles(headline: Mapping[str, Any]) -> list[tuple[str, str, str]]:
    """The four numbers: value, what it is, what it is made of."""
    return [
        (count(headline["networks"]), "networks trained", f"{count(headline['epochs'])} network-epochs"),
        (duration(headline["wall_seconds"]), "from start to end", "wall time of all runs"),
        (
            percent(headline["share_stopped"], 0),
            "of search trials stopped early",
            f"{count(headline['num_stopped'])} of {count(headline['num_search'])}",
        ),
        (
            percent(headline["share_unstable"], 1),
            "of confirmed networks unstable",
            f"{count(headline['num_unstable'])} of {count(headline['num_confirm'])}, "
            f"{count(headline['num_diverged'])} diverged",
        ),
    ]


def _lines(rows: list[Mapping[str, Any]]) -> list[dict[str, str]]:
    return [
        {
            "name": difference_name(row["factor"], _level(row["level_a"]), _level(row["level_b"])),
            "value": interval(row["estimate"], row["ci_low"], row["ci_high"]),
            "gate": row["gate"] or "",
        }
        for row in rows
    ]


def _level(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value


def _scope(material: Material) -> str:
    """What was compared, on what, for how long: stated under every answer."""
    plan, inputs = material.inputs.plan, material.inputs
    epochs = plural(int(plan["confirm"]["epochs"]), "epoch")
    blocks = plural(int(plan["replicates"]), "block")
    head = f"{plan['model'].upper()} on {plan['dataset']}, {epochs}, {blocks}"
    if not inputs.has_cells:
        return f"{head}; {plural(int(plan['search']['trials']), 'search trial')} over the whole space."
    cells = 1
    for levels in inputs.factors.values():
        cells *= len(levels)
    per_cell = plural(int(plan["search"]["trials_per_cell"]), "search trial")
    return f"{head}; {plural(cells, 'cell')}, {per_cell} each to tune the {_nuisances(plan)}."


def _nuisances(plan: Mapping[str, Any]) -> str:
    return ", ".join(factor_name(name) for name in plan["nuisances"]) or "nothing"
