"""Sentences beside the contrasts: the limits of a comparison, associations, and the seed lottery."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from reports.inputs.measures import TEST_LOG_LOSS, Measure
from reports.results.looks import Look
from reports.statistics.gates import Gate
from reports.statistics.lottery import Lottery
from reports.wording.phrases import Sentence, capital, condition, counted, epochs_spoken, rather
from reports.wording.words import count, covered, number, percent

SLIGHT = 0.1
"""Rank correlations nearer to 0 than this say next to nothing (under 1 % of the variance of the ranks)."""


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
    """What a sweep with one seed would have told: the crown, and the contrast whose sign is most often wrong."""
    draws = f"{count(drawn.num_draws)} single-seed sweeps drawn from these networks"
    crowned = int((drawn.crowned["share"] > 0).sum())
    said = Sentence(
        text=f"In {draws}, {percent(drawn.share_other)} crown another configuration than the mean over all blocks "
        f"does; {counted(crowned, 'configuration wins', 'different configurations win')} at least once.",
        gate=None,
        numbers={"num_draws": drawn.num_draws, "share_other": drawn.share_other, "num_crowned": crowned},
    )
    averaged, at_best = (_often_wrong(signs) for signs in (drawn.signs, drawn.signs_at_best))
    if averaged is None or at_best is None:
        return [said]
    most = f"more than {percent(averaged['share_wrong'])}" if averaged["share_wrong"] else "any"
    pair = rather(at_best["factor"], at_best["level_a"], at_best["level_b"])
    return [
        said,
        Sentence(
            text=f"The difference {pair}, each at its {outcome.extreme} {outcome.kind} of the sweep, has the wrong "
            f"sign in {percent(at_best['share_wrong'])} of them; of the differences averaged over the other factors "
            f"none has it in {most}.",
            gate=None,
            numbers={
                **_numeric(at_best),
                "share_wrong": at_best["share_wrong"],
                "share_wrong_averaged": averaged["share_wrong"],
            },
        ),
    ]


def _often_wrong(signs: pd.DataFrame) -> dict[Any, Any] | None:
    """The contrast whose sign is most often wrong; None without any."""
    rows = signs.dropna(subset="share_wrong").to_dict("records")
    return max(rows, key=lambda each: each["share_wrong"], default=None)


def about_association(first: str, second: str, correlation: float, num: int) -> Sentence:
    """ASSOCIATION: one measured thing goes along with another (a rank correlation over `num` networks)."""
    if not math.isfinite(correlation):
        text = f"Whether {first} goes along with {second} cannot be told: one of them does not vary."
        return Sentence(text=text, gate=Gate.UNRESOLVED)
    shown = number(correlation, 2)
    if abs(correlation) < SLIGHT:
        text = (
            f"{capital(first)} and {second} hardly go along with each other (rank correlation {shown}, "
            f"{count(num)} networks)."
        )
        return Sentence(text=text, gate=Gate.ASSOCIATION, numbers={"correlation": correlation, "num": num})
    more = "higher" if correlation > 0 else "lower"
    text = (
        f"Higher {first} goes along with {more} {second} (rank correlation {shown}, {count(num)} networks)."
    )
    return Sentence(text=text, gate=Gate.ASSOCIATION, numbers={"correlation": correlation, "num": num})


def _numeric(row: Mapping[Any, Any]) -> dict[str, float]:
    return {name: row[name] for name in ("level_a", "level_b") if isinstance(row[name], int | float)}
