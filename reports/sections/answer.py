"""The answer: the verdict with its facts, the best configuration and how to use it; scores, budget and scope."""

import shlex
from collections.abc import Mapping
from typing import Any, Final

from reports.claims.look_by_look import about_standing
from reports.claims.remarks import about_look
from reports.inputs.cube import plain
from reports.inputs.early_stopping import stops_early
from reports.inputs.inputs import ReportInputs
from reports.results.best import score_columns, spread
from reports.results.looks import looks_until_clear
from reports.results.paged import paged_trials
from reports.sections.parts.section import Cell, Column, ReportContext, Section, Table
from reports.stability.classes import STABLE, UNSTABLE, WATCH
from reports.statistics.gates import Gate
from reports.wording.phrases import OWN, capital, data_named, networks_named
from reports.wording.words import (
    count,
    duration,
    factor_name,
    level_name,
    level_phrase,
    percent,
    plural,
    small,
)

MODEL_FOLDER: Final = "models/best"


def answer(report_context: ReportContext) -> Section:
    """What a reader takes away from the first screen."""
    report = report_context.report
    context = {
        "verdict": report["verdict"],
        "best": best_params(report["best"]),
        "trial": best_trial(report_context),
        "as_good": as_good(report_context),
        "sure": how_sure(report_context),
        "use": how_to_use(report_context.inputs, report["model"]),
    }
    return Section(slug="answer", title="The answer", context=context)


def best_params(best: Mapping[str, Any] | None) -> list[tuple[str, str]]:
    """The settings of the best configuration, as name and value; none before there is one."""
    return [
        (factor_name(name), small(value) if isinstance(value, float) else level_name(value))
        for name, value in ({} if best is None else best["params"]).items()
    ]


def best_trial(report_context: ReportContext) -> int | None:
    """The confirm trial of the best configuration that has a page; None where none has."""
    best = report_context.report["best"]
    number = None if best is None else best["trial_number"]
    return number if number in paged_trials(report_context.inputs.trials) else None


def how_sure(report_context: ReportContext) -> str | None:
    """What the brackets are, and how much the comparisons rest on; None where nothing may be claimed."""
    shares, results = report_context.report["error_shares"], report_context.results
    if shares is None or results.at_best.empty or results.look.num_blocks < results.look.rules.min_blocks:
        return None
    if not results.look.number:
        return None
    read = sorted({int(num) for num in results.at_best["num_blocks"]})
    splits = f"{read[0]}" if len(read) == 1 else f"{read[0]} to {read[-1]}"
    return (
        f"Brackets hold for all comparisons at once: at most {percent(shares['total'], 0)} of studies may say anything "
        f"false on their page. Each comparison rests on {splits} splits of the data, with fresh seeds on each."
    )


def as_good(report_context: ReportContext) -> str | None:
    """Which other levels do practically as well as those of the best configuration; None where none is known to.

    The best configuration is chosen by its validation scores, so that it may look better than the verdict says.
    """
    best, results = report_context.report["best"], report_context.results
    if best is None or not results.look.number or results.at_best.empty:
        return None
    others = []
    for row in results.at_best.to_dict("records"):
        pair, own = (plain(row["level_a"]), plain(row["level_b"])), plain(best["params"].get(row["factor"]))
        if row["gate"] == Gate.EQUIVALENT and own in pair:
            others.append(level_phrase(row["factor"], pair[0] if own == pair[1] else pair[1]))
    if not others:
        return None
    return (
        f"Chosen by its validation scores. Each tuned on its own, practically as good: {', '.join(others)}."
    )


def how_to_use(inputs: ReportInputs, model: Mapping[str, Any] | None) -> dict[str, Any]:
    """Lines of Python and of the shell that use the model beside the page, from the page's folder; how many networks.

    `python` and `predict` are None where no model is kept; `command` shows the study.
    """
    paths = [str(path) for path in inputs.artifacts["path"]] if len(inputs.artifacts) else []
    num = sum(path.startswith(f"{MODEL_FOLDER}/block-") for path in paths)
    return {
        "num": num,
        "python": f'model = studies.load_model("{MODEL_FOLDER}")' if model else None,
        "predict": f"studies predict {MODEL_FOLDER} --input FILE" if model else None,
        "command": f"studies show {shlex.quote(inputs.study)}",
    }


