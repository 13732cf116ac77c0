"""What is not known: the limits of the answer and what was not tested."""

from reports.sections.looks import told_look_by_look
from reports.sections.lottery import limits_context
from reports.sections.parts.section import ReportContext, Section


def limits(report_context: ReportContext) -> Section:
    """What gates say of the answer's limits, how the data was read, and what was not tested."""
    found = limits_context(report_context)
    names = ("limits", "improving", "improving_table", "data_notes", "untested")
    elsewhere = set(told_look_by_look(report_context))
    context = {name: found[name] for name in names}
    context["limits"] = [each for each in found["limits"] if each["sentence"] not in elsewhere]
    return Section(slug="limits", title="What is not known", context=context)
