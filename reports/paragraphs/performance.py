"""Second paragraph: failures, the best configuration, levels at their best, and averages or what they depend on."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from reports.answers import AT_BEST, AVERAGED, Said
from reports.best import spread
from reports.budget_curve import expected_best
from reports.cube import plain
from reports.early_stopping import stops_early
from reports.effects import failure_rates, failures_first, optimism
from reports.inputs import ReportInputs
from reports.line_to_beat import LineToBeat
from reports.paragraphs.differences import differences
from reports.paragraphs.paragraph import Line, Paragraph, paragraph
from reports.phrases import condition, configuration, counted, listed
from reports.results import Results
from reports.words import count, decimals_for, factor_name, number, percent, small


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
            _optimism(results, best),
            _line_to_beat(line),
            *differences(at_best, AT_BEST, epochs, stop_early=stop_early),
            *differences(averaged, AVERAGED, epochs, stop_early=stop_early),
            None if inputs.has_cells else _default(confirmed),
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
        f"or did no better than chance are {listed(parts)}.",
        numbers=[list(rates["share"]), list(inputs.factors[factor])],
    )


def _records(frame: Any) -> list[dict[str, Any]]:
    return [{str(name): value for name, value in row.items()} for row in frame.to_dict("records")]


def _best(inputs: ReportInputs, best: Mapping[str, Any] | None) -> Line | None:
    if best is None or best["test_loss"] is None:
        return None
    params = {name: value for name, value in best["params"].items() if name in inputs.factors}
    others = {name: value for name, value in best["params"].items() if name not in inputs.factors}
    tuned = [
        f"{factor_name(name)} {small(value) if isinstance(value, float) else value}"
        for name, value in others.items()
    ]
    what = ", ".join(part for part in [configuration(params), *tuned] if part)
    blocks = counted(best["num_blocks"], "block", "blocks")
    return Line(
        text=f"The configuration with the lowest validation loss is {what}: over {blocks} its test log-loss is "
        f"{spread(best, 'test_loss')} nats and its test error {spread(best, 'test_error', 100)} %.",
        numbers=[
            dict(best),
            *(
                100 * value
                for value in [best["test_error"], *best["test_error_interval"]]
                if value is not None
            ),
        ],
    )


def _optimism(results: Results, best: Mapping[str, Any] | None) -> Line | None:
    if best is None or best["test_loss"] is None:
        return None
    gap = optimism(results.rows[results.rows["trial_number"].isin(best["trial_numbers"])])
    if not math.isfinite(gap.ci_low):
        return None
    places = decimals_for((gap.ci_high - gap.ci_low) / 2)
    low, high = number(gap.ci_low, places), number(gap.ci_high, places)
    return Line(
        text=f"Its validation loss less its test log-loss is {number(gap.estimate, places)} nats [{low} to {high}]: as "
        "the winner of a search it keeps a small optimism.",
        numbers=[gap.estimate, gap.ci_low, gap.ci_high],
    )


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


def _default(confirmed: Sequence[Mapping[str, Any]]) -> Line | None:
    default = next((each for each in confirmed if each["is_default"] and each["test_loss"] is not None), None)
    if default is None:
        return None
    return Line(
        text=f"The stated default has a test log-loss of {spread(default, 'test_loss')} nats.",
        numbers=[dict(default)],
    )


def _budget(inputs: ReportInputs) -> Line | None:
    """What fewer trials would have found, from those that reached the last rung."""
    trials = inputs.trials
    reached = trials[(trials["phase"] == "search") & (trials["state"] == "complete")]["objective"].dropna()
    if len(reached) < 2:
        return None
    objective = inputs.objective
    curve = expected_best(reached.to_numpy(dtype=float), lower_is_better=objective.lower_is_better)
    half = len(reached) // 2
    some, whole = objective.value(curve[half - 1]), objective.bare(curve[-1])
    return Line(
        text=f"Of the {count(len(reached))} trials that reached the last rung, {count(half)} drawn at random would "
        f"have been expected to find a validation {objective.kind} of {some}, all of them {whole}.",
        numbers=[len(reached), half, curve[half - 1], curve[-1]],
    )
