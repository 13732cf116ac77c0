"""The interaction plot of section "Performance": what an average hides, for the pairs of factors that depend most."""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import pandas as pd

from reports.claims.verdict import depends_most
from reports.plots import interaction
from reports.plots.style.axes import limits_of
from reports.plots.style.canvas import Panel, Sheet, draw_panel
from reports.plots.style.figure import Figure
from reports.plots.style.grid import LETTER
from reports.sections.parts.section import Cell, Column, ReportContext, Table
from reports.sections.parts.tables import owner_of
from reports.statistics.gates import Gate
from reports.wording.phrases import capital, factor_spoken, listed
from reports.wording.words import (
    decimals_between,
    difference_name,
    factor_name,
    number,
    p_value,
    plural,
    signed,
)

MOST = 4  # panels
Pair = tuple[str, str]


def interaction_figure(report_context: ReportContext) -> Figure | None:
    """Panels of the pairs gated INTERACTION, else of the pair with the smallest q; None with one factor."""
    table = report_context.results.interactions
    if table.empty or table["q"].isna().all():
        return None
    gated = _gated(report_context)
    smallest = table.sort_values("q").iloc[0]
    pairs = gated[:MOST] or [(str(smallest["factor"]), str(smallest["by"]))]
    frames = {pair: _tidy(report_context, pair) for pair in pairs}
    values = [v for frame in frames.values() for v in frame[["value", "low", "high"]].to_numpy().ravel()]
    outcome = report_context.inputs.outcome
    log = outcome.suits_log(values)
    limits = limits_of(values, log=log)
    equal = "ratios" if log else "differences"
    scale = f"{'Log' if log else 'Linear'} scale" + (f" in {outcome.unit}" if outcome.unit else "")
    panels = [
        _panel(report_context, pair, frame, limits, place, log)
        for place, (pair, frame) in enumerate(frames.items())
    ]
    place, lead_title = _lead(report_context, pairs)
    data = pd.concat(
        [frame.assign(factor=pair[0], by=pair[1]) for pair, frame in frames.items()], ignore_index=True
    )
    return Figure(
        slug="interaction",
        title=_title(gated, _stated(report_context), smallest),
        lead=(place,),
        lead_title=lead_title,
        caption=(
            "Thick lines: mean over blocks with its 95 % interval, one for each level of the second factor, averaged "
            "over the cells of the rest; faint lines: one block each. "
            f"{scale}, the same in every panel. "
            f"Parallel lines on this scale mean equal {equal}; gates compare differences. Averages are withheld where "
            "q values (Benjamini and Hochberg over all pairs) and the sizes of effects make a dependence likely."
        ),
        num=f"n = {plural(int(report_context.results.rows['block'].nunique()), 'block')}",
        alt=_alt(report_context, frames),
        panels=tuple(panels),
        data=data,
        columns=2,
    )


def _gated(report_context: ReportContext) -> list[Pair]:
    rows = report_context.report["contrasts"]
    pairs = [(row["factor"], row["interacts_with"]) for row in rows if row["gate"] == Gate.INTERACTION]
    first = {frozenset(pair): pair for pair in reversed(pairs)}  # depth by dropout is dropout by depth
    return [pair for pair in dict.fromkeys(pairs) if first[frozenset(pair)] == pair]


def _stated(report_context: ReportContext) -> list[Pair]:
    """The pairs of which it is licensed to say that one depends on the other."""
    rows = report_context.report["contrasts"]
    is_holm = report_context.results.look.rules.holm
    stated = {
        frozenset((row["factor"], row["interacts_with"]))
        for row in rows
        if row["gate"] == Gate.INTERACTION and (is_holm or row["states_interaction"])
    }
    return [pair for pair in _gated(report_context) if frozenset(pair) in stated]


def _lead(report_context: ReportContext, pairs: Sequence[Pair]) -> tuple[int, str]:
    """The place of the panel that shows what the verdict says of its factor's dependence, and that as its title.

    Without such a claim the first panel, under the names of what it shows.
    """
    outcome = report_context.inputs.outcome
    rows = [row for row in report_context.report["contrasts"] if row["outcome"] == outcome.name]
    factor = rows[0]["factor"]  # the verdict is about the factor that the plan names first
    mine = [each for row in rows if row["factor"] == factor for each in row["by_level"] or ()]
    claimed = depends_most(mine, outcome)
    if claimed is not None and (factor, claimed[0]) in pairs:
        return pairs.index((factor, claimed[0])), claimed[1]
    first, by = pairs[0]
    return 0, f"{capital(outcome.title)} by {factor_name(first)} and {factor_name(by)}"


