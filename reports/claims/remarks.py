"""Sentences beside the contrasts: the limits of a comparison, associations, and the seed lottery."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from reports.inputs.measures import TEST_LOG_LOSS, Measure
from reports.results.looks import Look
from reports.statistics.association import Association, Stratum
from reports.statistics.gates import Gate
from reports.statistics.lottery import Lottery
from reports.wording.phrases import Sentence, condition, counted, epochs_spoken, factor_spoken, rather
from reports.wording.words import covered, decimals_between, number, percent


def about_budget(
    factor: str, shares: Sequence[tuple[Any, float]], epochs: int, *, stop_early: bool = False
) -> Sentence:
    """BUDGET: networks were still improving when training ended, at these levels in that share of their cells."""
    parts = [f"{condition(factor, level)} ({percent(share, 0)} of the cells)" for level, share in shares]
    levels = {
        f"level_{place}": level for place, (level, _) in enumerate(shares) if isinstance(level, int | float)
    }
    return Sentence(
        text=f"After {epochs_spoken(epochs, at_most=stop_early)}; still improving {', '.join(parts)}.",
        gate=Gate.BUDGET,
        numbers={
            "epochs": epochs,
            **levels,
            **{f"share_{place}": share for place, (_, share) in enumerate(shares)},
        },
    )


def about_saturation(median_accuracy: float) -> Sentence:
    """SATURATED: accuracies lie so high that they no longer tell levels apart."""
    return Sentence(
        text=f"Accuracy is saturated (median {percent(median_accuracy)}); log-loss is compared.",
        gate=Gate.SATURATED,
        numbers={"median_accuracy": median_accuracy},
    )


def about_look(look: Look) -> Sentence | None:
    """Which planned look this is, what it spends, and whether a later one has begun; None where one is planned."""
    if look.num_looks == 1:
        return None
    blocks = counted(look.num_blocks, "block", "blocks")
    if look.number == 0:
        planned = counted(look.num_looks, "planned look", "planned looks")
        text = f"The first of {planned}, at {blocks}, is not whole yet."
    else:
        text = f"This is look {look.number} of {look.num_looks}, at {blocks}: {_spends(look)}."
    if look.begun:
        text += " A later look has begun; its blocks are left out until it is whole."
    spent = {"share": look.share, "confidence": look.confidence}
    numbers = {"number": look.number, "num_looks": look.num_looks, "num_blocks": look.num_blocks, **spent}
    return Sentence(text=text, gate=None, numbers=numbers)


def _spends(look: Look) -> str:
    """What a look spends of the error rate: by plans of versions 1 and 2 in every family, else at best."""
    if look.rules.holm:
        covering = covered(look.confidence)
        return f"it spends {percent(look.share, 0)} of the error rate, and its intervals cover {covering}"
    return (
        f"comparisons at best spend {percent(look.share, 0)} of their share of the error rate here, all others use "
        "the blocks of the first look"
    )


def about_lottery(drawn: Lottery, outcome: Measure = TEST_LOG_LOSS) -> list[Sentence]:
    """What sweeps with one seed would have told: the crown, and the claimed contrast whose sign is most often wrong."""
    num = counted(drawn.num_sweeps, "sweep", "sweeps")
    crowned = int((drawn.crowned["share"] > 0).sum())
    said = Sentence(
        text=f"A sweep with one seed trains every configuration once, on the same split. Of the {num} that these "
        f"networks hold, one a block, {percent(drawn.share_other, 0)} crown another configuration than the mean over "
        f"all blocks does; {counted(crowned, 'configuration wins', 'different configurations win')} at least once.",
        gate=None,
        numbers={"num_sweeps": drawn.num_sweeps, "share_other": drawn.share_other, "num_crowned": crowned},
    )
    if drawn.signs.empty:
        return [said]
    places = {
        f"each at its {outcome.extreme} {outcome.kind} of the sweep": _often_wrong(drawn.signs_at_best),
        "averaged over the other factors": _often_wrong(drawn.signs),
    }
    told = [_about_sign(place, row) for place, row in places.items() if row is not None]
    if told:
        return [said, *told]
    none = "No direction is claimed at best or averaged over the other factors, so no sweep has a sign that is wrong."
    return [said, Sentence(text=none, gate=None)]


def _about_sign(place: str, row: Mapping[Any, Any]) -> Sentence:
    """In how many sweeps a difference whose direction is claimed has the other sign."""
    pair = rather(row["factor"], row["level_a"], row["level_b"])
    return Sentence(
        text=f"Of the differences whose direction is claimed, that {pair}, {place}, has the other sign in "
        f"{percent(row['share_wrong'], 0)} of the sweeps; none has it in more.",
        gate=None,
        numbers={**_numeric(row), "share_wrong": row["share_wrong"]},
    )


def _often_wrong(signs: pd.DataFrame) -> dict[Any, Any] | None:
    """The claimed contrast whose sign is most often wrong; None without any."""
    rows = signs.dropna(subset="share_wrong").to_dict("records")
    return max(rows, key=lambda each: each["share_wrong"], default=None)


def about_both_best(
    taken: str,
    crowned: str,
    gap: tuple[float, float, float],
    num_blocks: int,
    outcome: Measure = TEST_LOG_LOSS,
) -> Sentence:
    """What joins the best configuration of the report and the lottery's, where they are not the same.

    `gap` is the outcome of the one taken less that of the one crowned, with its ends.
    """
    estimate, low, high = gap
    places = decimals_between(low, high)
    told = outcome.in_unit(number(estimate, places))
    return Sentence(
        text=f"The {outcome.extreme} mean over all blocks is that of {crowned}; the best configuration of this report "
        f"is {taken}, which the search selected before any test score was read. Between them lies {told} "
        f"[{number(low, places)} to {number(high, places)}] of {outcome.title} over "
        f"{counted(num_blocks, 'block', 'blocks')}; to take the other now would be to select by the test part.",
        gate=None,
        numbers={"estimate": estimate, "low": low, "high": high, "num_blocks": num_blocks},
    )


def about_association(first: str, second: str, found: Association) -> Sentence:
    """ASSOCIATION: one measured thing goes along with another within every stratum, with the interval that says so.

    Where the strata disagree, or there is one only, a sentence without a gate says that, and nothing of the two.
    """
    ranks = [each.correlation for each in found.strata]
    if not found.agree:
        lowest, highest = (pick(found.strata, key=lambda each: each.correlation) for pick in (min, max))
        parts = [
            f"{number(each.correlation, 2)} {condition(each.factor, each.level)}"
            for each in (lowest, highest)
        ]
        numbers = {"lowest": min(ranks), "highest": max(ranks), **_stratum_levels(lowest, highest)}
        span = (
            f"runs from {parts[0]} to {parts[1]}"
            if len(ranks) > 1
            else f"is {parts[0]} and known there alone"
        )
        text = f"The rank correlation of {first} and {second} over cells {span}, so nothing is said of them together."
        return Sentence(text=text, gate=None, numbers=numbers)
    assert found.factor is not None
    low, high = number(found.low, 2), number(found.high, 2)
    told = f"{number(found.correlation, 2)} [{low} to {high}]"
    where = f"within the levels of {factor_spoken(found.factor)}, where it is nearest to 0"
    numbers = {"correlation": found.correlation, "low": found.low, "high": found.high}
    if found.low <= 0 <= found.high:
        text = (
            f"Whether {first} goes along with {second} is not resolved: the rank correlation over cells is {told} "
            f"{where}."
        )
        return Sentence(text=text, gate=Gate.UNRESOLVED, numbers=numbers)
    more = "higher" if found.correlation > 0 else "lower"
    text = (
        f"In every stratum of the factors higher {first} goes along with {more} {second} (rank correlation over cells "
        f"{told} {where}; described, not claimed)."
    )
    return Sentence(text=text, gate=Gate.ASSOCIATION, numbers=numbers)


def _stratum_levels(*strata: Stratum) -> dict[str, float]:
    return {
        f"level_{place}": each.level
        for place, each in enumerate(strata)
        if isinstance(each.level, int | float)
    }


def _numeric(row: Mapping[Any, Any]) -> dict[str, float]:
    return {name: row[name] for name in ("level_a", "level_b") if isinstance(row[name], int | float)}
