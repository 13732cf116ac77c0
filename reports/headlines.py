"""Titles that say what a figure shows: short forms of gated results and plain counts, no more than gates allow."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from reports.gates import Gate
from reports.words import decimals_for, level_name, level_phrase, number

CLAIMED = (Gate.MEANINGFUL, Gate.DIRECTION)
_COUNTED = {
    Gate.MEANINGFUL: "beyond the smallest effect of interest",
    Gate.DIRECTION: "with a direction",
    Gate.EQUIVALENT: "practically equal",
    Gate.INTERACTION: "dependent on another factor",
    Gate.BOUNDARY: "limited by the range of learning rates",
    Gate.INDICATED: "only indicated",
    Gate.UNRESOLVED: "not resolved",
}


def largest_difference(contrasts: Sequence[Mapping[str, Any]]) -> str | None:
    """The largest claimed difference as a title: "Dropout 0.5 adds 1.21 nats of loss against 0.3 at depth 7".

    `contrasts` are those of report.json; simple effects count where a contrast depends on another factor. None
    where no gate licenses a direction.
    """
    simple = [row for contrast in contrasts for row in contrast["by_level"] or ()]
    claimed = [row for row in (*contrasts, *simple) if row["gate"] in CLAIMED]
    if not claimed:
        return None
    row = max(claimed, key=lambda row: abs(row["estimate"]))
    decimals = decimals_for((row["ci_high"] - row["ci_low"]) / 2)
    verb = "adds" if row["estimate"] > 0 else "saves"
    amount = number(abs(row["estimate"]), decimals)
    later, earlier = level_phrase(row["factor"], row["level_b"]), level_name(row["level_a"])
    where = f" at {level_phrase(row['by'], row['by_level'])}" if "by" in row else ""
    return f"{later[:1].upper()}{later[1:]} {verb} {amount} nats of loss against {earlier}{where}"


def counted_gates(contrasts: Sequence[Mapping[str, Any]]) -> str | None:
    """How many differences have which gate: "5 of 7 differences are practically equal, 2 not resolved"; else None."""
    counts = Counter(row["gate"] for row in contrasts if row["gate"] is not None)
    listed = [f"{counts[gate]} {words}" for gate, words in _COUNTED.items() if counts[gate]]
    if not listed:
        return None
    num, _, words = listed[0].partition(" ")
    noun, verb = (
        ("difference", "is") if len(contrasts) == 1 else ("differences", "is" if num == "1" else "are")
    )
    return ", ".join([f"{num} of {len(contrasts)} {noun} {verb} {words}", *listed[1:]])
