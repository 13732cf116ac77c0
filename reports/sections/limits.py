"""What stands below the seed lottery: variance components, what more blocks buy, limits, what was not tested."""

from typing import Any

from reports.inputs.measures import Measure
from reports.results.variation import MORE
from reports.sections.parts.section import Cell, Column, Material, Table
from reports.wording.words import (
    count,
    decimals_for,
    difference_name,
    factor_name,
    level_name,
    number,
    percent,
    small,
)

PARTS = {
    "cell": "between configurations",
    "block": "between blocks: data split and seeds, the same for all",
    "cell_by_block": "within a block, from configuration to configuration, with retraining",
}


def limits_context(material: Material) -> dict[str, Any]:
    """Sentences and tables for the template of section "The seed lottery"."""
    outcome = material.inputs.outcome
    variation, limits = material.report["variation"], material.report["limits"]
    tables = (
        [] if variation is None else [_components(variation, outcome), _more_blocks(variation, outcome.unit)]
    )
    return {
        "variation": None if variation is None else variation["sentence"],
        "variation_tables": [table for table in tables if table.rows],
        "limits": [each for each in limits["sentences"] if each["gate"] != "BUDGET"],
        "improving": [each for each in limits["sentences"] if each["gate"] == "BUDGET"],
        "improving_table": _improving(limits),
        "data_notes": (material.inputs.provenance.get("dataset") or {}).get("notes", []),
        "untested": limits["untested"]["sentence"],
    }


def _components(variation: dict[str, Any], outcome: Measure) -> Table:
    columns = [
        Column(name="part", is_number=False),
        Column(name="variance", unit=f"{outcome.unit}²" if outcome.unit else ""),
        Column(name="standard deviation", unit=outcome.unit),
    ]
    found = variation["components"]
    rows = [
        [
            Cell(text=words),
            Cell(text=small(found[name]), value=found[name]),
            Cell(text=number(variation["sd"][name]), value=variation["sd"][name]),
        ]
        for name, words in PARTS.items()
    ]
    known = found["cell_by_block"] is not None
    return Table(
        caption=f"Variance components of {outcome.title}", columns=columns, rows=rows if known else []
    )


def _more_blocks(variation: dict[str, Any], unit: str) -> Table:
    columns = [
        Column(name="difference", is_number=False),
        Column(name="blocks"),
        Column(name="half-width now", unit=unit),
        Column(name="blocks then"),
        Column(name="half-width then", unit=unit),
    ]
    rows = []
    for row in variation["more_blocks"]:
        if row["half_width"] is None:
            continue
        places = decimals_for(row["half_width_then"])
        levels = [
            tuple(each) if isinstance(each, list) else each for each in (row["level_a"], row["level_b"])
        ]
        rows.append(
            [
                Cell(text=difference_name(row["factor"], *levels)),
                Cell(text=count(row["num_blocks"]), value=row["num_blocks"]),
                Cell(text=number(row["half_width"], places), value=row["half_width"]),
                Cell(text=count(row["num_blocks_then"]), value=row["num_blocks_then"]),
                Cell(text=number(row["half_width_then"], places), value=row["half_width_then"]),
            ]
        )
    return Table(caption=f"What {MORE} more blocks would buy", columns=columns, rows=rows, folded=True)


def _improving(limits: dict[str, Any]) -> Table:
    columns = [
        Column(name="factor", is_number=False),
        Column(name="level", is_number=False),
        Column(name="still improving", unit="% of cells"),
        Column(name="cells"),
    ]
    rows = [
        [
            Cell(text=factor_name(row["factor"])),
            Cell(text=level_name(row["level"])),
            Cell(text=percent(row["share"], 0).removesuffix("%").strip(), value=row["share"]),
            Cell(text=count(row["num_cells"]), value=row["num_cells"]),
        ]
        for row in limits["improving"]
    ]
    return Table(caption="Still improving when training ended", columns=columns, rows=rows, folded=True)
