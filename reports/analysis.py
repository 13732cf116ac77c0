"""The analysis: three paragraphs written from the data, every claim in them gated."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from reports.answers import Said
from reports.inputs import ReportInputs
from reports.line_to_beat import LineToBeat
from reports.paragraphs.design import design
from reports.paragraphs.limits import limits
from reports.paragraphs.paragraph import Paragraph
from reports.paragraphs.performance import performance
from reports.results import Results


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

    `best` and `confirmed` as `reports.best` gives them, `at_best` and `averaged` as `reports.answers` does (empty for
    an unfinished study, whose claims are withheld), `line` is the line to beat where there is one. Each paragraph
    carries the numbers that it prints, for report.json.
    """
    return (
        design(inputs, results),
        performance(inputs, results, best, confirmed, at_best, averaged, line),
        limits(inputs, results),
    )
