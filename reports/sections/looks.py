"""Look by look: at which look each question was answered, the intervals on the way, and what each look cost."""

from collections.abc import Mapping
from functools import partial
from typing import Any

import pandas as pd

from reports.claims.look_by_look import about_looks, looks_title, why_withheld
from reports.inputs.decisions import Standing
from reports.plots import looks as intervals
from reports.plots.style.canvas import Panel, Sheet, draw_panel
from reports.plots.style.figure import Figure
from reports.plots.style.marks import Of
from reports.results.looks import looks_until_clear
from reports.sections.parts.section import Cell, Column, ReportContext, Section, Table
from reports.sections.parts.tables import owner_of
from reports.statistics.gates import Gate
from reports.wording.phrases import listed
from reports.wording.words import (
    MISSING,
    count,
    decimals_between,
    difference_name,
    duration,
    number,
    percent,
    signed,
)

MOST_NAMED = 12
"""Cells of the next look that are named one by one."""


def look_by_look(report_context: ReportContext) -> Section | None:
    """The evidence of looks; None where a single one is planned, and before the first is whole."""
    if not _has_looks(report_context):
        return None
    ahead = report_context.report["looks"]["next"]
    context = {
        "said": told_look_by_look(report_context),
        "questions": _questions(report_context),
        "costs": _costs(report_context),
        "next": ahead if ahead is not None and len(ahead["names"]) <= MOST_NAMED else None,
    }
    return Section(
        slug="looks",
        title="Look by look",
        folded=True,
        hint="when each question was answered, and what it cost",
        figures=[_figure(report_context)],
        context=context,
    )


def told_look_by_look(report_context: ReportContext) -> list[str]:
    """The sentences of this section; none where it is left out."""
    if not _has_looks(report_context):
        return []
    return [each.text for each in about_looks(report_context.inputs, report_context.results)]


def _has_looks(report_context: ReportContext) -> bool:
    results = report_context.results
    is_planned = bool(looks_until_clear(report_context.inputs.plan))
    return is_planned and bool(results.decisions) and not results.readings.empty


def _figure(report_context: ReportContext) -> Figure:
    results, outcome = report_context.results, report_context.inputs.outcome
    size = report_context.inputs.smallest_effect
    at_best = [
        {str(name): value for name, value in row.items()} for row in results.at_best.to_dict("records")
    ]
    frame = intervals.tidy(results.readings, at_best)
    reached = sorted({int(num) for num in frame["num_blocks"]})
    limits = intervals.scale_of(frame, size)
    shared = {first: _same(frame[frame["same_cells_as"] == first]) for first in dict.fromkeys(frame["label"])}
    drawn = [label for label in shared if frame.loc[frame["label"] == label, "same_cells_as"].iloc[0] == ""]
    owners = {
        difference_name(row["factor"], row["level_a"], row["level_b"]): owner_of(row) for row in at_best
    }
    most = 1 + any(shared.values())
    panels = [
        _panel(
            frame[frame["label"] == label],
            [*_notes(frame[frame["label"] == label], shared[label])],
            most,
            reached=reached,
            limits=limits,
            size=size,
            unit=outcome.axis,
            place=place,
            of=owners[label],
        )
        for place, label in enumerate(drawn)
    ]
    runs_out = bool(((frame["low"] < limits[0]) | (frame["high"] > limits[1])).any())
    return Figure(
        slug="looks",
        title=looks_title(results),
        caption=(
            "A panel for each question, a row for each look at which it was read: later level minus earlier one, with "
            "the simultaneous interval that decides. Thick bar and filled diamond: the look that answered it, whose "
            "interval it keeps. Thin bar and hollow circle: not answered there. No bar: answered before. "
            f"{_band(report_context)}The same scale in every panel"
            f"{'; an arrowhead means that the interval goes on' if runs_out else ''}."
        ),
        num=f"n = {listed([count(num) for num in reached])} {'block' if reached == [1] else 'blocks'}",
        alt=f"Differences in {outcome.with_unit} by look. {_told(frame)}",
        panels=tuple(panels),
        data=frame,
        columns=2,
    )


def _same(rows: pd.DataFrame) -> list[str]:
    """The questions that compare the same two cells, as they are named under the first one's heading."""
    found = rows.drop_duplicates("label").to_dict("records")
    return [f"{row['label']}{' (other sign)' if row['is_turned'] else ''}" for row in found]


def _band(report_context: ReportContext) -> str:
    size, outcome = report_context.inputs.smallest_effect, report_context.inputs.outcome
    if size is None:
        return ""
    return f"Shaded: within the smallest effect of interest (±{outcome.in_unit(f'{size:g}')}). "


def _told(frame: pd.DataFrame) -> str:
    """Every question's readings in words."""
    parts = []
    for label in dict.fromkeys(frame["label"]):
        rows = frame[frame["label"] == label].to_dict("records")
        read = ", ".join(f"{row['text']} at {row['num_blocks']} blocks" for row in rows)
        parts.append(f"{label}: {read}, {_standing(rows[-1])}")
    return "; ".join(parts)


