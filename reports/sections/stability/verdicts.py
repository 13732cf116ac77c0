"""Verdicts by level: the figure of shares and the table behind it."""

from collections.abc import Collection, Mapping, Sequence
from functools import partial
from typing import Any

import pandas as pd

from reports.inputs.cube import plain
from reports.plots import verdict_bars
from reports.plots.style.canvas import Sheet, draw_panel
from reports.plots.style.figure import Figure
from reports.plots.style.marks import levels as of_levels
from reports.plots.style.marks import verdict as of_verdict
from reports.sections.parts.section import Cell, Column, ReportContext, Table, of_several, several
from reports.stability.classes import STABLE, UNSTABLE, WATCH
from reports.stability.growth import VERDICTS
from reports.wording.words import count, factor_name, level_phrase, percent

WHEN = {"initial": "at initialisation", "trained": "in training"}


def verdict_figure(report_context: ReportContext) -> Figure | None:
    """One row for each level and one column for each verdict that occurs, worst first; None before there is any."""
    factors = several(report_context.inputs.factors)
    shares = of_several(report_context.results.verdicts, factors)
    present = [verdict for verdict in VERDICTS if (shares["verdict"] == verdict).any()]
    if not present:
        return None
    frame = verdict_bars.tidy(shares)
    width, height = verdict_bars.size(factors, report_context.theme, len(present))
    panel = draw_panel(
        partial(verdict_bars.draw, frame, theme=report_context.theme, factors=factors, verdicts=present),
        Sheet(width=width, height=height, left=0, right=0, top=0, bottom=0),
        prefix="verdict",
    )
    return Figure(
        slug="verdicts",
        title=_title(report_context.report["headline"]),
        caption=(
            "Share of networks with each verdict by level, in %. Bar and number: trained; ring: at initialisation, "
            "where any has it; thin lines: 95 % interval over blocks, for networks of one block share its data. Each "
            "row is marginal: it counts the networks of all cells at that level, so rows of one factor mix the levels "
            "of the others. Described, not claimed."
        ),
        num=_nums(report_context),
        alt=f"Share of each verdict by level, trained. {_alt(frame, present)}",
        panels=(panel,),
        data=frame,
        wide=True,
        columns=1,
    )


def words_of(report_context: ReportContext) -> list[str]:
    """The verdicts that occur, in the order of the figure's columns."""
    found = set(report_context.results.verdicts["verdict"])
    return [verdict for verdict in VERDICTS if verdict in found]


def _title(headline: Mapping[str, Any]) -> str:
    """What stands out, as plain counts of networks once trained: stable, on watch, unstable."""
    if not headline["has_verdicts"]:
        return "Verdicts at initialisation, by level"
    return (
        f"Of {count(headline['num_judged'])} confirmed networks {count(headline['num_stable'])} are {STABLE}, "
        f"{count(headline['num_watch'])} {WATCH} and {count(headline['num_unstable'])} {UNSTABLE}, by level"
    )


def _nums(report_context: ReportContext) -> str:
    """How many networks stand behind one row of each factor."""
    trained = of_several(
        report_context.results.verdicts, several(report_context.inputs.factors)
    ).drop_duplicates(["factor", "level"])
    parts = []
    for factor, rows in trained.groupby("factor", sort=False):
        nums = sorted({int(num) for num in rows["num"]})
        shown = count(nums[0]) if len(nums) == 1 else f"{count(nums[0])} to {count(nums[-1])}"
        parts.append(f"{shown} for each {factor_name(str(factor))}")
    return f"n of a row = {', '.join(parts)}"


def _alt(frame: pd.DataFrame, verdicts: Sequence[str]) -> str:
    parts = []
    for verdict in verdicts:
        held = (frame["verdict"] == verdict) & (frame["when"] == "trained") & (frame["share"] > 0)
        listed = [
            f"{level_phrase(row['factor'], plain(row['level']))} {percent(row['share'], 0)}"
            for row in frame[held].to_dict("records")
        ]
        parts.append(f"{verdict}: {', '.join(listed) or 'none trained so'}")
    return "; ".join(parts)


def verdict_table(report_context: ReportContext) -> Table:
    """Every share with its counts and interval."""
    columns = [
        Column(name="factor", is_number=False),
        Column(name="level", is_number=False),
        Column(name="when", is_number=False),
        Column(name="verdict", is_number=False),
        Column(name="networks"),
        Column(name="of"),
        Column(name="share", unit="%"),
        Column(name="95 % interval", unit="%"),
        Column(name="ranking of levels", is_number=False),
    ]
    flipped = {
        (when, flip["factor"], flip["verdict"])
        for when, part in report_context.report["stability"]["sensitivity"].items()
        for flip in part["flips"]
    }
    rows = [_row(report_context, row, flipped) for row in report_context.results.verdicts.to_dict("records")]
    owners = [
        (*of_levels(row["factor"], plain(row["level"])), *of_verdict(row["verdict"]))
        for row in report_context.results.verdicts.to_dict("records")
    ]
    return Table(caption="Verdicts by level", columns=columns, rows=rows, folded=True, of=owners)


def _row(
    report_context: ReportContext, row: Mapping[Any, Any], flipped: Collection[tuple[str, str, str]]
) -> list[Cell]:
    depends = (row["when"], row["factor"], row["verdict"]) in flipped
    low, share, high = (percent(row[name], 0).removesuffix("%").strip() for name in ("low", "share", "high"))
    return [
        Cell(text=factor_name(row["factor"])),
        Cell(text=report_context.theme.style(row["factor"], plain(row["level"])).name),
        Cell(text=WHEN[row["when"]]),
        Cell(text=str(row["verdict"])),
        Cell(text=count(row["count"]), value=float(row["count"])),
        Cell(text=count(row["num"]), value=float(row["num"])),
        Cell(text=share, value=row["share"]),
        Cell(text=f"{low} to {high}", value=row["high"] - row["low"]),
        Cell(text="depends on the threshold" if depends else ""),
    ]
