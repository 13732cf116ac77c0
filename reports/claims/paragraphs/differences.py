"""The differences between levels within the second paragraph: claims in short, what depends on what, and the rest."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from reports.claims.answers import CLAIMS, Said
from reports.claims.claims import Gate, at_level
from reports.claims.paragraphs.paragraph import Line
from reports.inputs.cube import plain
from reports.inputs.decisions import Standing
from reports.inputs.measures import TEST_LOG_LOSS, Measure
from reports.statistics.gates import deciding
from reports.wording.phrases import (
    both,
    capital,
    counted,
    epochs_spoken,
    factor_spoken,
    listed,
    rather,
    span_of_blocks,
    spelled,
)
from reports.wording.words import decimals_for, number, p_value

MOST_SIMPLE = 3
"""Simple effects told where averages hide them: the largest, at most one a factor."""

_DIRECTED = CLAIMS[:2]
_GATHERED = {
    Gate.EQUIVALENT: "{place}, {plural} practically equal (within ±{smallest}) {pairs}{scope}.",
    Gate.UNRESOLVED: "{place}, {subject} {pairs} {verb} not resolved{more}.",
    Gate.BOUNDARY: "{place}, {subject} {pairs} {verb} limited by the range of learning rates.",
    Gate.INDICATED: "{place}, nothing is claimed, and the blocks so far {point} {pairs}.",
}

_BEYOND = {
    False: "also expected for new data from the same source",
    True: "expected for new samples of this population, too",
}
"""BEYOND SAMPLE, as it is said today and of plans of versions 1 and 2."""

Row = Mapping[str, Any]


def differences(
    family: Sequence[Said],
    place: str,
    epochs: int,
    outcome: Measure = TEST_LOG_LOSS,
    *,
    stop_early: bool = False,
    looks: Sequence[int] = (),
) -> list[Line | None]:
    """One family of contrasts of an outcome: all claims in one sentence, dependences in another, the rest by gate.

    Networks trained for `epochs`, or less where they `stop_early`; `looks` are the planned numbers of blocks where
    comparisons go on until they are answered.

    Every comparison stands in full under "Performance"; two contrasts of the same two cells are told once.
    """
    family = [said for said in family if said.row.get("same_cells_as") is None]
    after = f"after {epochs_spoken(epochs, at_most=stop_early)}"
    claims = [said for said in family if said.row["gate"] in _DIRECTED]
    depending = [said for said in family if said.row["gate"] == Gate.INTERACTION]
    return [
        *_claimed(claims, place, epochs, after, outcome),
        *_dependences(depending, epochs, after, outcome),
        *(_gathered(those, gate, place, outcome, more) for gate, those, more in _by_gate(family, looks)),
    ]


def _by_gate(
    family: Sequence[Said], looks: Sequence[int]
) -> Iterator[tuple[Gate, Sequence[Said], tuple[str, Sequence[int]]]]:
    """What is told together: a gate, its contrasts, and where they stay open what is said of it, with its numbers."""
    for gate in _GATHERED:
        those = [said for said in family if said.row["gate"] == gate]
        if gate is not Gate.UNRESOLVED or not looks:
            yield gate, those, ("", ())
            continue
        at = f" at {counted(looks[-1], 'block', 'blocks')}, the last planned look"
        told: dict[Any, tuple[str, Sequence[int]]] = {
            Standing.UNRESOLVED: (at, looks[-1:]),
            Standing.OPEN: (" yet", ()),
        }
        kinds = [(told.get(said.row.get("standing"), ("", ())), said) for said in those]
        for more in dict.fromkeys(kind for kind, _ in kinds):
            yield gate, [said for kind, said in kinds if kind == more], more


def _claimed(claims: Sequence[Said], place: str, epochs: int, after: str, outcome: Measure) -> list[Line]:
    if not claims:
        return []
    rows = [said.row for said in claims]
    clauses = [
        _signed(word, [row for row in rows if (row["estimate"] > 0) == (word == "higher")], outcome)
        for word in ("higher", "lower")
    ]
    told = ", and ".join(clause for clause in clauses if clause)
    p, numbers = _adjusted_p(rows)
    blocks = span_of_blocks([int(row["num_blocks"]) for row in rows])
    text = f"{capital(place)}, the {outcome.title} {after} is {told}{_scope(rows)} ({blocks}{p})."
    said = Line(text=text, numbers=[epochs, *numbers, *map(_printed, rows)])
    return [said, *_across(rows), *_how_much(claims, outcome)]


def _scope(rows: Sequence[Row]) -> str:
    """For what data claims at best hold, where they are not all expected for new data, too."""
    row = rows[0]
    if "best_a" not in row or "p_holm" in row or all(each["beyond_sample"] for each in rows):
        return ""
    return " on this data set"


def _adjusted_p(rows: Sequence[Row]) -> tuple[str, list[float]]:
    """The largest of Holm's p values, which contrasts have whose claims it licensed; else nothing."""
    if "p_holm" not in rows[0]:
        return "", []
    worst = max(row["p_holm"] for row in rows)
    p = p_value(worst)
    each = "" if len(rows) == 1 else " each" if p.startswith("<") else " at most"
    shown = f"p {p}{each}" if p.startswith("<") else f"p = {p}" if len(rows) == 1 else f"p{each} {p}"
    return f", {shown}", [worst]


