"""The analysis: three paragraphs written from the data, every claim in them gated."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from reports.claims.answers import Said
from reports.claims.line_to_beat import LineToBeat
from reports.claims.paragraphs.design import design
from reports.claims.paragraphs.limits import limits
from reports.claims.paragraphs.paragraph import Paragraph
from reports.claims.paragraphs.performance import performance
from reports.inputs.inputs import ReportInputs
from reports.results.results import Results


def three_paragraphs(
    inputs: ReportInputs,
    results: Results,
    *,
    best: Mapping[str, Any] | None,
    confirmed: Sequence[Mapping[str, Any]],
    at_best: Sequence[Said],
    averaged: Sequence[Said],
    line: LineToBeat | None = None,
) -> tuple[Paragraph, Paragraph, Paragraph]:
    """Design and budget; performance; stability and limits.

    `best` and `confirmed` as `reports.results.best` gives them, `at_best` and `averaged` as
    `reports.claims.answers` does (empty for
    an unfinished study, whose claims are withheld), `line` is the line to beat where there is one. Each paragraph
    carries the numbers that it prints, for report.json.
    """
    return (
        design(inputs, results),
        performance(inputs, results, best, confirmed, at_best, averaged, line),
        limits(inputs, results),
    )
