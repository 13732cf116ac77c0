"""Performance: isolation plots of every factor and forest plots of the contrasts."""

from collections import Counter
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np
import pandas as pd

from reports.claims.answers import is_told_once
from reports.inputs.cube import plain
from reports.inputs.measures import Measure
from reports.plots import forest, isolation
from reports.plots.style.axes import limits_of
from reports.plots.style.canvas import Panel, Sheet, draw_panel
from reports.plots.style.figure import Figure
from reports.plots.style.marks import Of
from reports.results.best import describe
from reports.results.looks import Look
from reports.sections.cells import cells_table
from reports.sections.failures import failures_table
from reports.sections.interaction import interaction_figure, interaction_table
from reports.sections.levels import levels_table
from reports.sections.parts.section import ReportContext, Section, Table, several
from reports.sections.parts.tables import claimed_table, contrast_table, owner_of
from reports.sections.selection import selection_table
from reports.sections.titles import largest_difference
from reports.statistics.gates import Gate
from reports.statistics.intervals import Bounds, t_interval
from reports.wording.phrases import capital, listed
from reports.wording.words import (
    count,
    covered,
    factor_name,
    number,
    plural,
)


def performance(report_context: ReportContext) -> Section:
    """Evidence for the answer: raw blocks, means and intervals, then every contrast."""
    if not report_context.inputs.factors or report_context.results.rows.empty:
        tables = [table for table in [cells_table(report_context)] if table.rows]
        return Section(
            slug="performance",
            title="Why we may say so",
            context={"tables": tables, "said": [], "shares": None, "claims": report_context.report["answer"]},
        )
    forests = _forests(report_context)
    figures = [_isolation(report_context, forests[-1].title), *forests]
    dependent = interaction_figure(report_context)
    tables = [
        *_claimed(report_context),
        interaction_table(report_context),
        selection_table(report_context),
        *_described(report_context),
        cells_table(report_context),
    ]
    averaged = [] if is_told_once(report_context.results) else report_context.report["contrasts"]
    said = [row for row in (*report_context.report["at_best"], *averaged) if row["sentence"]]
    context: dict[str, Any] = {
        "tables": [table for table in tables if table.rows],
        "said": said,
        "selection": report_context.report["selection"],
        "shares": shares_spoken(report_context.report["error_shares"]),
        "failures": report_context.report["failures"],
        "failed": failures_table(report_context),
        "interaction": dependent,
        "depends": any(row["gate"] == Gate.INTERACTION for row in report_context.report["contrasts"]),
        "claims": report_context.report["answer"],
        "levels": levels_table(report_context),
        "any_failed": any(row["count"] for row in report_context.report["failures"]["by_level"]),
    }
    shown = figures if dependent is None else [*figures, dependent]
    return Section(slug="performance", title="Why we may say so", figures=shown, context=context)


def _claimed(report_context: ReportContext) -> list[Table]:
    """The contrasts that claims are made of: loss and error rate at best, and averages."""
    results, outcome = report_context.results, report_context.inputs.outcome
    views = [
        (f"Each at its best cell, {outcome.title}", outcome.unit, results.at_best),
        ("Each at its best cell, test error", "fraction", results.error_at_best),
        (f"Averaged over the other factors, {outcome.title}", outcome.unit, results.contrasts),
    ]
    if results.look.rules.holm:
        views = views[2:]
    elif is_told_once(results):
        views = views[:2]
    return [
        claimed_table(caption, unit, frame, confidence=results.look.confidence, folded=True)
        for caption, unit, frame in views
    ]


def shares_spoken(shares: Mapping[str, float] | None) -> str | None:
    """The line that says how the error rate is divided; None for plans that have no shares."""
    if shares is None:
        return None
    parts = [f"{_FAMILIES[name]} {_share(share)}" for name, share in shares.items() if name in _FAMILIES]
    return (
        f"At most {_share(shares['total'])} of studies may say anything false on their page: {listed(parts)}. Within a "
        "family every interval is widened for all of its comparisons at once (Bonferroni), and that one interval "
        "decides what is said."
    )


_FAMILIES = {
    "loss_at_best": "the loss at best may spend",
    "error_rate_at_best": "the error rate at best",
    "averages": "averages",
    "simple_effects": "effects at one level of another factor",
    "interactions": "interactions",
    "growth": "growth of gradients",
    "beyond_sample": "what is said of new data",
}


def _share(share: float) -> str:
    return f"{100 * share:.4g}\N{NARROW NO-BREAK SPACE}%"


def _described(report_context: ReportContext) -> list[Table]:
    """The contrasts that nothing is claimed of: test error, or each metric of the plan's own but the primary one."""
    found, others = report_context.results.error_contrasts, report_context.inputs.own[1:]
    named = [(each.name, capital(each.title), each.unit) for each in others]
    return [
        contrast_table(
            f"{title}, averaged over the other factors; described",
            unit,
            found[found["outcome"] == name],
            confidence=report_context.results.look.confidence,
            folded=True,
        )
        for name, title, unit in (
            named if report_context.inputs.own else [("test_error", "Test error", "fraction")]
        )
    ]


