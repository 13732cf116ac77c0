"""What a report says in full, beside the short analysis: three paragraphs from the data, every claim gated."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from reports.claims.answers import Said
from reports.claims.line_to_beat import LineToBeat
from reports.claims.look_by_look import about_looks
from reports.claims.paragraphs.design import design
from reports.claims.paragraphs.limits import boundary, limits, untested
from reports.claims.paragraphs.paragraph import Line, Paragraph
from reports.claims.paragraphs.performance import performance
from reports.claims.remarks import about_budget, about_saturation
from reports.inputs.early_stopping import stops_early
from reports.inputs.inputs import ReportInputs
from reports.results.results import Results
from reports.results.sufficiency import median_accuracy
from reports.results.undefined import about_undefined
from reports.statistics.gates import Gate
from reports.wording.phrases import Sentence


def notes(
    inputs: ReportInputs,
    results: Results,
    *,
    best: Mapping[str, Any] | None,
    confirmed: Sequence[Mapping[str, Any]],
    at_best: Sequence[Said],
    averaged: Sequence[Said],
    line: LineToBeat | None = None,
) -> tuple[Paragraph, Paragraph, Paragraph]:
    """In full: design and budget; performance; stability and limits.

    `best` and `confirmed` as `reports.results.best` gives them, `at_best` and `averaged` as `reports.claims.answers`
    does (empty for an unfinished study, whose claims are withheld), `line` is the line to beat where there is one.
    Each paragraph carries the numbers that it prints, for report.json.
    """
    return (
        design(inputs, results),
        performance(inputs, results, best, confirmed, at_best, averaged, line),
        limits(inputs, results),
    )


def caveats_record(inputs: ReportInputs, results: Results) -> dict[str, Any]:
    """For report.json: `improving` (share of cells by level), `sentences` (text, gate, numbers), `untested`."""
    said = [*_sentences(inputs, results)]
    last = untested(inputs)
    return {
        "improving": results.improving.to_dict("records"),
        "sentences": [
            {"sentence": each.text, "gate": each.gate, "numbers": dict(each.numbers)} for each in said
        ],
        "untested": {"sentence": last.text, "numbers": last.numbers},
    }


def _sentences(inputs: ReportInputs, results: Results) -> Iterable[Sentence]:
    rules = results.look.rules
    yield from about_looks(inputs, results)
    yield from about_undefined(inputs)
    last, stop_early = int(inputs.plan["confirm"]["epochs"]), stops_early(inputs.plan)
    improving = results.improving
    for factor, rows in improving[improving["share"] > rules.budget_share].groupby("factor", sort=False):
        yield about_budget(
            str(factor), list(zip(rows["level"], rows["share"], strict=True)), last, stop_early=stop_early
        )
    median = median_accuracy(results.rows)
    if median > rules.saturated_accuracy:
        yield about_saturation(median)
    limited = boundary(inputs, results, rules)
    if limited is not None:
        yield _as_sentence(limited, Gate.BOUNDARY)


def _as_sentence(line: Line, gate: Gate) -> Sentence:
    numbers = {
        f"level_{place}": level for place, level in enumerate(line.numbers) if isinstance(level, float | int)
    }
    return Sentence(text=line.text, gate=gate, numbers=numbers)
