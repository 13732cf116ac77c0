"""Thresholds: the rules of the verdicts with their numbers, and what halving and doubling each one changes."""

from collections.abc import Mapping, Sequence
from typing import Any

from reports.sections.parts.section import Cell, Column, Table
from reports.stability.growth import VERDICTS
from reports.stability.verdict_sensitivity import PLANNED
from reports.wording.phrases import listed
from reports.wording.verdict_words import RULES, THRESHOLDS, rule_spoken
from reports.wording.words import count, factor_name, percent, small

DEPENDS = "depends on the threshold"


def rules_table(thresholds: Mapping[str, float]) -> Table:
    """Every verdict with its rule and this plan's thresholds in it; a plan without thresholds has no table."""
    columns = [Column(name="verdict", is_number=False), Column(name="rule", is_number=False)]
    rows = [
        [Cell(text=verdict), Cell(text=rule_spoken(verdict, thresholds))]
        for verdict in (RULES if thresholds else ())
    ]
    return Table(
        caption="The rules in their order: the first that holds is the verdict",
        columns=columns,
        rows=rows,
        folded=True,
    )


def sensitivity_table(found: Mapping[str, Any], when: str) -> Table:
    """Shares of all networks with every threshold halved and doubled; `found` is one part of the JSON's record."""
    variants: Sequence[Mapping[str, Any]] = found["variants"]
    names = list(variants[0]["counts"])
    columns = [
        Column(name="threshold", is_number=False),
        Column(name="set to"),
        *(Column(name=name, unit="%") for name in names),
        Column(name="ranking of levels", is_number=False),
    ]
    rows = [
        [
            Cell(text=THRESHOLDS.get(variant["threshold"], variant["threshold"])),
            Cell(text="" if variant["value"] is None else small(variant["value"], 3), value=variant["value"]),
            *(_share(variant["counts"][name], variant["num"]) for name in names),
            Cell(text=_ranking(variant)),
        ]
        for variant in variants
    ]
    caption = f"Verdicts {when}, every threshold halved and doubled ({count(variants[0]['num'])} networks)"
    return Table(caption=caption, columns=columns, rows=rows, folded=True)


def _ranking(variant: Mapping[str, Any]) -> str:
    if variant["threshold"] == PLANNED:
        return ""
    return DEPENDS if variant["depends"] else "the same"


def _share(num: int, of: int) -> Cell:
    share = num / of
    return Cell(text=percent(share, 1).removesuffix("%").strip(), value=share)


def about_thresholds(found: Mapping[str, Any]) -> str:
    """Which rankings of levels depend on a threshold, in a sentence; `found` is the JSON's record of sensitivity."""
    flipped = [flip for part in found.values() for flip in part["flips"]]
    if not flipped:
        return (
            "Halving or doubling any one threshold reverses no ranking of levels by the share of a verdict."
        )
    by_verdict = {
        verdict: dict.fromkeys(factor_name(flip["factor"]) for flip in flipped if flip["verdict"] == verdict)
        for verdict in VERDICTS
    }
    places = [f"{verdict} (by {listed(list(factors))})" for verdict, factors in by_verdict.items() if factors]
    return (
        "Halving or doubling one threshold reverses the ranking of some levels by the share of "
        f"{listed(places)}: these rankings depend on the threshold."
    )
