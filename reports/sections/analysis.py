"""Analysis: the paragraphs that the report's JSON carries; no section where there are none."""

from reports.sections.parts.section import Material, Section


def analysis(material: Material) -> Section | None:
    """Paragraphs about design and budget, performance, stability and limits."""
    paragraphs = material.report["analysis"]
    if not paragraphs:
        return None
    return Section(slug="analysis", title="Analysis", context={"paragraphs": paragraphs})
