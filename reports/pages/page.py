"""The report of one study: pictures, tables and words become one HTML file, one JSON file, figures and frames."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from reports.inputs.inputs import ReportInputs
from reports.pages.analysis_file import analysis_file
from reports.pages.downloads import figure_csv, kept_files
from reports.pages.explained import Explained
from reports.pages.exploring import Exploring
from reports.pages.json_report import as_json, json_report
from reports.pages.rendering import environment, inline, page_parts, write_csv, write_page
from reports.plots.style.canvas import Drawers, DrawnWhenAsked, drawn_by
from reports.plots.style.theme import Theme
from reports.results.looks import first_look
from reports.results.results import Results, compute
from reports.sections.accounting import accounting
from reports.sections.answer import MODEL_FOLDER, analysis, answer
from reports.sections.best_model import best_model
from reports.sections.compared import compared
from reports.sections.configurations import FACTOR, configuration_names, judged, trained
from reports.sections.limits import limits
from reports.sections.looks import look_by_look
from reports.sections.lottery import lottery
from reports.sections.parts.section import ReportContext, Section
from reports.sections.performance import performance
from reports.sections.provenance import provenance
from reports.sections.search import search
from reports.sections.stability.stability import stability
from reports.sections.taken_model import taken_model
from reports.sections.training import training
from reports.sections.tuning import confirmed, searched
from reports.wording.phrases import speaking_of

if TYPE_CHECKING:
    import pandas as pd

    from reports.plots.style.figure import Figure

WITH_CELLS = (
    answer,
    compared,
    performance,
    stability,
    best_model,
    taken_model,
    search,
    limits,
    provenance,
    analysis,
    training,
    look_by_look,
    lottery,
    accounting,
)
"""In the order in which people ask; what few ask for is folded, and comes last."""
WITHOUT_CELLS = (
    answer,
    compared,
    confirmed,
    judged,
    best_model,
    taken_model,
    searched,
    limits,
    provenance,
    analysis,
    trained,
    lottery,
    accounting,
)


def write_report(
    inputs: ReportInputs,
    folder: Path,
    *,
    results: Results | None = None,
    drawers: Drawers | None = None,
) -> Path:
    """Write report.html, report.json, analysis.md, figures/ and frames/ into `folder` (made if missing).

    The path of the page. `results` are what `compute` gives for the inputs, if that is known already; `drawers` draw
    the figures, with the same bytes, beside the rest of the work.

    Each file appears whole or not at all (a temporary name, then a rename), the page last. Apart from
    `generated_at`, the same inputs give the same bytes. Raises AccountingError where the record contradicts itself
    and OSError where the folder cannot be written.
    """
    with speaking_of(str(inputs.plan.get("model", "mlp"))):
        return _write(inputs, folder, results, drawers)


def page_frames(inputs: ReportInputs) -> "dict[str, pd.DataFrame]":
    """Return the frames that the page offers: those recorded, and what each figure shows by the figure's slug.

    Raises AccountingError where the record contradicts itself.
    """
    with speaking_of(str(inputs.plan.get("model", "mlp"))):
        _, sections = _sections(inputs, compute(inputs))
    drawn = {figure.slug: figure.data for section in sections for figure in section.figures}
    return drawn | recorded_frames(inputs)


def page_figures(inputs: ReportInputs, results: Results) -> "dict[str, Figure]":
    """Return the page's figures by their slugs; each panel is drawn when it is first asked for.

    Raises AccountingError where the record contradicts itself.
    """
    with speaking_of(str(inputs.plan.get("model", "mlp"))), drawn_by(DrawnWhenAsked()):
        _, sections = _sections(inputs, results)
    return {figure.slug: figure for section in sections for figure in section.figures}


RECORDED: Final = ("trials", "replicates", "epochs", "gradients", "events")
"""The frames of what was recorded that lie beside the page."""


def recorded_frames(inputs: ReportInputs) -> "dict[str, pd.DataFrame]":
    """Return the frames of what was recorded (RECORDED), by name, as readers get them."""
    found = {name: getattr(inputs, name) for name in RECORDED}
    return found | {"trials": with_trial_key(inputs.trials)}


def with_trial_key(trials: "pd.DataFrame") -> "pd.DataFrame":
    """Return a frame of trials whose key is called as in the frames of their networks, epochs and layers.

    In the storage, and in what reports are made from, a trial's own table calls it `number`.
    """
    return trials.rename(columns={"number": "trial_number"})


def _sections(inputs: ReportInputs, results: Results) -> tuple[ReportContext, list[Section]]:
    report = json_report(inputs, results)
    report_context = ReportContext(
        inputs=first_look(inputs), results=results, report=report, theme=_theme(inputs, report)
    )
    made = [make(report_context) for make in (WITH_CELLS if inputs.has_cells else WITHOUT_CELLS)]
    return report_context, [section for section in made if section is not None]


def _write(inputs: ReportInputs, folder: Path, results: Results | None, drawers: Drawers | None) -> Path:
    with drawn_by(drawers):
        report_context, sections = _sections(inputs, compute(inputs) if results is None else results)
    report = report_context.report
    figures = [figure for section in sections for figure in section.figures]
    for name, frame in recorded_frames(inputs).items():
        write_csv(folder / "frames" / f"{name}.csv", frame)
    data = {figure.slug: figure_csv(figure) for figure in figures}
    for slug, content in data.items():
        write_page(folder / "frames" / f"{slug}.csv", content)
    if drawers is not None:
        drawers.help()
    for figure in figures:
        write_page(folder / "figures" / f"{figure.slug}.svg", figure.standalone_svg().encode())
        write_page(folder / "figures" / f"{figure.slug}.png", figure.png())
    others = {"report.json": as_json(report).encode(), "analysis.md": analysis_file(report).encode()}
    for name, content in others.items():
        write_page(folder / name, content)
    page = folder / "report.html"
    kept = kept_files(figures, data, others)
    html = render(report_context, sections, kept, model_here=_has_model(inputs, folder))
    write_page(page, html.encode())
    return page


def _has_model(inputs: ReportInputs, folder: Path) -> bool:
    """Whether every file that is recorded of the best model lies in the folder: a page may be written elsewhere."""
    paths = [str(path) for path in inputs.artifacts["path"]] if len(inputs.artifacts) else []
    kept = [path for path in paths if path.startswith(f"{MODEL_FOLDER}/")]
    return bool(kept) and all((folder / path).is_file() for path in kept)


def _theme(inputs: ReportInputs, report: Mapping[str, Any]) -> Theme:
    """Inks for every level and, in a study without cells, for every confirmed configuration."""
    if inputs.has_cells:
        return Theme.of(inputs.factors)
    return Theme.of({**inputs.factors, FACTOR: tuple(configuration_names(report["confirmed"]).values())})


def render(
    report_context: ReportContext,
    sections: Sequence[Section],
    kept: Mapping[str, str] | None = None,
    *,
    model_here: bool = False,
) -> str:
    """The page's HTML: styles and script inline, allowed by their hashes alone; nothing is fetched.

    `kept` are the files that it hands out when it is opened alone (`kept_files`); `model_here` says whether the model
    lies beside it.
    """
    classes: dict[str, str] = {}
    inputs = report_context.inputs
    names = {} if inputs.has_cells else configuration_names(report_context.report["confirmed"])
    exploring = Exploring(inputs, names, FACTOR)
    drawings = {
        figure.slug: inline(figure, report_context.theme, classes, exploring=exploring)
        for section in sections
        for figure in section.figures
    }
    lead = leading(report_context, sections, classes, exploring)
    return (
        environment()
        .get_template("report.html.j2")
        .render(
            inputs=report_context.inputs,
            brief=report_context.is_brief,
            report=report_context.report,
            sections=sections,
            drawings=drawings,
            lead=lead,
            exploring=exploring,
            kept=kept or {},
            model_here=model_here,
            explained=Explained(report_context.inputs.plan.get("thresholds")),
            **page_parts(report_context.theme, classes),
        )
    )


NARROW, BROAD = 392, 536
"""CSS pixels of drawings that stand beside the verdict, and beside a narrower one; wider ones stand below it."""


def leading(
    report_context: ReportContext,
    sections: Sequence[Section],
    classes: dict[str, str],
    exploring: Exploring | None = None,
) -> dict[str, Any] | None:
    """The picture of the first screen, which the verdict names: its figure, title and drawings; None without one.

    `whole`: all of the figure is drawn there, and nowhere else. Of a figure of many panels the leading ones are drawn.
    `place`: where its width leaves room for it.
    """
    named = sections[0].context["verdict"]["picture"]
    figures = [figure for section in sections for figure in section.figures]
    figure = next((figure for figure in figures if named and figure.slug == named["slug"]), None)
    if figure is None:
        return None
    whole = len(figure.panels) == 1
    panels = None if whole else figure.lead
    pixels = max(panel.width for panel in figure.panels) * 4 / 3
    return {
        "figure": figure,
        "title": figure.lead_title or figure.title,
        "place": "beside" if pixels <= NARROW else "broad" if pixels <= BROAD else "below",
        "whole": whole,
        "drawings": inline(figure, report_context.theme, classes, panels, exploring=exploring),
    }
