"""The seed lottery: what a sweep with one seed would have told, drawn from the stored networks; variation, limits."""

import json
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import pandas as pd

from reports.claims.draws import CONFIGURATION, configuration_name
from reports.inputs.measures import Measure
from reports.plots import bars
from reports.plots.style.canvas import Panel, Sheet, draw_panel
from reports.plots.style.figure import Figure
from reports.plots.style.marks import Of, levels, setting
from reports.results.best import describe
from reports.results.outcomes import all_failed
from reports.results.variation import MORE
from reports.sections.configurations import FACTOR, configuration_names
from reports.sections.parts.section import (
    Cell,
    Column,
    ReportContext,
    Section,
    Table,
    settings_of,
    several,
)
from reports.sections.parts.tables import owner_of
from reports.wording.words import (
    count,
    decimals_for,
    difference_name,
    factor_name,
    level_name,
    number,
    percent,
    plural,
)

SHOWN = 10  # configurations in the picture
LETTER = 5.3  # points, so that the longest name fits
SIGNS = " Wrong sign: share of sweeps in which a difference whose direction is claimed has the other sign."


def lottery(report_context: ReportContext) -> Section:
    """How often another configuration wins, then where variation comes from, limits, and what was not tested."""
    drawn = report_context.report["lottery"]
    context = {
        "sentences": drawn["sentences"] if drawn else [],
        "again": json.dumps(_again(drawn, report_context.inputs.outcome), ensure_ascii=False)
        if drawn
        else None,
        "failed": all_failed(report_context.results.rows),
        **{name: limits_context(report_context)[name] for name in ("variation", "variation_tables")},
    }
    figures = [_figure(report_context, drawn)] if drawn else []
    return Section(
        slug="lottery",
        title="What one seed alone would have told",
        folded=True,
        hint="the seed lottery, and where variation comes from",
        figures=figures,
        context=context,
    )


def _again(drawn: Mapping[str, Any], outcome: Measure) -> dict[str, Any]:
    """What the script draws from: configurations, the lowest mean first, and their losses."""
    return {
        "names": [each["name"] for each in drawn["networks"]],
        "losses": [
            [None if loss is None else round(loss, 4) for loss in each["losses"]]
            for each in drawn["networks"]
        ],
        # What is the better the higher comes with the other sign.
        **({"sign": outcome.sign, "unit": outcome.unit} if outcome.is_own else {}),
    }


def _figure(report_context: ReportContext, drawn: Mapping[str, Any]) -> Figure:
    networks, outcome = drawn["networks"], report_context.inputs.outcome
    ordered = sorted(networks, key=lambda each: (-each["share"], each["mean"]))
    frame = bars.tidy(
        [each["name"] for each in ordered],
        [each["share"] for each in ordered],
        [each is networks[0] for each in ordered],
    )
    shown = frame[frame["share"] > 0].head(SHOWN)
    known = _owners(report_context)
    owners = [known.get(name, ()) for name in shown["name"]]
    panels = [_panel(shown, "Comes out first", "share of sweeps", _width(shown), "lottery-crown", owners)]
    signs = [row for row in drawn["signs_at_best"] if row["share_wrong"] is not None]
    wrong = bars.tidy(
        [difference_name(row["factor"], *_levels(row)) for row in signs],
        [row["share_wrong"] for row in signs],
        [False] * len(signs),
    )
    if len(wrong):
        panels.append(
            _panel(
                wrong,
                f"Wrong sign, at each level's {outcome.extreme} {outcome.kind}",
                "",
                246,
                "lottery-sign",
                [owner_of(row) for row in signs],
            )
        )
    first = f"{shown['name'].iloc[0]} in {percent(shown['share'].iloc[0], 0)}"
    many = int((frame["share"] > 0).sum())
    return Figure(
        slug="lottery",
        title=f"With one seed, {plural(many, 'configuration')} of {count(len(frame))} can win",
        caption=(
            "Each sweep takes the networks of one block, as one seed and one split would give them, and takes the "
            f"configuration with the {outcome.extreme} {outcome.title}. Bars: share of sweeps won, at most {SHOWN} "
            "configurations; in colour, the one with "
            f"the {outcome.extreme} mean over all blocks.{SIGNS if len(wrong) else ''}"
        ),
        num=f"n = {plural(drawn['num_sweeps'], 'sweep')} of {plural(len(report_context.results.rows), 'network')}",
        alt=f"Share of single-seed sweeps that each configuration wins; most often {first}",
        panels=tuple(panels),
        data=frame,
        columns=3,
    )


def _owners(report_context: ReportContext) -> dict[str, Of]:
    """Whose the bar of a configuration is, by its name: of all its levels, or of the one that it is."""
    inputs = report_context.inputs
    if inputs.has_cells:
        return {describe(found): setting(found) for found in settings_of(inputs.factors, [*inputs.factors])}
    names = configuration_names(report_context.report["confirmed"])
    return {
        configuration_name(inputs, {CONFIGURATION: number}): levels(FACTOR, name)
        for number, name in names.items()
    }


