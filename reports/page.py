"""The report of one study: pictures, tables and words become one HTML file, one JSON file, figures and frames."""

import base64
import hashlib
import os
import re
from collections.abc import Sequence
from pathlib import Path

import pandas as pd
from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from reports import words
from reports.inputs import ReportInputs
from reports.json_report import as_json, json_report
from reports.plots.figure import Figure
from reports.results import compute
from reports.sections.accounting import accounting
from reports.sections.answer import answer
from reports.sections.performance import performance
from reports.sections.provenance import provenance
from reports.sections.search import search
from reports.sections.section import Material, Section
from reports.sections.stability import stability
from reports.sections.training import training
from reports.sections.tuning import confirmed, searched
from reports.theme import Theme

WITH_CELLS = (answer, accounting, performance, stability, training, search, provenance)
WITHOUT_CELLS = (answer, accounting, confirmed, searched, provenance)
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")


def write_report(inputs: ReportInputs, folder: Path) -> Path:
    """Write report.html, report.json, figures/ and frames/ into `folder` (made if missing); the path of the page.

    Each file appears whole or not at all (a temporary name, then a rename), the page last. Apart from
    `generated_at`, the same inputs give the same bytes. Raises AccountingError where the record contradicts itself
    and OSError where the folder cannot be written.
    """
    results = compute(inputs)
    report = json_report(inputs, results)
    material = Material(inputs=inputs, results=results, report=report, theme=Theme.of(inputs.factors))
    sections = [make(material) for make in (WITH_CELLS if inputs.has_cells else WITHOUT_CELLS)]
    figures = [figure for section in sections for figure in section.figures]
    for figure in figures:
        _write(folder / "figures" / f"{figure.slug}.svg", figure.standalone_svg().encode())
        _write(folder / "figures" / f"{figure.slug}.png", figure.png())
        _write(folder / "frames" / f"{figure.slug}.csv", as_csv(figure.data))
    for name in ("trials", "replicates", "epochs", "gradients", "events"):
        _write(folder / "frames" / f"{name}.csv", as_csv(getattr(inputs, name)))
    _write(folder / "report.json", as_json(report).encode())
    page = folder / "report.html"
    _write(page, render(material, sections).encode())
    return page


def render(material: Material, sections: Sequence[Section]) -> str:
    """The page's HTML: styles and script inline, allowed by their hashes alone; nothing is fetched."""
    environment = Environment(
        loader=PackageLoader("reports"), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.globals["words"] = words
    classes: dict[str, str] = {}
    drawings = {figure.slug: _inline(figure, material.theme, classes) for section in sections for figure in section.figures}
    style = _style(environment, material.theme, classes)
    script = environment.get_template("script.js").render()
    return environment.get_template("report.html.j2").render(
        inputs=material.inputs,
        report=material.report,
        sections=sections,
        drawings=drawings,
        style=Markup(style),
        script=Markup(script),
        policy=content_policy(style, script),
    )


def content_policy(style: str, script: str) -> str:
    """A content security policy that allows these two texts inline and nothing else, from anywhere."""
    return (
        f"default-src 'none'; style-src '{_hash(style)}'; script-src '{_hash(script)}'; "
        "img-src data:; base-uri 'none'; form-action 'none'"
    )


def _hash(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


def _style(environment: Environment, theme: Theme, classes: dict[str, str]) -> str:
    drawn = "".join(f".{name}{{{declarations}}}" for declarations, name in classes.items())
    sheet = environment.get_template("style.css").render(light=theme.css("light"), dark=theme.css("dark"))
    return sheet + drawn


def _inline(figure: Figure, theme: Theme, classes: dict[str, str]) -> list[Markup]:
    """The panels as inline SVG in CSS variables; style attributes, which the policy forbids, become classes."""

    def as_class(match: re.Match[str]) -> str:
        declarations = re.sub(r";?\s*$", "", re.sub(r"([:;]) ", r"\1", theme.with_variables(match[1])))
        return f' class="{classes.setdefault(declarations, f"k{len(classes)}")}"'

    drawings = []
    for place, panel in enumerate(figure.panels):
        label = figure.alt if place == 0 else f"{figure.title}, panel {place + 1}"
        width, height = round(panel.width * 4 / 3), round(panel.height * 4 / 3)
        svg = re.sub(r' style="([^"]*)"', as_class, panel.svg)
        drawings.append(
            Markup('<svg viewBox="0 0 {} {}" width="{}" height="{}" role="img" aria-label="{}">').format(
                f"{panel.width:g}", f"{panel.height:g}", width, height, label
            )
            + Markup(svg)
            + Markup("</svg>")
        )
    return drawings


def as_csv(frame: pd.DataFrame) -> bytes:
    """CSV in UTF-8; a text cell that a spreadsheet would run as a formula starts with an apostrophe instead."""
    safe = frame.copy(deep=False)
    for name in safe.columns:
        if not pd.api.types.is_numeric_dtype(safe[name]) and not pd.api.types.is_datetime64_any_dtype(safe[name]):
            safe[name] = [_escaped(value) for value in safe[name]]
    return safe.to_csv(index=False, float_format="%.7g").encode()


def _escaped(value: object) -> object:
    return "'" + value if isinstance(value, str) and value.startswith(FORMULA_STARTS) else value


def _write(path: Path, content: bytes) -> None:
    """Write under a temporary name beside the target, then rename: readers see the old file or the new one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        temporary.write_bytes(content)
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
