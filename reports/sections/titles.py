"""Titles of figures, read off the claims that they show."""

from collections.abc import Mapping, Sequence
from typing import Any

from reports.inputs.measures import TEST_LOG_LOSS, Measure
from reports.statistics.gates import Gate, deciding
from reports.wording.words import decimals_between, level_name, level_phrase, number

CLAIMED = (Gate.MEANINGFUL, Gate.DIRECTION)


def largest_difference(
    contrasts: Sequence[Mapping[str, Any]],
    outcome: Measure = TEST_LOG_LOSS,
    *,
    slices: bool = True,
    with_unit: bool = True,
) -> str | None:
    """The largest claimed difference as a title: "Dropout 0.5 adds 1.21 nats of loss against 0.3 at depth 7".

    `contrasts` are those of report.json; simple effects (`slices`) count where a contrast depends on another factor.
    None where no gate licenses a direction.
    """
    simple = [row for contrast in contrasts for row in contrast["by_level"] or ()] if slices else []
    claimed = [row for row in (*contrasts, *simple) if row["gate"] in CLAIMED]
    if not claimed:
        return None
    row = max(claimed, key=lambda row: abs(row["estimate"]))
    low, high = (row[name] for name in deciding(row))
    decimals = decimals_between(low, high)
    verbs = ("adds", "saves") if outcome.lower_is_better else ("gains", "loses")
    size = number(abs(row["estimate"]), decimals)
    verb, amount = verbs[row["estimate"] < 0], outcome.in_unit(size)
    what = f"{amount} of {outcome.kind}" if with_unit else f"{size} in {outcome.kind}"
    later, earlier = level_phrase(row["factor"], row["level_b"]), level_name(row["level_a"])
    where = f" at {level_phrase(row['by'], row['by_level'])}" if "by" in row else ""
    where += ", averaged over the rest" if row.get("averages_over") else ""
    return f"{later[:1].upper()}{later[1:]} {verb} {what} against {earlier}{where}"
