"""What sections are made from, of a study's recorded numbers."""

from reports.inputs.inputs import ReportInputs
from reports.pages.json_report import json_report
from reports.plots.style.theme import Theme
from reports.results.results import compute
from reports.sections.parts.section import ReportContext


def report_context_of(inputs: ReportInputs) -> ReportContext:
    """Compute a study's results and its JSON report, and choose its colours."""
    results = compute(inputs)
    return ReportContext(
        inputs=inputs, results=results, report=json_report(inputs, results), theme=Theme.of(inputs.factors)
    )
