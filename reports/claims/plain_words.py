"""Gated comparisons in everyday words: "seven hidden layers do worse than five (97.3 against 97.5 % right)"."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import groupby, pairwise
from typing import Any

from reports.claims.answers import Key, key_of
from reports.inputs.cube import plain
from reports.inputs.early_stopping import stops_early
from reports.inputs.inputs import ReportInputs
from reports.inputs.measures import Measure
from reports.statistics.gates import Gate, deciding
from reports.wording.phrases import (
    capital,
    epochs_spoken,
    factor_spoken,
    level_spoken,
    listed,
    rather,
    spelled,
)
from reports.wording.words import THIN, decimals_between, level_name, number, percent, signed

YES, NO, PARTLY, OPEN, RUNNING, FAILED, BEST = "yes", "no", "partly", "open", "running", "failed", "best"
STATUSES = (YES, NO, PARTLY, OPEN, RUNNING, FAILED, BEST)
HERE = "on this data set"
FAR = 10
"""So many times the smallest effect lies wholly below a difference that is called large."""
Row = Mapping[str, Any]


class Outcome(StrEnum):
    """What a gate says of the second level against the first."""

    BETTER = "better"
    WORSE = "worse"
    EQUAL = "equal"
    OPEN = "open"
    EARLY = "early"
    POINTS_BETTER = "points to better"
    POINTS_WORSE = "points to worse"


CLAIMED = (Outcome.BETTER, Outcome.WORSE)
_FLIPPED = {
    Outcome.BETTER: Outcome.WORSE,
    Outcome.WORSE: Outcome.BETTER,
    Outcome.POINTS_BETTER: Outcome.POINTS_WORSE,
    Outcome.POINTS_WORSE: Outcome.POINTS_BETTER,
}


@dataclass(frozen=True, kw_only=True)
class Spoken:
    """A piece of text and the numbers that it prints, as computed.

    `pieces` say the same in short sentences, where the text is a long one.
    """

    text: str
    numbers: Sequence[Any] = ()
    pieces: tuple[str, ...] = ()

    @property
    def sentences(self) -> tuple[str, ...]:
        """The text, or what says the same in short sentences."""
        return self.pieces or ((self.text,) if self.text else ())


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """What the first screen says: one sentence (of one to three clauses or short sentences), and its facts.

    `status` is the gist for machines: yes, no, partly, open, running, failed, best (nothing is compared, and the best
    configuration is told). `picture` is the slug of the figure that shows it, None before there is one. `numbers` are
    all that it prints, as computed. `short` says the same as sentence and facts in short sentences.
    """

    sentence: str
    facts: tuple[str, ...] = ()
    status: str
    picture: str | None = None
    numbers: Sequence[Any] = ()
    short: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """For report.json."""
        return {
            "sentence": self.sentence,
            "facts": list(self.facts),
            "status": self.status,
            "picture": {"slug": self.picture},
            "numbers": list(self.numbers),
        }


@dataclass(frozen=True, kw_only=True)
class Step:
    """Two levels of a factor, what is said of the second against the first, and their mean scores.

    `right` are shares of right answers, `scores` means of the primary outcome, of the first level and the second; both
    describe. `slight`: the difference is a direction that matters little; `far`: it is many times what matters.
    """

    factor: str
    level_a: Any
    level_b: Any
    outcome: Outcome
    slight: bool = False
    far: bool = False
    right: tuple[float, float] | None = None
    scores: tuple[float, float] | None = None

    @property
    def turned(self) -> Step:
        """The same the other way round."""
        return Step(
            factor=self.factor,
            level_a=self.level_b,
            level_b=self.level_a,
            outcome=_FLIPPED.get(self.outcome, self.outcome),
            slight=self.slight,
            far=self.far,
            right=None if self.right is None else (self.right[1], self.right[0]),
            scores=None if self.scores is None else (self.scores[1], self.scores[0]),
        )


def outcome_of(row: Row, measure: Measure) -> Outcome:
    """What the gate of a contrast says, in terms of better and worse.

    `row` is a row of `comparison.contrasts`, b minus a; an interaction says nothing by itself.
    """
    gate = Gate(row["gate"])
    is_better = measure.sign * row["estimate"] < 0
    if gate in (Gate.DIRECTION, Gate.MEANINGFUL):
        return Outcome.BETTER if is_better else Outcome.WORSE
    if gate is Gate.EQUIVALENT:
        return Outcome.EQUAL
    if gate is Gate.INDICATED:
        low, high = (row[name] for name in deciding(row))
        if not (low > 0 or high < 0):
            return Outcome.EARLY
        return Outcome.POINTS_BETTER if is_better else Outcome.POINTS_WORSE
    return Outcome.OPEN


@dataclass(frozen=True, kw_only=True)
class Shown:
    """The scores that stand beside a comparison, of the first level and the second.

    `right` are shares of right answers, None for metrics of one's own; `scores` means of the primary outcome.
    """

    right: tuple[float, float] | None
    scores: tuple[float, float]


def step_of(row: Row, measure: Measure, shown: Mapping[Key, Shown] | None = None) -> Step:
    """A row of `comparison.at_best` as a step, with what stands beside each contrast.

    Without it, or where it has the other sign than the difference that is claimed, the means that the row itself has.
    """
    found = outcome_of(row, measure)
    low, high = (abs(row[name]) for name in deciding(row))
    smallest = row["smallest_effect"]
    has_size = smallest is not None and smallest == smallest and smallest > 0
    beside = (shown or {}).get(key_of(row))
    scores = (row.get("mean_a"), row.get("mean_b"))
    if beside is not None and (beside.scores[1] - beside.scores[0]) * row["estimate"] > 0:
        scores = beside.scores
    return Step(
        factor=str(row["factor"]),
        level_a=plain(row["level_a"]),
        level_b=plain(row["level_b"]),
        outcome=found,
        slight=found in CLAIMED and bool(row.get("equivalent")),
        far=found in CLAIMED and has_size and min(low, high) >= FAR * smallest,
        right=None if beside is None else beside.right,
        scores=_finite(scores),
    )


def _finite(pair: tuple[Any, Any]) -> tuple[float, float] | None:
    if any(each is None or not math.isfinite(each) for each in pair):
        return None
    return float(pair[0]), float(pair[1])


def told(steps: Sequence[Step], measure: Measure, *, scored: bool = True, on_average: bool = False) -> Spoken:
    """What is said of the steps of one factor, as clauses that may stand in one sentence.

    Steps in a row that say the same are said at once. With `scored`, the share of right answers stands beside it, or
    the outcome's mean where that says the other thing or there is none.
    """
    clauses = [
        _clause(run, measure, first=place == 0, scored=scored, on_average=on_average)
        for place, run in enumerate(_runs(steps))
    ]
    return joined(clauses)


def joined(clauses: Iterable[Spoken], between: str | None = None) -> Spoken:
    """Clauses in one text, put together by `between`, or else two by "and" and more by semicolons."""
    present = [clause for clause in clauses if clause.text]
    texts = [clause.text for clause in present]
    text = (between or (", and " if len(texts) < 3 else "; ")).join(texts)
    pieces = [piece for clause in present for piece in clause.sentences]
    return Spoken(
        text=text,
        numbers=[each for clause in present for each in clause.numbers],
        pieces=tuple(as_sentence(piece) for piece in pieces),
    )


def as_sentence(text: str) -> str:
    """A clause as a sentence of its own."""
    return capital(text if text.endswith(".") else f"{text}.")


def _runs(steps: Sequence[Step]) -> Iterator[list[Step]]:
    """Steps that can be said at once: neighbours of numbers in a row, or those against one same level."""
    if is_ordered(steps):
        for _, run in groupby(steps, key=lambda step: (step.outcome, step.slight)):
            yield [*run]
        return
    kinds: dict[tuple[Outcome, bool], list[Step]] = {}
    for step in steps:
        kinds.setdefault((step.outcome, step.slight), []).append(step)
    yield from kinds.values()


def is_ordered(steps: Sequence[Step]) -> bool:
    """Whether levels are numbers, or on and off, so that a later one is more."""
    return all(isinstance(step.level_b, bool | int | float) for step in steps)


def as_switch(step: Step) -> Step | None:
    """The step from without to with; None where levels are no such pair."""
    for each in (step, step.turned):
        if isinstance(each.level_a, bool) and isinstance(each.level_b, bool):
            if each.level_b and not each.level_a:
                return each
        elif each.factor in _SWITCHED and each.level_a == "none":
            return each
    return None


_THE = {
    "activation": "the activation",
    "batch_size": "the batch size",
    "init": "the kind of first weights",
    "init_gain": "the gain of the first weights",
    "train_size": "the share of training data",
    "width": "the width",
}
UNCLEAR = (Outcome.OPEN, Outcome.EARLY)


def named(factor: str) -> str:
    """A factor inside a sentence, with its article."""
    return _THE.get(factor, factor_spoken(factor))


def either(factors: Iterable[str]) -> str:
    """Factors, any of them: "dropout, batch normalisation or the optimizer"."""
    *most, last = [named(factor) for factor in factors]
    return f"{', '.join(most)} or {last}" if most else last


_SWITCHED = ("residual", "augmentation")
_PLURAL = ("depth", "activation", "residual")


def subject(factor: str, level: Any) -> str:
    """A level as the subject of a sentence."""
    if factor in _SWITCHED and level != "none" and level is not False:
        return factor_spoken(factor)
    return level_spoken(factor, level)


def _is_plural(factor: str, level: Any) -> bool:
    return factor in _PLURAL and subject(factor, level).endswith("s")


def short(factor: str, level: Any) -> str:
    """A level after its factor was named: "five", "0.3", "SGD"."""
    is_count = factor == "depth" and isinstance(level, int) and not isinstance(level, bool)
    if is_count and level_spoken(factor, level).startswith(f"{spelled(level)} "):
        return spelled(level)
    return level_name(level)


def _clause(run: Sequence[Step], measure: Measure, *, first: bool, scored: bool, on_average: bool) -> Spoken:
    if len(run) > 1:
        return _many(run, measure, first=first, scored=scored)
    (step,) = run
    switch = as_switch(step)
    if switch is not None:
        return _switched(switch, measure, scored=scored, on_average=on_average)
    who = (subject if first else short)(step.factor, step.level_b)
    does = "do" if _is_plural(step.factor, step.level_b) else "does"
    than = short(step.factor, step.level_a)
    text = _of_one(step, who, does, than)
    alone = _of_one(step, subject(step.factor, step.level_b), does, than)
    beside = _beside(step, measure, on_average=on_average) if scored else Spoken(text="")
    return Spoken(
        text=f"{text}{beside.text}",
        numbers=[step.level_a, step.level_b, *beside.numbers],
        pieces=(f"{alone}{beside.text}",),
    )


def _of_one(step: Step, who: str, does: str, than: str) -> str:
    match step.outcome:
        case Outcome.BETTER | Outcome.WORSE:
            far = "far " if step.far else ""
            little = ", but by less than matters here" if step.slight else ""
            return f"{who} {does} {far}{step.outcome.value} than {than}{little}"
        case Outcome.EQUAL if is_ordered([step]):
            return f"{who} {does} no better than {than}"
        case Outcome.EQUAL:
            return f"{who} {does} as well as {than}"
        case Outcome.OPEN:
            return f"it is not clear whether {who} {does} better than {than}"
        case Outcome.EARLY:
            return f"it is too early to say whether {who} {does} better than {than}"
    which = "better" if step.outcome is Outcome.POINTS_BETTER else "worse"
    return f"what there is points to {who} doing {which} than {than}"


def _switched(step: Step, measure: Measure, *, scored: bool, on_average: bool) -> Spoken:
    who = subject(step.factor, step.level_b)
    plural = _is_plural(step.factor, step.level_b)
    verb = {True: ("help", "hurt", "make"), False: ("helps", "hurts", "makes")}[plural]
    little = ", but by less than matters here" if step.slight else ""
    match step.outcome:
        case Outcome.BETTER:
            text = f"{who} {verb[0]}{' a lot' if step.far else ''}{little}"
        case Outcome.WORSE:
            text = f"{who} {verb[1]}{' badly' if step.far else ''}{little}"
        case Outcome.EQUAL:
            text = f"{who} {verb[2]} no difference that matters"
        case Outcome.OPEN:
            text = f"it is not clear whether {who} {verb[0]}"
        case Outcome.EARLY:
            text = f"it is too early to say whether {who} {verb[0]}"
        case Outcome.POINTS_BETTER:
            text = f"what there is points to {who} helping"
        case _:
            text = f"what there is points to {who} hurting"
    if not scored:
        return Spoken(text=text)
    them = "them" if plural else "it"
    beside = _beside(step, measure, words=(f"without {them}", f"with {them}"), on_average=on_average)
    return Spoken(text=f"{text}{beside.text}", numbers=beside.numbers)


def _many(run: Sequence[Step], measure: Measure, *, first: bool, scored: bool) -> Spoken:
    factor, outcome = run[0].factor, run[0].outcome
    levels = [run[0].level_a, *(step.level_b for step in run)]
    if not is_ordered(run):
        return _against_one(run, measure, scored=scored)
    span = f"{subject(factor, levels[0])} to {short(factor, levels[-1])}"
    little = ", but by less than matters here" if run[0].slight else ""
    match outcome:
        case Outcome.BETTER | Outcome.WORSE:
            text = f"each step from {span} is {outcome.value} than the one before{little}"
        case Outcome.EQUAL:
            text = f"no step from {span} is better than the one before"
        case Outcome.OPEN:
            text = f"it is not clear whether any step from {span} is better"
        case Outcome.EARLY:
            text = f"it is too early to say whether any step from {span} is better"
        case _:
            which = "better" if outcome is Outcome.POINTS_BETTER else "worse"
            text = f"what there is points to each step from {span} being {which}"
    beside = _along(run, measure) if scored else Spoken(text="")
    return Spoken(text=f"{text}{beside.text}", numbers=[*levels, *beside.numbers])


def _against_one(run: Sequence[Step], measure: Measure, *, scored: bool) -> Spoken:
    factor, outcome = run[0].factor, run[0].outcome
    who = listed([subject(factor, step.level_b) for step in run])
    than = short(factor, run[0].level_a)
    little = ", but by less than matters here" if run[0].slight else ""
    match outcome:
        case Outcome.BETTER | Outcome.WORSE:
            text = f"{who} do {outcome.value} than {than}{little}"
        case Outcome.EQUAL:
            text = f"{who} do as well as {than}"
        case Outcome.OPEN:
            text = f"it is not clear whether {who} do better than {than}"
        case Outcome.EARLY:
            text = f"it is too early to say whether {who} do better than {than}"
        case _:
            which = "better" if outcome is Outcome.POINTS_BETTER else "worse"
            text = f"what there is points to {who} doing {which} than {than}"
    beside = _along(run, measure, against=True) if scored else Spoken(text="")
    levels = [run[0].level_a, *(step.level_b for step in run)]
    return Spoken(text=f"{text}{beside.text}", numbers=[*levels, *beside.numbers])


def _beside(
    step: Step, measure: Measure, words: tuple[str, str] | None = None, *, on_average: bool = False
) -> Spoken:
    """The scores in brackets: "(97.3 against 97.5 % right)"."""
    average = "on average " if on_average else ""
    if step.right is not None and _agrees(step):
        before, after = _percents(step.right)
        text = (
            f"{after}{THIN}% right {words[1]}, {before}{THIN}% {words[0]}"
            if words
            else f"{after} against {before}{THIN}% right"
        )
        return Spoken(text=f" ({average}{text})", numbers=[*step.right])
    if step.scores is None:
        return Spoken(text="")
    before, after = _means(step.scores)
    title = _titled(measure)
    unit = f" {measure.unit}" if measure.is_own and measure.unit else ""
    text = (
        f"{title} {after}{unit} {words[1]}, {before} {words[0]}"
        if words
        else f"{title} {after} against {before}{unit}"
    )
    return Spoken(text=f" ({average}{text}; {better(measure)})", numbers=[*step.scores])


def _titled(measure: Measure) -> str:
    """The outcome as it is named to everyone: without its part where it is the usual one."""
    return measure.title if measure.is_own else measure.title.partition(" ")[2]


def _agrees(step: Step) -> bool:
    """Whether the shares of right answers, as printed, do not say the contrary of what is claimed."""
    if step.right is None or step.outcome not in CLAIMED:
        return True
    before, after = (float(each) for each in _percents(step.right))
    return after > before if step.outcome is Outcome.BETTER else after < before


def _percents(shares: Sequence[float]) -> list[str]:
    """Shares in percent: with one decimal, without where they lie further apart than ten points."""
    decimals = 0 if max(shares) - min(shares) >= 0.1 else 1
    return [number(100 * share, decimals) for share in shares]


def _means(values: Sequence[float]) -> list[str]:
    """Means with so many decimals that two that differ can be told apart: two to four."""
    spread = max(values) - min(values)
    decimals = 2 if spread >= 0.1 else 3 if spread >= 0.002 else 4
    return [number(value, decimals) for value in values]


def _along(run: Sequence[Step], measure: Measure, *, against: bool = False) -> Spoken:
    """Scores of all levels of a run: "(97.9, 97.5 and 97.3 % right)"; the first level's last with `against`."""
    if not all(step.right is not None and _agrees(step) for step in run):
        return Spoken(text="")
    rights = [step.right for step in run if step.right is not None]
    first = rights[0][0]
    shares = [*(pair[1] for pair in rights), first] if against else [first, *(pair[1] for pair in rights)]
    if run[0].outcome in CLAIMED and not against and not _monotone(shares):
        return Spoken(text="")
    *most, last = _percents(shares)
    return Spoken(text=f" ({', '.join(most)} and {last}{THIN}% right)", numbers=shares)


