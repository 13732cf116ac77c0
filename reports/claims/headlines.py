"""Titles that say what a figure shows: short forms of gated results and plain counts, no more than gates allow."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from reports.inputs.measures import TEST_LOG_LOSS, Measure
from reports.statistics.gates import Gate
from reports.wording.words import decimals_for, level_name, level_phrase, number

CLAIMED = (Gate.MEANINGFUL, Gate.DIRECTION)
_COUNTED = {  # one, several
    Gate.MEANINGFUL: ("exceeds the smallest effect of interest", "exceed the smallest effect of interest"),
    Gate.DIRECTION: ("has a direction", "have a direction"),
    Gate.EQUIVALENT: ("is practically equal", "are practically equal"),
    Gate.INTERACTION: ("depends on another factor", "depend on another factor"),
    Gate.BOUNDARY: ("is limited by the range of rates", "are limited by the range of rates"),
    Gate.INDICATED: ("is only indicated", "are only indicated"),
    Gate.UNRESOLVED: ("is not resolved", "are not resolved"),
}


def largest_difference(
    contrasts: Sequence[Mapping[str, Any]], outcome: Measure = TEST_LOG_LOSS
) -> str | None:
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
    verbs = ("adds", "saves") if outcome.lower_is_better else ("gains", "loses")
    verb, amount = verbs[row["estimate"] < 0], outcome.in_unit(number(abs(row["estimate"]), decimals))
    what = f"{amount} of {outcome.kind}"
    later, earlier = level_phrase(row["factor"], row["level_b"]), level_name(row["level_a"])
    where = f" at {level_phrase(row['by'], row['by_level'])}" if "by" in row else ""
    return f"{later[:1].upper()}{later[1:]} {verb} {what} against {earlier}{where}"


def counted_gates(contrasts: Sequence[Mapping[str, Any]]) -> str | None:
    """How many differences have which gate: "of 7 differences 5 are practically equal, 2 are not resolved"."""
    counts = Counter(row["gate"] for row in contrasts if row["gate"] is not None)
    listed = [f"{counts[gate]} {words[counts[gate] > 1]}" for gate, words in _COUNTED.items() if counts[gate]]
    if not listed:
        return None
    return f"of {len(contrasts)} {'difference' if len(contrasts) == 1 else 'differences'} " + ", ".join(
        listed
    )