def _isolation(report_context: ReportContext, differences: str) -> Figure:
    """`differences` is the title of the figure of the differences between these means."""
    rows, outcome = report_context.results.rows, report_context.inputs.outcome
    factors = several(report_context.inputs.factors)
    starred = len(factors) > 1  # the cells of a single factor are its levels
    star = " Star: the level at its best cell, with the rest tuned." if starred else ""
    within = outcome.bounds(rows[outcome.name])
    stars = {factor: _best_by_level(report_context, factor, within) if starred else [] for factor in factors}
    frames = {
        factor: isolation.tidy(
            rows,
            factor,
            levels,
            outcome.name,
            [star.value for star in stars[factor]],
            within,
        )
        for factor, levels in factors.items()
    }
    values = [
        value for frame in frames.values() for value in frame[["value", "low", "high"]].to_numpy().ravel()
    ]
    beat = report_context.report["baseline"]
    line = None if beat is None else (beat["model"], beat["test_loss"])
    values += [] if line is None else [line[1]]
    log = outcome.suits_log(values)
    low, high = limits_of(values, log=log)
    # Room for the name of the stars.
    limits = (low * (low / high) ** 0.12 if log else low - 0.12 * (high - low), high)
    scale = f"{'Log' if log else 'Linear'} scale" + (f" in {outcome.unit}" if outcome.unit else "")
    panels = [
        draw_panel(
            partial(
                isolation.draw,
                frame,
                theme=report_context.theme,
                factor=factor,
                levels=factors[factor],
                limits=limits,
                line=line,
                log=log,
                measure=outcome,
                stars=stars[factor],
            ),
            Sheet(),
            heading=factor_name(factor).capitalize(),
            note=outcome.kind,
            prefix=f"iso{place}",
        )
        for place, (factor, frame) in enumerate(frames.items())
    ]
    blocks = int(rows["block"].nunique())
    averaged = [
        row
        for row in report_context.report["contrasts"]
        if row["outcome"] == report_context.inputs.outcome.name
    ]
    return Figure(
        slug="isolation",
        title=largest_difference(averaged, outcome, slices=False)
        or f"{capital(outcome.title)} by level, one factor at a time",
        lead_title=_lead_title(averaged, outcome, next(iter(factors))),
        caption=(
            "Faint lines: one block each, averaged over the cells of all other factors. Marker and bar: mean "
            f"over blocks and its 95 % interval.{star} "
            f"{_about_line(line)}{scale}"
            ", the same in every panel. Levels are compared within blocks, so two bars may overlap where their "
            f"difference is clear; see “{differences}”."
        ),
        num=f"n = {plural(blocks, 'block')}, {plural(len(rows), 'network')}",
        alt=_isolation_alt(frames, report_context),
        panels=tuple(panels),
        data=_stacked(frames, "factor"),
        columns=2,
    )


def _about_line(line: tuple[str, float] | None) -> str:
    return "" if line is None else f"Dashed, for comparison: {line[0]} on the same features. "


def _best_by_level(report_context: ReportContext, factor: str, within: Bounds) -> list[isolation.Star]:
    """Each level's cell with the lowest objective in the search, and its mean outcome; NaN where there is none."""
    chosen, rows = report_context.results.chosen, report_context.results.rows
    best = []
    for level in report_context.inputs.factors[factor]:
        there = chosen[[plain(v) == plain(level) for v in chosen[factor]]] if len(chosen) else chosen
        if there.empty:
            best.append(isolation.Star(float("nan"), float("nan"), float("nan"), ""))
            continue
        top = there.sort_values(["objective", "cell"]).iloc[0]
        match = np.ones(len(rows), dtype=bool)
        for name in report_context.inputs.factors:
            match &= np.array([plain(value) == plain(top[name]) for value in rows[name]], dtype=bool)
        rest = {name: plain(top[name]) for name in report_context.inputs.factors if name != factor}
        outcomes = rows.loc[match, report_context.inputs.outcome.name]
        _, low, high = t_interval(outcomes.to_numpy(dtype=float), within)
        value = float(outcomes.mean()) if match.any() else float("nan")
        best.append(isolation.Star(value, low, high, f"cell {int(top['cell'])}: {describe(rest)}"))
    return best


def _isolation_alt(frames: dict[str, pd.DataFrame], report_context: ReportContext) -> str:
    parts = []
    for factor, frame in frames.items():
        means = frame[frame["kind"] == "mean"]
        names = [
            report_context.theme.style(factor, level).name for level in report_context.inputs.factors[factor]
        ]
        pairs = [f"{name} {number(value, 2)}" for name, value in zip(names, means["value"], strict=True)]
        parts.append(f"{factor_name(factor)}: {', '.join(pairs)}")
    return f"Mean {report_context.inputs.outcome.with_unit} by level. " + "; ".join(parts)