def _across(rows: Sequence[Row]) -> list[Line]:
    """What follows for levels that are not neighbours, where every claim between them has the same sign.

    The difference is then the sum of differences of one sign: no further interval is needed, and no size is claimed.
    """
    lines = []
    for factor, first, last, is_higher in spans(rows):
        word = "higher" if is_higher else "lower"
        text = f"So it is {word} {rather(factor, first, last)}, too."
        lines.append(Line(text=text, numbers=[first, last]))
    return lines


def spans(rows: Sequence[Row]) -> list[tuple[str, Any, Any, bool]]:
    """Levels that are not neighbours with claims of one sign all the way between: factor, first, last, whether higher.

    `rows` are directions that are claimed, of neighbouring levels in their order.
    """
    found: list[list[Any]] = []
    for row in rows:
        factor, first, last = row["factor"], plain(row["level_a"]), plain(row["level_b"])
        is_higher = bool(row["estimate"] > 0)
        if found and found[-1][:1] == [factor] and found[-1][2:4] == [first, is_higher]:
            found[-1][2], found[-1][4] = last, found[-1][4] + 1
        else:
            found.append([factor, first, last, is_higher, 1])
    return [(factor, first, last, is_higher) for factor, first, last, is_higher, num in found if num > 1]


def _signed(word: str, rows: Sequence[Row], outcome: Measure) -> str:
    """Differences of one sign, the largest first: "higher by 0.04 nats [..] with .. and by 0.03 nats [..] with .."."""
    ordered = sorted(rows, key=lambda row: -abs(row["estimate"]))
    parts = [f"by {_amount(row, outcome)} {_rather(row)}" for row in ordered]
    return f"{word} {listed(parts)}" if parts else ""


def _amount(row: Row, outcome: Measure) -> str:
    """The size of a difference whose sign is told in words, with its interval."""
    sign = -1 if row["estimate"] < 0 else 1
    ends = sorted(sign * row[name] for name in deciding(row))
    places = decimals_for((ends[1] - ends[0]) / 2)
    low, high = (number(end, places) for end in ends)
    return f"{outcome.in_unit(number(abs(row['estimate']), places))} [{low} to {high}]"


def _how_much(claims: Sequence[Said], outcome: Measure) -> list[Line]:
    """How many of the claims exceed the smallest effect, are expected for new samples, are equal all the same."""
    smallest, total = claims[0].row["smallest_effect"], len(claims)
    within = "" if smallest is None else outcome.in_unit(f"{smallest:g}")
    meaningful = sum(said.row["gate"] == Gate.MEANINGFUL for said in claims)
    beyond = sum(Gate.BEYOND_SAMPLE in said.sentences[0].gates for said in claims)
    equal = sum(Gate.EQUIVALENT in said.sentences[0].gates for said in claims)
    said = [
        (meaningful, "exceeds", "exceed", f"the smallest effect of interest ({within})"),
        (beyond, "is", "are", _BEYOND["p_holm" in claims[0].row]),
        (equal, "is", "are", f"practically equal all the same (within ±{within})"),
    ]
    parts = [
        f"{_so_many(num, total)} {one if num == 1 else many} {what}" for num, one, many, what in said if num
    ]
    return [Line(text=f"{capital('; '.join(parts))}.", numbers=[smallest, total])] if parts else []