def _title(gated: list[Pair], stated: list[Pair], smallest: "pd.Series[Any]") -> str:
    if not gated:
        pair = listed([factor_spoken(str(smallest[name])) for name in ("factor", "by")])
        return f"No dependence between factors passes its gate; the smallest q, {p_value(smallest['q'])}, is of {pair}"
    parts = [f"{factor_name(factor)} on {factor_name(by)}" for factor, by in stated or gated]
    how = "depend" if stated else "may depend"
    return f"Which differences {how} on another factor: {listed(parts)}"


def interaction_table(report_context: ReportContext) -> Table:
    """Every change of an effect with the level of another factor: those that are stated first, then by q."""
    found, unit = report_context.results.interactions, report_context.inputs.outcome.unit
    if found.empty or report_context.results.look.rules.holm:
        return Table(caption="Interactions", columns=[], rows=[])
    columns = [
        Column(name="difference", is_number=False),
        Column(name="by", is_number=False),
        Column(name="at the first", unit=unit),
        Column(name="at the second", unit=unit),
        Column(name="change", unit=unit),
        Column(name="simultaneous interval", unit=unit),
        Column(name="q"),
        Column(name="gate", is_number=False),
    ]
    ordered = found.assign(stated=found["gate"] == Gate.INTERACTION)
    ordered = ordered.sort_values(["stated", "q"], ascending=[False, True])
    records = ordered.to_dict("records")
    return Table(
        caption="Interactions: how an effect changes with the level of another factor (differences, not ratios)",
        columns=columns,
        rows=[_table_row(row) for row in records],
        folded=True,
        of=[(*owner_of(row), *owner_of(row, "by", "by")) for row in records],
    )


def _table_row(row: Mapping[Any, Any]) -> list[Cell]:
    low, high = row["simultaneous_low"], row["simultaneous_high"]
    places = decimals_between(low, high)
    effects = (row["effect_a"], row["effect_b"], row["estimate"])
    return [
        Cell(text=difference_name(row["factor"], row["level_a"], row["level_b"])),
        Cell(text=difference_name(row["by"], row["by_a"], row["by_b"])),
        *(Cell(text=signed(value, places), value=value) for value in effects),
        Cell(text=f"{number(low, places)} to {number(high, places)}", value=high - low),
        Cell(text=p_value(row["q"]), value=row["q"]),
        Cell(text=row["gate"]),
    ]


def _tidy(report_context: ReportContext, pair: Pair) -> pd.DataFrame:
    factor, by = pair
    factors = report_context.inputs.factors
    return interaction.tidy(
        report_context.results.rows,
        factor,
        factors[factor],
        by,
        factors[by],
        report_context.inputs.outcome.name,
        report_context.inputs.outcome.bounds(report_context.results.rows[report_context.inputs.outcome.name]),
    )


def _panel(
    report_context: ReportContext,
    pair: Pair,
    frame: pd.DataFrame,
    limits: tuple[float, float],
    place: int,
    log: bool,
) -> Panel:
    (factor, by), factors = pair, report_context.inputs.factors
    named = [factor_name(by), *(report_context.theme.style(by, level).name for level in factors[by])]
    return draw_panel(
        partial(
            interaction.draw,
            frame,
            theme=report_context.theme,
            factor=factor,
            levels=factors[factor],
            by=by,
            by_levels=factors[by],
            limits=limits,
            log=log,
            measure=report_context.inputs.outcome,
        ),
        Sheet(right=max(56.0, 8 + LETTER * max(map(len, named)))),
        heading=f"{factor_name(factor).capitalize()}, by {factor_name(by)}",
        note=report_context.inputs.outcome.kind,
        prefix=f"inter{place}",
    )


def _alt(report_context: ReportContext, frames: Mapping[Pair, pd.DataFrame]) -> str:
    parts = []
    for (factor, by), frame in frames.items():
        means = frame[frame["kind"] == "mean"]
        cells = [
            f"{row['level']} with {row['by_level']}: {number(row['value'], 2)}" for _, row in means.iterrows()
        ]
        parts.append(f"{factor_name(factor)} by {factor_name(by)}: {', '.join(cells)}")
    return f"Mean {report_context.inputs.outcome.with_unit} by level of two factors. " + "; ".join(parts)
