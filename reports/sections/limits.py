"""What is not known: the limits of the answer and what was not tested."""

from reports.sections.lottery import limits_context
from reports.sections.parts.section import ReportContext, Section


def limits(report_context: ReportContext) -> Section:
    """What gates say of the answer's limits, how the data was read, and what was not tested."""
    found = limits_context(report_context)
    names = ("limits", "improving", "improving_table", "data_notes", "untested")
    looks = [each.get("sentence") for each in report_context.report["limits"]["sentences"]]
    context = {**{name: found[name] for name in names}, "has_any": bool(looks)}
    return Section(slug="limits", title="What is not known", context=context)