def _so_many(num: int, total: int) -> str:
    if total == 1:
        return "this"
    if num == total:
        return "both" if total == 2 else f"all {spelled(total)}"
    return f"{spelled(num)} of these"


def _dependences(family: Sequence[Said], epochs: int, after: str, outcome: Measure) -> list[Line]:
    """Which factors' differences depend on which, and the largest differences at a single level that are claimed."""
    if not family:
        return []
    stated = [said for said in family if said.sentences[0].gate is Gate.INTERACTION]
    likely = [said for said in family if said.sentences[0].gate is not Gate.INTERACTION]
    first = [
        Line(text=f"What a level does to the {outcome.title} {turn} another factor{so}: {_on_what(those)}.")
        for those, turn, so in (
            (stated, "depends on", ""),
            (likely, "may depend on", ", so that no average is given"),
        )
        if those
    ]
    largest = _largest_simple(family)
    if not largest:
        return [*first, Line(text="No difference at a single level is resolved.")]
    told = [
        f"{at_level(row)} it is {'lower' if row['estimate'] < 0 else 'higher'} by "
        f"{_amount(row, outcome)} {_rather(row)}"
        for row in largest
    ]
    return [
        *first,
        Line(
            text=f"Largest at a single level, {after}: {'; '.join(told)}.",
            numbers=[epochs, *map(_printed, largest)],
        ),
    ]


def _on_what(family: Sequence[Said]) -> str:
    """For each factor those that its differences depend on: "for depth on dropout"."""
    on: dict[str, dict[str, None]] = {}
    for said in family:
        on.setdefault(said.row["factor"], {})[said.row["interacts_with"]] = None
    return listed(
        [
            f"for {factor_spoken(factor)} on {listed([factor_spoken(by) for by in others])}"
            for factor, others in on.items()
        ]
    )


def _largest_simple(family: Sequence[Said]) -> list[Row]:
    rows: list[Row] = [
        {str(name): value for name, value in row.items()}
        for said in family
        if said.by_level is not None
        for row in said.by_level.to_dict("records")
        if row["gate"] in _DIRECTED
    ]
    largest: dict[str, Row] = {}
    for row in sorted(rows, key=lambda row: -abs(row["estimate"])):
        largest.setdefault(row["factor"], row)
    return [*largest.values()][:MOST_SIMPLE]


def _printed(row: Row) -> list[Any]:
    names = ("level_a", "level_b", "by_level", "estimate", *deciding(row), "num_blocks")
    return [row[name] for name in names if name in row]


def _gathered(
    family: Sequence[Said], gate: Gate, place: str, outcome: Measure, more: tuple[str, Sequence[int]]
) -> Line | None:
    rows = [said.row for said in family]
    if not rows:
        return None
    early = any(row[deciding(row)[0]] <= 0 <= row[deciding(row)[1]] for row in rows)

    def pointed(row: Row) -> str:
        return _pointed(row, outcome)

    speak = {Gate.EQUIVALENT: _both, Gate.INDICATED: pointed}.get(gate, _rather)
    subject, verb = ("difference", "is") if len(rows) == 1 else ("differences", "are")
    smallest = rows[0]["smallest_effect"]
    text = _GATHERED[gate].format(
        place=capital(place),
        smallest=outcome.in_unit(f"{smallest:g}") if gate is Gate.EQUIVALENT else "",
        plural=outcome.plural,
        pairs=listed([speak(row) for row in rows]),
        subject=f"the {subject} in {outcome.title}",
        verb=verb,
        point="are too few to say more than" if early else "point to",
        scope=_scope(rows),
        more=more[0],
    )
    return Line(text=text, numbers=[smallest, *more[1], *map(_printed, rows)])


def _rather(row: Row) -> str:
    return rather(row["factor"], plain(row["level_a"]), plain(row["level_b"]))


def _both(row: Row) -> str:
    return both(row["factor"], plain(row["level_a"]), plain(row["level_b"]))


def _pointed(row: Row, outcome: Measure) -> str:
    ends = [row[name] for name in deciding(row)]
    places = decimals_for((ends[1] - ends[0]) / 2)
    low, high = (number(end, places) for end in ends)
    return f"{outcome.in_unit(number(row['estimate'], places))} [{low} to {high}] {_rather(row)}"
