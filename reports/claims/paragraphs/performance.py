"""Second paragraph: failures, the best configuration, levels at their best, and averages or what they depend on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from reports.claims.answers import AT_BEST, AVERAGED, Said
from reports.claims.line_to_beat import LineToBeat
from reports.claims.paragraphs.differences import differences
from reports.claims.paragraphs.paragraph import Line, Paragraph, paragraph
from reports.inputs.cube import plain
from reports.inputs.early_stopping import stops_early
from reports.inputs.inputs import ReportInputs
from reports.inputs.measures import Measure
from reports.results.best import nothing_to_take, spread
from reports.results.looks import looks_until_clear
from reports.results.optimism import optimism_record
from reports.results.results import Results
from reports.statistics.budget_curve import expected_best
from reports.statistics.contrasts import contrasts
from reports.statistics.effects import failure_contrasts, failure_rates, failures_first
from reports.wording.phrases import condition, configuration, counted, listed
from reports.wording.words import count, factor_name, percent, small


def performance(
    inputs: ReportInputs,
    results: Results,
    best: Mapping[str, Any] | None,
    confirmed: Sequence[Mapping[str, Any]],
    at_best: Sequence[Said],
    averaged: Sequence[Said],
    line: LineToBeat | None = None,
) -> Paragraph:
    """What was found: gated sentences and plain description, nothing else."""
    epochs, stop_early = int(inputs.plan["confirm"]["epochs"]), stops_early(inputs.plan)
    return paragraph(
        [
            failures(inputs, results),
            _best(inputs, best),
            _optimism(inputs, results, best),
            _line_to_beat(line),
            *differences(
                at_best,
                AT_BEST,
                epochs,
                inputs.outcome,
                stop_early=stop_early,
                looks=looks_until_clear(inputs.plan),
            ),
            *differences(averaged, AVERAGED, epochs, inputs.outcome, stop_early=stop_early),
            None if inputs.has_cells else _default(confirmed, inputs.outcome),
            None if inputs.has_cells else _budget(inputs),
        ]
    )


def failures(inputs: ReportInputs, results: Results) -> Line | None:
    """Failed networks by the factor whose levels differ most in them; None where no levels differ."""
    if not inputs.has_cells or results.rows.empty:
        return None
    tables = {factor: failure_rates(results.rows, [factor]) for factor in inputs.factors}
    differing = {factor: rates for factor, rates in tables.items() if failures_first(rates)}
    if not differing:
        return None
    factor = max(
        differing, key=lambda name: float(differing[name]["share"].max() - differing[name]["share"].min())
    )
    rates = differing[factor]
    parts = [f"{percent(row['share'])} {condition(factor, plain(row[factor]))}" for row in _records(rates)]
    return Line(
        text="Failures come first, for a mean over a few failed networks misleads: networks that diverged, failed "
        f"or did no better than {'a failure' if inputs.own else 'chance'} are {listed(parts)}.",
        numbers=[list(rates["share"]), list(inputs.factors[factor])],
    )


def _records(frame: Any) -> list[dict[str, Any]]:
    return [{str(name): value for name, value in row.items()} for row in frame.to_dict("records")]


def _best(inputs: ReportInputs, best: Mapping[str, Any] | None) -> Line | None:
    if best is None or (best[inputs.outcome.name] is None and not nothing_to_take(best)):
        return None
    params = {name: value for name, value in best["params"].items() if name in inputs.factors}
    others = {name: value for name, value in best["params"].items() if name not in inputs.factors}
    tuned = [
        f"{factor_name(name)} {small(value) if isinstance(value, float) else value}"
        for name, value in others.items()
    ]
    what = ", ".join(part for part in [configuration(params), *tuned] if part)
    blocks = counted(best["num_blocks"], "block", "blocks")
    objective = inputs.objective
    head = f"The configuration with the {objective.extreme} validation {objective.kind} is {what}"
    if nothing_to_take(best):
        return Line(
            text=f"{head}, and each of its networks, in {blocks}, {inputs.outcome.said_of_failures}.",
            numbers=[dict(best)],
        )
    ends = [] if inputs.own else [best["test_error"], *best["test_error_interval"]]
    return Line(
        text=f"{head}: over {blocks} {_scores(inputs, best)}.",
        numbers=[dict(best), *(100 * value for value in ends if value is not None)],
    )


def _scores(inputs: ReportInputs, best: Mapping[str, Any]) -> str:
    """The best configuration's scores on the test part."""
    if not inputs.own:
        error = f"its test error {spread(best, 'test_error', 100)} %"
        return f"its test log-loss is {spread(best, 'test_loss')} nats and {error}"
    told = [
        f"its {each.title} {'' if place else 'is '}{spread(best, each.name)} {each.unit}".rstrip()
        for place, each in enumerate(inputs.own)
    ]
    return listed(told)