def about_looks(report_context: ReportContext) -> str | None:
    """What looks have answered so far; None where a single one is planned."""
    results = report_context.results
    said = about_standing(results) or about_look(results.look)
    return None if said is None else said.text


def scores_table(
    best: Mapping[str, Any] | None, line: Mapping[str, Any] | None, inputs: ReportInputs
) -> Table | None:
    """The best configuration's scores on both parts, and the linear model's beside them; None without any."""
    if best is None or best[inputs.outcome.name] is None:
        return None
    shown = score_columns(inputs)
    columns = [
        Column(name="score", is_number=False),
        *(Column(name=head, unit=unit) for _, head, unit, _ in shown),
    ]
    rows = [
        [
            Cell(text=name),
            *(Cell(text=spread(best, f"{part}_{score}", scale)) for score, _, _, scale in shown),
        ]
        for name, part in (("validation", "val"), ("test", "test"))
    ]
    if line is not None:
        name = f"for comparison: {line['model']}, test"
        scores = spread(line, "test_loss"), spread(line, "test_error", 100)
        rows.append([Cell(text=text) for text in (name, *scores)])
    caption = (
        f"Its scores with fresh seeds: mean and 95 % interval over {plural(best['num_blocks'], 'block')}"
    )
    return Table(caption=caption, columns=columns, rows=rows)


def tiles(headline: Mapping[str, Any]) -> list[tuple[str, str, str]]:
    """The four numbers: value, what it is, what it is made of."""
    return [
        (count(headline["networks"]), "networks trained", f"{count(headline['epochs'])} network-epochs"),
        (duration(headline["wall_seconds"]), "from start to end", "wall time of all runs"),
        (
            percent(headline["share_stopped"], 0),
            "of search trials stopped early",
            f"{count(headline['num_stopped'])} of {count(headline['num_search'])}",
        ),
        _stability_tile(headline),
    ]


def _stability_tile(headline: Mapping[str, Any]) -> tuple[str, str, str]:
    """The share unstable with the two others, which add up to 100 %; without verdicts, the share lost."""
    of = f"{count(headline['num_unstable'])} of {count(headline['num_judged'])}"
    if not headline["has_verdicts"]:
        lost = f"{of}, {count(headline['num_diverged'])} diverged"
        return percent(headline["share_unstable"], 1), "of confirmed networks lost", lost
    shown = {name: percent(value / 100, 1) for name, value in headline["percents"].items()}
    rest = f"{shown[STABLE]} {STABLE}, {shown[WATCH]} {WATCH}"
    return shown[UNSTABLE], f"of confirmed networks {UNSTABLE}", f"{of}; {rest}"


def scope_spoken(report_context: ReportContext) -> str:
    """What was compared, on what, for how long."""
    plan, inputs = report_context.inputs.plan, report_context.inputs
    at_most = "up to " if stops_early(plan) else ""
    epochs = f"{at_most}{plural(int(plan['confirm']['epochs']), 'epoch')}"
    looks = looks_until_clear(plan)
    blocks = plural((looks or [report_context.results.look.num_blocks])[0], "block")
    if looks and report_context.results.look.number > 1:
        blocks += f", up to {count(report_context.results.look.num_blocks)} for open questions"
    networks = capital(networks_named(plan)) if plan["model"] == OWN else plan["model"].upper()
    head = f"{networks} on {data_named(plan)}, {epochs}, {blocks}"
    if not inputs.has_cells:
        return f"{head}; {plural(int(plan['search']['trials']), 'search trial')} over the whole space."
    cells = 1
    for levels in inputs.factors.values():
        cells *= len(levels)
    per_cell = plural(int(plan["search"]["trials_per_cell"]), "search trial")
    tuned = ", ".join(factor_name(name) for name in plan["nuisances"])
    purpose = f"each to tune the {tuned}" if tuned else "each, with nothing left to tune"
    return f"{head}; {plural(cells, 'cell')}, {per_cell} {purpose}."


def analysis(report_context: ReportContext) -> Section | None:
    """Paragraphs about design and budget, performance, stability and limits; `notes` says them in full."""
    report = report_context.report
    if not report["analysis"]:
        return None
    return Section(
        slug="analysis",
        title="Analysis in three paragraphs",
        folded=True,
        hint="design, results, limits",
        context={"paragraphs": report["analysis"], "notes": report["notes"]},
    )
