"""Tables that several sections share."""

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from reports.inputs.cube import plain
from reports.plots.style.marks import Of, levels
from reports.sections.parts.section import Cell, Column, ReportContext, Table
from reports.wording.words import (
    count,
    covered,
    decimals_between,
    decimals_for,
    difference_name,
    number,
    p_value,
    percent,
    signed,
)


def owner_of(row: Mapping[Any, Any], factor: str = "factor", at: str = "level") -> Of:
    """Whose a difference is: of the two levels that it is between, wherever it was computed.

    `factor` and `at` name the columns: `by` and `by` those of the factor that a difference depends on.
    """
    ends = (row[f"{at}_a"], row[f"{at}_b"])
    return levels(row[factor], *(plain(tuple(each) if isinstance(each, list) else each) for each in ends))


def contrast_table(
    caption: str, unit: str, contrasts: pd.DataFrame, *, confidence: float = 0.95, folded: bool = False
) -> Table:
    """Contrasts that are described: unadjusted intervals, and the share of matched pairs in which b is lower."""
    return _table(caption, unit, contrasts, [_unadjusted(unit, confidence), *_COMMON], folded)


def claimed_table(
    caption: str, unit: str, contrasts: pd.DataFrame, *, confidence: float = 0.95, folded: bool = False
) -> Table:
    """Contrasts that claims are made of: the interval that decides first, then the unadjusted one, named so.

    Of plans of versions 1 and 2, Holm's p value decides.
    """
    if "p_holm" in contrasts:
        decides = [(Column(name="p", unit="Holm"), _p("p_holm"))]
    else:
        decides = [
            (
                Column(name="simultaneous interval", unit=unit),
                _interval("simultaneous_low", "simultaneous_high"),
            )
        ]
    told = [(Column(name="gate", is_number=False), lambda row, _: Cell(text=row["gate"]))]
    return _table(
        caption, unit, contrasts, [*decides, _unadjusted(unit, confidence), *_COMMON, *told], folded
    )


Told = tuple[Column, Callable[[Mapping[Any, Any], int], Cell]]
"""A column, and its cell of a row with so many decimals."""


def _table(caption: str, unit: str, contrasts: pd.DataFrame, columns: Sequence[Told], folded: bool) -> Table:
    rows = []
    for row in contrasts.to_dict("records"):
        ends = [(row["ci_low"], row["ci_high"]), (row["simultaneous_low"], row["simultaneous_high"])]
        # Plans of versions 1 and 2 have no simultaneous interval.
        finite = [pair for pair in ends if all(map(math.isfinite, pair))]
        decimals = max((decimals_between(*pair) for pair in finite), default=decimals_for(None))
        first = [
            Cell(text=difference_name(row["factor"], row["level_a"], row["level_b"])),
            Cell(text=signed(row["estimate"], decimals), value=row["estimate"]),
        ]
        rows.append([*first, *(cell(row, decimals) for _, cell in columns)])
    heads = [Column(name="difference", is_number=False), Column(name="estimate", unit=unit)]
    return Table(
        caption=caption,
        columns=[*heads, *(column for column, _ in columns)],
        rows=rows,
        folded=folded,
        of=[owner_of(row) for row in contrasts.to_dict("records")],
    )


def _interval(low: str, high: str) -> Callable[[Mapping[Any, Any], int], Cell]:
    def cell(row: Mapping[Any, Any], decimals: int) -> Cell:
        text = f"{number(row[low], decimals)} to {number(row[high], decimals)}"
        return Cell(text=text, value=row[high] - row[low])

    return cell


def _p(name: str) -> Callable[[Mapping[Any, Any], int], Cell]:
    return lambda row, _: Cell(text=p_value(row[name]), value=row[name])


def _unadjusted(unit: str, confidence: float) -> Told:
    return Column(name=f"{covered(confidence)} interval, unadjusted", unit=unit), _interval(
        "ci_low", "ci_high"
    )


def _pairs(row: Mapping[Any, Any], _: int) -> Cell:
    share = row["probability_lower"]
    return Cell(text=percent(share, 0).removesuffix("%").strip(), value=share)


_COMMON: tuple[Told, ...] = (
    (Column(name="p", unit="sign-flip"), _p("p_sign_flip")),
    (Column(name="later level lower", unit="% of blocks and cells"), _pairs),
    (
        Column(name="blocks"),
        lambda row, _: Cell(text=count(row["num_blocks"]), value=row["num_blocks"]),
    ),
)


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
