"""Sentences beside the contrasts: the limits of a comparison, associations, and the seed lottery."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from reports.gates import Gate
from reports.looks import Look
from reports.lottery import Lottery
from reports.phrases import capital, condition, counted, rather
from reports.sentence import Sentence
from reports.words import count, covered, number, percent


def about_budget(factor: str, level: Any, share: float, epochs: int) -> Sentence:
    """BUDGET: the level's networks were still improving when training ended, in that share of its cells."""
    text = f"after {counted(epochs, 'epoch', 'epochs')}; still improving {condition(factor, level)}"
    return Sentence(
        text=f"{capital(text)} ({percent(share, 0)} of its cells).",
        gate=Gate.BUDGET,
        numbers={"epochs": epochs, "share": share},
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
        text = (
            f"This is look {look.number} of {look.num_looks}, at {blocks}: it spends {percent(look.share, 0)} of the "
            f"error rate, and its intervals cover {covered(look.confidence)}."
        )
    if look.begun:
        text += " A later look has begun; its blocks are left out until it is whole."
    spent = {"share": look.share, "confidence": look.confidence}
    numbers = {"number": look.number, "num_looks": look.num_looks, "num_blocks": look.num_blocks, **spent}
    return Sentence(text=text, gate=None, numbers=numbers)


def about_lottery(drawn: Lottery) -> list[Sentence]:
    """What a sweep with one seed would have told: the crown, and the contrast whose sign is most often wrong."""
    draws = f"{count(drawn.num_draws)} single-seed sweeps drawn from these networks"
    crowned = int((drawn.crowned["share"] > 0).sum())
    said = Sentence(
        text=f"In {draws}, {percent(drawn.share_other)} crown another configuration than the mean over all blocks "
        f"does; {counted(crowned, 'configuration wins', 'different configurations win')} at least once.",
        gate=None,
        numbers={"num_draws": drawn.num_draws, "share_other": drawn.share_other, "num_crowned": crowned},
    )
    signs = drawn.signs.dropna(subset="share_wrong")
    if signs.empty:
        return [said]
    row = max(signs.to_dict("records"), key=lambda each: each["share_wrong"])
    pair = rather(row["factor"], row["level_a"], row["level_b"])
    return [
        said,
        Sentence(
            text=f"The difference {pair} has the wrong sign in {percent(row['share_wrong'])} of them.",
            gate=None,
            numbers={**_numeric(row), "share_wrong": row["share_wrong"]},
        ),
    ]


def about_association(first: str, second: str, correlation: float, num: int) -> Sentence:
    """ASSOCIATION: one measured thing goes along with another (a rank correlation over `num` networks)."""
    if not math.isfinite(correlation):
        text = f"Whether {first} goes along with {second} cannot be told: one of them does not vary."
        return Sentence(text=text, gate=Gate.UNRESOLVED)
    more, shown = "higher" if correlation > 0 else "lower", number(correlation, 2)
    text = (
        f"Higher {first} goes along with {more} {second} (rank correlation {shown}, {count(num)} networks)."
    )
    return Sentence(text=text, gate=Gate.ASSOCIATION, numbers={"correlation": correlation, "num": num})


def _numeric(row: Mapping[Any, Any]) -> dict[str, float]:
    return {name: row[name] for name in ("level_a", "level_b") if isinstance(row[name], int | float)}