def _panel(
    rows: pd.DataFrame,
    notes: list[str],
    most_notes: int,
    *,
    reached: list[int],
    limits: tuple[float, float],
    size: float | None,
    unit: str,
    place: int,
    of: Of,
) -> Panel:
    padded = [*notes, *[""] * (most_notes - len(notes))]
    height = 24 + 36 + intervals.ROW * (len(reached) + 0.55 * most_notes + 0.05)
    return draw_panel(
        partial(
            intervals.draw, rows, looks=reached, notes=padded, limits=limits, smallest_effect=size, unit=unit
        ),
        Sheet(height=height, left=intervals.LEFT, right=12, top=22, bottom=36),
        heading=str(rows["label"].iloc[0]),
        prefix=f"look{place}",
        of=of,
    )


def _notes(rows: pd.DataFrame, shared: list[str]) -> list[str]:
    """What is said under a panel's heading: how the question stands, and which other ones are the same."""
    said = _standing(rows.iloc[-1].to_dict())
    return [said, *([f"the same cells: {', '.join(shared)}"] if shared else [])]


def _standing(row: Mapping[Any, Any]) -> str:
    at = f"{row['num_blocks']} blocks"
    if row["standing"] == Standing.CLOSED:
        sign = "lower" if row["estimate"] < 0 else "higher"
        said = {Gate.EQUIVALENT: "practically equal", Gate.MEANINGFUL: f"{sign}, and it matters"}
        return f"answered at {at}: {said.get(Gate(row['gate']), sign)}"
    if row["standing"] == Standing.UNRESOLVED:
        return f"not resolved at {at}, the last look"
    return f"still open after {at}" if row["standing"] == Standing.OPEN else f"withheld at {at}"


def _questions(report_context: ReportContext) -> Table:
    """Each question: how it stands, at how many blocks, by which gate and interval."""
    outcome = report_context.inputs.outcome
    rows = []
    for row in report_context.results.at_best.to_dict("records"):
        low, high = row["simultaneous_low"], row["simultaneous_high"]
        decimals = decimals_between(low, high)
        rows.append(
            [
                Cell(text=difference_name(row["factor"], row["level_a"], row["level_b"])),
                Cell(text=_stands(row)),
                Cell(text=count(row["num_blocks"]), value=float(row["num_blocks"])),
                Cell(text=str(row["gate"])),
                Cell(text=signed(row["estimate"], decimals), value=row["estimate"]),
                Cell(text=f"{number(low, decimals)} to {number(high, decimals)}", value=high - low),
            ]
        )
    columns = [
        Column(name="question", is_number=False),
        Column(name="stands", is_number=False),
        Column(name="read last at", unit="blocks"),
        Column(name="gate", is_number=False),
        Column(name="difference", unit=outcome.unit),
        Column(name="simultaneous interval", unit=outcome.unit),
    ]
    owners = [owner_of(row) for row in report_context.results.at_best.to_dict("records")]
    return Table(caption="Every question and the look that it keeps", columns=columns, rows=rows, of=owners)


def _stands(row: Mapping[Any, Any]) -> str:
    words = {
        Standing.CLOSED: "answered",
        Standing.OPEN: "still open",
        Standing.UNRESOLVED: "not resolved at the last planned look",
    }
    return words.get(row["standing"]) or f"withheld: {why_withheld(row)}"


def _costs(report_context: ReportContext) -> Table:
    """What the search and each look cost, and the share of all."""
    accounting, whole = report_context.report["accounting"], report_context.report["accounting"]["seconds"]
    search = next(row for row in accounting["by_phase"] if row["phase"] == "search")
    parts = [("search", search)]
    parts += [(f"look {row['look']}", row) for row in accounting["by_look"]]
    rows = [
        [
            Cell(text=name),
            Cell(text=count(row.get("num_blocks")), value=float(row.get("num_blocks") or 0)),
            Cell(text=count(row["started"]), value=float(row["started"])),
            Cell(text=count(row["networks"]), value=float(row["networks"])),
            Cell(text=count(row["epochs"]), value=float(row["epochs"])),
            Cell(text=duration(row["seconds"]) if row["seconds"] else MISSING, value=row["seconds"]),
            Cell(text=_share(row["seconds"], whole), value=row["seconds"]),
        ]
        for name, row in [*parts, ("all", accounting)]
    ]
    columns = [
        Column(name="part", is_number=False),
        Column(name="up to block"),
        *(Column(name=name) for name in ("trials", "networks", "network-epochs", "busy time")),
        Column(name="share of busy time", unit="%"),
    ]
    return Table(caption="What each look cost", columns=columns, rows=rows)


def _share(seconds: float, whole: float) -> str:
    return percent(seconds / whole).removesuffix("%").strip() if whole else MISSING