def _width(frame: pd.DataFrame) -> float:
    return max(246.0, LETTER * max(map(len, frame["name"])))


def _levels(row: Mapping[str, Any]) -> list[Any]:
    return [tuple(row[name]) if isinstance(row[name], list) else row[name] for name in ("level_a", "level_b")]


def _panel(
    frame: pd.DataFrame, heading: str, note: str, width: float, prefix: str, of: Sequence[Of] = ()
) -> Panel:
    return draw_panel(
        partial(bars.draw, frame, why_empty="Nothing was drawn.", what="share of sweeps", of=of),
        Sheet(width=width, height=30 + bars.ROW * max(len(frame), 2), left=2, right=2, top=26, bottom=4),
        heading=heading,
        note=note,
        prefix=prefix,
    )


PARTS = {
    "cell": "between configurations",
    "block": "between blocks: data split and seeds, the same for all",
    "cell_by_block": "within a block, from configuration to configuration",
    "retraining": "between two networks of a configuration and block: retraining",
}


def limits_context(report_context: ReportContext) -> dict[str, Any]:
    """Sentences and tables about variation and limits."""
    outcome = report_context.inputs.outcome
    variation, limits = report_context.report["variation"], report_context.report["limits"]
    tables = (
        [] if variation is None else [_components(variation, outcome), _more_blocks(variation, outcome.unit)]
    )
    return {
        "variation": None if variation is None else variation["sentence"],
        "variation_tables": [table for table in tables if table.rows],
        "limits": [each for each in limits["sentences"] if each["gate"] != "BUDGET"],
        "improving": [each for each in limits["sentences"] if each["gate"] == "BUDGET"],
        "improving_table": _improving(limits, several(report_context.inputs.factors)),
        "data_notes": (report_context.inputs.provenance.get("dataset") or {}).get("notes", []),
        "untested": limits["untested"]["sentence"],
    }


def _components(variation: dict[str, Any], outcome: Measure) -> Table:
    """Standard deviations near the best and over all, on the test part and, retraining told apart, on validation."""
    second = variation["retraining"] or {}
    found = {
        f"{outcome.title}, near the best cell": variation["near_best"],
        f"{outcome.title}, all": variation,
        "validation, near the best cell": second.get("near_best"),
        "validation, all": second.get("all"),
    }
    known = {
        name: each for name, each in found.items() if each and each["components"]["cell_by_block"] is not None
    }
    columns = [
        Column(name="part", is_number=False),
        *(
            Column(name=f"{name} ({count(each['components']['num_cells'])})", unit=outcome.unit)
            for name, each in known.items()
        ),
    ]
    rows = [
        [Cell(text=words), *(_sd(each, name) for each in known.values())]
        for name, words in PARTS.items()
        if known and (name != "retraining" or second)
    ]
    return Table(
        caption="Variance components as standard deviations; on the test part, retraining is within the third",
        columns=columns,
        rows=rows,
    )


def _sd(found: Mapping[str, Any], name: str) -> Cell:
    sd = found["sd"][name]
    return Cell(text=number(sd, 3 if sd is None or sd >= 0.01 else 4), value=sd)


def _more_blocks(variation: dict[str, Any], unit: str) -> Table:
    columns = [
        Column(name="difference", is_number=False),
        Column(name="blocks"),
        Column(name="half-width now", unit=unit),
        Column(name="blocks then"),
        Column(name="half-width then", unit=unit),
    ]
    rows, owners = [], []
    for row in variation["more_blocks"]:
        if row["half_width"] is None:
            continue
        places = decimals_for(row["half_width_then"])
        levels = [
            tuple(each) if isinstance(each, list) else each for each in (row["level_a"], row["level_b"])
        ]
        owners.append(owner_of(row))
        rows.append(
            [
                Cell(text=difference_name(row["factor"], *levels)),
                Cell(text=count(row["num_blocks"]), value=row["num_blocks"]),
                Cell(text=number(row["half_width"], places), value=row["half_width"]),
                Cell(text=count(row["num_blocks_then"]), value=row["num_blocks_then"]),
                Cell(text=number(row["half_width_then"], places), value=row["half_width_then"]),
            ]
        )
    return Table(
        caption=f"What {MORE} more blocks would buy", columns=columns, rows=rows, folded=True, of=owners
    )


def _improving(limits: dict[str, Any], factors: Mapping[str, Sequence[Any]]) -> Table:
    columns = [
        Column(name="factor", is_number=False),
        Column(name="level", is_number=False),
        Column(name="still improving", unit="% of cells"),
        Column(name="cells"),
    ]
    shown = [row for row in limits["improving"] if row["factor"] in factors]
    rows = [
        [
            Cell(text=factor_name(row["factor"])),
            Cell(text=level_name(row["level"])),
            Cell(text=percent(row["share"], 0).removesuffix("%").strip(), value=row["share"]),
            Cell(text=count(row["num_cells"]), value=row["num_cells"]),
        ]
        for row in shown
    ]
    owners = [levels(row["factor"], row["level"]) for row in shown]
    caption = "Still improving when training ended"
    return Table(caption=caption, columns=columns, rows=rows, folded=True, of=owners)
