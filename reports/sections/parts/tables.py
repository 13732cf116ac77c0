"""Tables that several sections share."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from reports.inputs.cube import plain
from reports.sections.parts.section import Cell, Column, ReportContext, Table
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


NETWORK = ["trial_number", "replicate"]


def measured_layers(report_context: ReportContext) -> pd.DataFrame:
    """One row per network of the confirm phase, epoch and layer: the gradients, num_layers, block and the factors."""
    rows, gradients = report_context.results.rows, report_context.inputs.gradients
    levels = rows[[*NETWORK, "block", *report_context.inputs.factors]]
    layers = gradients[gradients["trial_number"].isin(set(rows["trial_number"]))].merge(levels, on=NETWORK)
    return layers.assign(num_layers=layers.groupby("trial_number")["layer"].transform("max"))


def chosen_factors(
    factors: Mapping[str, Sequence[Any]], preferred: Sequence[str], most_panels: int
) -> list[str]:
    """The preferred factors that get panels of their own, as many as fit."""
    chosen: list[str] = []
    for name in preferred:
        if name in factors and np.prod([len(factors[each]) for each in [*chosen, name]]) <= most_panels:
            chosen.append(name)
    return chosen


def level_names(
    report_context: ReportContext, column: "pd.Series[Any]", factor: str | None
) -> "pd.Series[Any]":
    """The name of each row's level of `factor`, each distinct level named once; "all" where there is no factor."""
    if factor is None:
        return pd.Series("all", index=column.index, dtype=object)
    codes, levels = pd.factorize(column.map(plain))
    names = np.array(
        [report_context.theme.style(factor, plain(level)).name for level in levels], dtype=object
    )
    return pd.Series(names[codes] if len(names) else [], index=column.index, dtype=object)
