"""Tables that several sections share."""

import pandas as pd

from reports.sections.parts.section import Cell, Column, Table
from reports.wording.words import (
    count,
    covered,
    decimals_for,
    difference_name,
    number,
    p_value,
    percent,
    signed,
)


def contrast_table(
    caption: str, unit: str, contrasts: pd.DataFrame, *, confidence: float = 0.95, folded: bool = False
) -> Table:
    """Contrasts with intervals, adjusted p values and the share of matched pairs in which the later level is lower.

    The plain interval holds for this sample's data; beside it stands Nadeau and Bengio's for new samples.
    """
    columns = [
        Column(name="difference", is_number=False),
        Column(name="estimate", unit=unit),
        Column(name=f"{covered(confidence)} interval", unit=unit),
        Column(name="for new samples", unit=unit),
        Column(name="p", unit="Holm"),
        Column(name="p", unit="sign-flip"),
        Column(name="later lower", unit="% of pairs"),
        Column(name="blocks"),
    ]
    rows = []
    for row in contrasts.to_dict("records"):
        decimals = decimals_for((row["ci_high"] - row["ci_low"]) / 2)
        low, high = number(row["ci_low"], decimals), number(row["ci_high"], decimals)
        new_low, new_high = number(row["sample_low"], decimals), number(row["sample_high"], decimals)
        share = row["probability_lower"]
        rows.append(
            [
                Cell(text=difference_name(row["factor"], row["level_a"], row["level_b"])),
                Cell(text=signed(row["estimate"], decimals), value=row["estimate"]),
                Cell(text=f"{low} to {high}", value=row["ci_high"] - row["ci_low"]),
                Cell(text=f"{new_low} to {new_high}", value=row["sample_high"] - row["sample_low"]),
                Cell(text=p_value(row["p_holm"]), value=row["p_holm"]),
                Cell(text=p_value(row["p_sign_flip"]), value=row["p_sign_flip"]),
                Cell(text=percent(share, 0).removesuffix("%").strip(), value=share),
                Cell(text=count(row["num_blocks"]), value=row["num_blocks"]),
            ]
        )
    return Table(caption=caption, columns=columns, rows=rows, folded=folded)