def _monotone(values: Sequence[float]) -> bool:
    pairs = list(pairwise(values))
    return all(low < high for low, high in pairs) or all(low > high for low, high in pairs)


def differences(rows: Sequence[Row], measure: Measure, epochs: Spoken, most: int = 3) -> Spoken:
    """The differences that carry what is said, with the intervals that decide: the largest ones, in their order."""
    known = [row for row in rows if math.isfinite(row["estimate"]) and math.isfinite(row[deciding(row)[0]])]
    known = [row for row in known if row["ci_low"] != row["ci_high"]]
    kept = sorted(known, key=lambda row: -abs(row["estimate"]))[:most]
    shown = [row for row in known if any(row is each for each in kept)]
    if not shown:
        return Spoken(text="")
    parts, numbers = [], list[Any]()
    for row in shown:
        amount = changed(row, measure)
        parts.append(f"{amount.text} {rather(row['factor'], plain(row['level_a']), plain(row['level_b']))}")
        numbers += [row["level_a"], row["level_b"], *amount.numbers]
    text = f"After {epochs.text}, the {measure.title} ({better(measure)}) changes by {'; '.join(parts)}."
    pieces = [f"The {measure.title} ({better(measure)}) changes by {part}." for part in parts]
    return Spoken(text=text, numbers=[*epochs.numbers, *numbers], pieces=tuple(pieces))