def _stacked(frames: dict[str, pd.DataFrame], key: str) -> pd.DataFrame:
    return pd.concat([frame.assign(**{key: name}) for name, frame in frames.items()], ignore_index=True)


def _forests(report_context: ReportContext) -> list[Figure]:
    """At best first, then averaged, each on its own scale."""
    report, size, outcome = (
        report_context.report,
        report_context.inputs.smallest_effect,
        report_context.inputs.outcome,
    )
    averaged = [row for row in report["contrasts"] if row["outcome"] == report_context.inputs.outcome.name]
    best = [row for row in report["at_best"] if row["outcome"] == outcome.name]
    views = [
        ("forest_at_best", "each at its best cell", "Each at its best cell,", best),
        ("forest_averaged", "averaged over the other factors", "Averaged over the rest,", averaged),
    ]
    views = views[:1] if is_told_once(report_context.results) else views
    figures: list[Figure] = []
    for slug, words, heading, rows in views:
        frame = forest.tidy(rows)
        panel = _forest_panel(frame, size, slug, outcome, [owner_of(row) for row in rows])
        numbers = [row["num_blocks"] for row in rows]
        least, most = min(numbers, default=0), max(numbers, default=0)
        blocks = plural(most, "block") if least == most else f"{count(least)} to {plural(most, 'block')}"
        listed = "; ".join(f"{row['label']} {row['text']}" for _, row in frame.iterrows())
        figures.append(
            Figure(
                slug=slug,
                title=f"{heading} {counted_gates(rows) or 'how levels differ'}",
                caption=(
                    f"As in “{figures[0].title}”, averaged over the cells of all other factors."
                    if figures
                    else "Later level minus earlier one, over blocks: below 0 the later level has the lower "
                    f"{outcome.kind}. "
                    f"Bars are {_bars(report_context.results.look)}{shaded(size, outcome)}."
                ),
                num=f"n = {blocks}",
                alt=f"Differences in {outcome.with_unit}, {words}. {listed}",
                panels=(panel,),
                data=frame,
                columns=1,
            )
        )
    return figures


def _bars(look: Look) -> str:
    """What intervals a forest plot draws: those that decide what is said."""
    if look.rules.holm:
        return f"{covered(look.confidence)} intervals"
    return "simultaneous intervals, which decide what is said"


def shaded(size: float | None, outcome: Measure) -> str:
    """What the band of a forest plot is; nothing where the plan names no smallest effect."""
    if size is None:
        return ""
    return f"; shaded, differences within the smallest effect of interest (±{outcome.in_unit(f'{size:g}')})"


def _forest_panel(
    frame: pd.DataFrame, size: float | None, slug: str, outcome: Measure, of: Sequence[Of]
) -> Panel:
    height = 46 + forest.ROW * max(len(frame), 2)
    sheet = Sheet(height=height, left=4, right=8, top=6, bottom=36)
    return draw_panel(
        partial(forest.draw, frame, smallest_effect=size, unit=outcome.axis, of=of),
        sheet,
        prefix=slug.replace("_", "-"),
    )


_COUNTED = {  # one, several
    Gate.MEANINGFUL: ("exceeds the smallest effect of interest", "exceed the smallest effect of interest"),
    Gate.DIRECTION: ("has a direction", "have a direction"),
    Gate.EQUIVALENT: ("is practically equal", "are practically equal"),
    Gate.INTERACTION: ("may depend on another factor", "may depend on another factor"),
    Gate.BOUNDARY: ("is limited by the range of rates", "are limited by the range of rates"),
    Gate.INDICATED: ("is only indicated", "are only indicated"),
    Gate.UNRESOLVED: ("is not resolved", "are not resolved"),
}


def _lead_title(averaged: Sequence[Mapping[str, Any]], outcome: Measure, factor: str) -> str:
    """What the panel of the first factor shows."""
    mine = [row for row in averaged if row["factor"] == factor]
    return (
        largest_difference(mine, outcome, slices=False, with_unit=False)
        or f"{capital(outcome.title)} by {factor_name(factor)}, averaged over the rest"
    )


def counted_gates(contrasts: Sequence[Mapping[str, Any]]) -> str | None:
    """How many differences have which gate: "of 7 differences 5 are practically equal, 2 are not resolved"."""
    counts = Counter(row["gate"] for row in contrasts if row["gate"] is not None)
    listed = [f"{counts[gate]} {words[counts[gate] > 1]}" for gate, words in _COUNTED.items() if counts[gate]]
    if not listed:
        return None
    return f"of {len(contrasts)} {'difference' if len(contrasts) == 1 else 'differences'} " + ", ".join(
        listed
    )