def _optimism(inputs: ReportInputs, results: Results, best: Mapping[str, Any] | None) -> Line | None:
    found = optimism_record(inputs, results, best)
    return None if found is None else Line(text=found["sentence"], numbers=found["numbers"])


def _line_to_beat(line: LineToBeat | None) -> Line | None:
    """What the linear model scores, and the gated sentence about the best cell's networks against it."""
    if line is None:
        return None
    scores = line.to_dict()
    blocks = counted(scores["num_blocks"], "block", "blocks")
    text = (
        f"The line to beat is {line.name} on the same features: over {blocks} its test log-loss is "
        f"{spread(scores, 'test_loss')} nats and its test error {spread(scores, 'test_error', 100)} %."
    )
    errors = [100 * value for value in [scores["test_error"], *scores["test_error_interval"]]]
    if line.said is None:
        return Line(text=text, numbers=[scores, *errors])
    return Line(text=f"{text} {line.said.text}", numbers=[scores, *errors, dict(line.said.numbers)])


def _default(confirmed: Sequence[Mapping[str, Any]], outcome: Measure) -> Line | None:
    default = next((each for each in confirmed if each["is_default"] and each["num_blocks"]), None)
    if default is None:
        return None
    if nothing_to_take(default):
        text = f"Of the stated default every network {outcome.said_of_failures}."
        return Line(text=text, numbers=[dict(default)])
    return Line(
        text=f"The stated default has a {outcome.title} of {spread(default, outcome.name)} {outcome.unit}".rstrip()
        + ".",
        numbers=[dict(default)],
    )


def _budget(inputs: ReportInputs) -> Line | None:
    """What fewer trials would have found, from those that reached the last rung."""
    trials = inputs.trials
    reached = trials[(trials["phase"] == "search") & (trials["state"] == "complete")]["objective"].dropna()
    objective = inputs.objective
    if len(reached) < 2 or all(map(objective.is_failure, reached)):
        return None
    curve = expected_best(reached.to_numpy(dtype=float), lower_is_better=objective.lower_is_better)
    half = len(reached) // 2
    some, whole = objective.value(curve[half - 1]), objective.bare(curve[-1])
    return Line(
        text=f"Of the {count(len(reached))} trials that reached the last rung, {count(half)} drawn at random would "
        f"have been expected to find a validation {objective.kind} of {some}, all of them {whole}.",
        numbers=[len(reached), half, curve[half - 1], curve[-1]],
    )


LOST = ("diverged", "failed")


def failures_record(inputs: ReportInputs, results: Results) -> dict[str, Any]:
    """For report.json.

    - `by_level`: factor, level, num (networks), lost (diverged or failed), capped (finite, no better than chance),
      count and share of both together, low and high (95 % interval over blocks)
    - `first`: whether levels of a factor differ in them, so that they are compared before losses; then `sentence`
    """
    rows = results.rows
    if not inputs.has_cells or rows.empty:
        return {"by_level": [], "first": False, "sentence": None, "numbers": []}
    tables = {factor: failure_rates(rows, [factor]) for factor in inputs.factors}
    said = failures(inputs, results)
    return {
        "by_level": [
            {
                "factor": factor,
                "level": plain(row[factor]),
                **_counts(rows, factor, row[factor]),
                **_share(row),
            }
            for factor, table in tables.items()
            for row in table.to_dict("records")
        ],
        "first": any(failures_first(table) for table in tables.values()),
        "sentence": None if said is None else said.text,
        "numbers": [] if said is None else said.numbers,
    }


def _counts(rows: pd.DataFrame, factor: str, level: Any) -> dict[str, int]:
    there = rows[[plain(value) == plain(level) for value in rows[factor]]]
    lost = there["outcome"].isin(LOST)
    return {"lost": int(lost.sum()), "capped": int((there["failed"].eq(1) & ~lost).sum())}


def _share(row: dict[Any, Any]) -> dict[str, Any]:
    return {name: row[name] for name in ("num", "count", "share", "low", "high")}


def described_contrasts(inputs: ReportInputs, results: Results) -> list[pd.DataFrame]:
    """Contrasts that are described and never claimed: of the failure rate, and of log-loss as recorded, not capped."""
    rows, factors, rules = results.rows, list(inputs.factors), results.look.rules
    if not inputs.has_cells or rows.empty or not factors:
        return []
    lost = failure_contrasts(rows[[*factors, "block", "failed"]], factors)
    if inputs.own:
        return [lost]
    uncapped = contrasts(rows[[*factors, "block", "uncapped_loss"]], factors, "uncapped_loss", rules=rules)
    return [lost, uncapped]