def trained_for(inputs: ReportInputs) -> Spoken:
    """How long networks trained: "18 epochs", "up to 18 epochs"."""
    epochs = int(inputs.plan["confirm"]["epochs"])
    return Spoken(text=epochs_spoken(epochs, at_most=stops_early(inputs.plan)), numbers=[epochs])


def better(measure: Measure) -> str:
    """Which direction is better."""
    return f"{'lower' if measure.lower_is_better else 'higher'} is better"


def changed(row: Row, measure: Measure) -> Spoken:
    """A difference with the interval that decides: "+0.025 [0.001 to 0.049]", with the unit of one's own metric."""
    low, high = (row[name] for name in deciding(row))
    places = decimals_between(low, high)
    unit = f" {measure.unit}" if measure.is_own and measure.unit else ""
    text = f"{signed(row['estimate'], places)}{unit} [{number(low, places)} to {number(high, places)}]"
    return Spoken(text=text, numbers=[row["estimate"], low, high])


def assembled(
    sentences: Sequence[Spoken], facts: Sequence[Spoken], status: str, picture: str | None
) -> Verdict:
    """A verdict of the parts that say something."""
    said, carried = [each for each in sentences if each.text], [each for each in facts if each.text]
    return Verdict(
        sentence=" ".join(each.text for each in said),
        facts=tuple(each.text for each in carried),
        status=status,
        picture=picture,
        numbers=[number for each in (*said, *carried) for number in each.numbers],
        short=tuple(piece for each in (*said, *carried) for piece in each.sentences),
    )


def scored(inputs: ReportInputs, each: Mapping[str, Any]) -> Spoken:
    """A configuration's score on the test part: "97.2 % right", "test gain 0.900 dB"."""
    if inputs.own:
        value = each[inputs.outcome.name]
        return Spoken(text=f"{inputs.outcome.format(value)}, {better(inputs.outcome)}", numbers=[value])
    right = 1 - each["test_error"]
    return Spoken(text=f"{percent(right)} right", numbers=[right])
