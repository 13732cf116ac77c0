"""The verdict: the question answered in one plain sentence, and the two or three facts that carry it."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from reports.claims.answers import Key, Said, key_of, records
from reports.claims.line_to_beat import LineToBeat
from reports.claims.plain_words import (
    CLAIMED,
    FAR,
    Outcome,
    Spoken,
    Step,
    as_switch,
    differences,
    is_ordered,
    joined,
    outcome_of,
    step_of,
    told,
)
from reports.inputs.cube import plain
from reports.inputs.inputs import ReportInputs
from reports.inputs.measures import Measure
from reports.results.outcomes import all_failed
from reports.results.results import Results
from reports.statistics.gates import Gate, deciding
from reports.wording.phrases import capital, condition, configuration, factor_spoken, listed
from reports.wording.words import THIN, count, number, percent

YES, NO, PARTLY, OPEN, RUNNING, FAILED, BEST = "yes", "no", "partly", "open", "running", "failed", "best"
STATUSES = (YES, NO, PARTLY, OPEN, RUNNING, FAILED, BEST)
HERE = "on this data set"


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """What the first screen says: one sentence (of one to three clauses or short sentences), and its facts.

    `status` is the gist for machines: yes, no, partly, open, running, failed, best (nothing is compared, and the best
    configuration is told). `picture` is the slug of the figure that shows it, None before there is one. `numbers` are
    all that it prints, as computed.
    """

    sentence: str
    facts: tuple[str, ...] = ()
    status: str
    picture: str | None = None
    numbers: Sequence[Any] = ()

    def to_dict(self) -> dict[str, Any]:
        """For report.json."""
        return {
            "sentence": self.sentence,
            "facts": list(self.facts),
            "status": self.status,
            "picture": {"slug": self.picture},
            "numbers": list(self.numbers),
        }


def verdict(
    inputs: ReportInputs,
    results: Results,
    *,
    at_best: Sequence[Said],
    averaged: Sequence[Said],
    growth: Sequence[Said] = (),
    line: LineToBeat | None = None,
    best: Mapping[str, Any] | None = None,
    confirmed: Sequence[Mapping[str, Any]] = (),
) -> Verdict:
    """Answer the study's question from its gated results; the arguments are what `reports.claims.answers` gives."""
    if not results.look.number or (not inputs.is_complete and not at_best):
        return _unfinished(inputs, results, best)
    if all_failed(results.rows) or results.rows.empty:
        return _failed(inputs, results)
    if not at_best and not averaged:
        return _one(inputs, results, best)
    return _compared(inputs, results, at_best, averaged, line)


def _unfinished(inputs: ReportInputs, results: Results, best: Mapping[str, Any] | None) -> Verdict:
    """What is known so far; nothing is claimed."""
    overall = results.accounting.overall
    ended, planned = overall["complete"] + overall["pruned"] + overall["failed"], overall["planned"]
    how = "is still running" if inputs.state == "running" else f"is not finished ({inputs.state})"
    if inputs.is_complete:
        return _one(inputs, results, best)
    text = f"Not known yet: the study {how}, with {count(ended)} of {count(planned)} trials ended, and claims nothing."
    facts = [_so_far(inputs, best)]
    return Verdict(
        sentence=text,
        facts=tuple(fact.text for fact in facts if fact.text),
        status=RUNNING,
        picture=_isolation(inputs, results),
        numbers=[ended, planned, *(each for fact in facts for each in fact.numbers)],
    )


def _so_far(inputs: ReportInputs, best: Mapping[str, Any] | None) -> Spoken:
    if best is None or best.get("objective") is None:
        return Spoken(text="")
    objective = inputs.objective
    value = best["objective"] if objective.lower_is_better else 1 - best["objective"]
    value = -best["objective"] if objective.is_own and not objective.lower_is_better else value
    what = configuration({name: level for name, level in best["params"].items() if name in inputs.factors})
    where = f"{what or 'the only configuration'}"
    return Spoken(
        text=f"The best configuration of the search so far is {where} ({objective.format(value)}).",
        numbers=[value, best["params"]],
    )


def _failed(inputs: ReportInputs, results: Results) -> Verdict:
    overall = results.accounting.overall
    why = inputs.outcome.said_of_failures if len(results.rows) else "failed before it could be tested"
    return Verdict(
        sentence=f"Nothing can be said: every network {why}.",
        facts=(f"{count(overall['networks'])} networks were trained, and none has a score of its own.",),
        status=FAILED,
        picture=None,
        numbers=[overall["networks"]],
    )


def _one(inputs: ReportInputs, results: Results, best: Mapping[str, Any] | None) -> Verdict:
    """Nothing is compared: what was found is told, and nothing claimed."""
    if best is None or best.get(inputs.outcome.name) is None:
        return _failed(inputs, results)
    what = configuration({name: level for name, level in best["params"].items() if name in inputs.factors})
    score = scored(inputs, best)
    return Verdict(
        sentence=f"Nothing is compared here: {what or 'the one configuration'} is {score.text}.",
        status=BEST,
        numbers=[dict(best), *score.numbers],
    )


def scored(inputs: ReportInputs, each: Mapping[str, Any]) -> Spoken:
    """A configuration's score after "is": "97.2 % right", "at a test gain of 0.9 dB"."""
    if inputs.own:
        value = each[inputs.outcome.name]
        return Spoken(text=f"at a {inputs.outcome.format(value)}", numbers=[value])
    return Spoken(text=f"{percent(1 - each['test_error'])} right", numbers=[1 - each["test_error"]])


def _isolation(inputs: ReportInputs, results: Results) -> str | None:
    """The picture of each level's scores, where there is one."""
    return "isolation" if inputs.has_cells and inputs.factors and len(results.rows) else None


def _compared(
    inputs: ReportInputs,
    results: Results,
    at_best: Sequence[Said],
    averaged: Sequence[Said],
    line: LineToBeat | None,
) -> Verdict:
    """The answer about the factor that the plan names first, then on what it depends, then the other factors."""
    measure = inputs.outcome
    right = _right(results.error_at_best)
    rows: dict[str, list[Mapping[str, Any]]] = {}
    for said in at_best:
        rows.setdefault(str(said.row["factor"]), []).append(said.row)
    steps = {factor: [step_of(row, measure, right) for row in found] for factor, found in rows.items()}
    lead = next(iter(steps))
    word, status = gist(steps[lead])
    if line is not None and line.said is not None and line.contrast is not None:
        return _against_line(inputs, results, line, rows, steps)
    dependence = depends(inputs, results, lead, averaged)
    opening = _opened(inputs, told(steps[lead], measure), list(rows[lead]), word)
    sentence = [opening, dependence]
    others = told_of_others({factor: found for factor, found in steps.items() if factor != lead}, measure)
    facts = [
        differences(rows[lead], measure),
        _on_what(inputs, results, lead),
        others,
    ]
    return assembled(
        sentence, facts, status, "interaction" if dependence.text else _isolation(inputs, results)
    )


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
    )


def _right(errors: pd.DataFrame) -> dict[Key, tuple[float, float]]:
    """The shares of right answers of the two levels of each contrast."""
    if errors.empty:
        return {}
    return {
        key_of(row): (1 - row["mean_a"], 1 - row["mean_b"])
        for row in records(errors)
        if row["mean_a"] == row["mean_a"] and row["mean_b"] == row["mean_b"]
    }


def gist(steps: Sequence[Step]) -> tuple[str, str]:
    """The word that opens the answer about one factor, and the status: does more of it help, or do its levels differ?

    A difference that matters little counts as none.
    """
    kinds = [Outcome.EQUAL if step.slight else (as_switch(step) or step).outcome for step in steps]
    if any(kind in (Outcome.EARLY, Outcome.POINTS_BETTER, Outcome.POINTS_WORSE) for kind in kinds):
        return "Too early to say.", OPEN
    if all(kind is Outcome.OPEN for kind in kinds):
        return "", OPEN
    is_open = Outcome.OPEN in kinds
    if not is_ordered(steps) and as_switch(steps[0]) is None:
        if any(kind in CLAIMED for kind in kinds):
            return "Yes.", YES
        return ("In part.", PARTLY) if is_open else ("No.", NO)
    if Outcome.BETTER in kinds and Outcome.WORSE in kinds:
        rises = kinds.index(Outcome.BETTER) < kinds.index(Outcome.WORSE)
        return ("Up to a point.", PARTLY) if rises and not is_open else ("In part.", PARTLY)
    if Outcome.BETTER in kinds:
        return ("In part.", PARTLY) if is_open else ("Yes.", YES)
    return ("Not as far as is clear.", PARTLY) if is_open else ("No.", NO)


def _opened(
    inputs: ReportInputs, clauses: Spoken, rows: Sequence[Mapping[str, Any]], word: str = ""
) -> Spoken:
    """The answer's word, how levels were compared and for what data it holds, then what is said of them."""
    tuned = _tuned(inputs)
    here = "" if all(row.get("beyond_sample") for row in rows) else f"{HERE}, "
    opened = f"{tuned}, {here}" if tuned else here
    return Spoken(
        text=" ".join(part for part in (word, f"{capital(opened + clauses.text)}.") if part),
        numbers=clauses.numbers,
    )


def _tuned(inputs: ReportInputs) -> str:
    """How levels were made comparable."""
    if inputs.plan["nuisances"]:
        return "tuned each on its own"
    return "each with the other settings that suit it" if len(inputs.factors) > 1 else ""


def told_of_others(steps: Mapping[str, Sequence[Step]], measure: Measure) -> Spoken:
    """What is said of the other factors, claims with their scores: one sentence."""
    clauses = [
        told(found, measure, scored=any(step.outcome in CLAIMED for step in found))
        for found in steps.values()
    ]
    whole = joined(clauses, "; ")
    return Spoken(text=f"{capital(whole.text)}." if whole.text else "", numbers=whole.numbers)


def depends(inputs: ReportInputs, results: Results, factor: str, averaged: Sequence[Said]) -> Spoken:
    """Where the factor matters most: its claimed difference at the level of another factor where that is largest.

    Beside it the level where the difference is claimed the other way round, if there is one. Empty without a claim.
    """
    groups: dict[tuple[str, Any], list[Mapping[str, Any]]] = {}
    for said in averaged:
        if said.row["factor"] == factor and said.by_level is not None:
            for row in records(said.by_level):
                groups.setdefault((str(row["by"]), plain(row["by_level"])), []).append(row)
    measure = inputs.outcome
    found = {place: step for place, rows in groups.items() if (step := _largest(rows, measure)) is not None}
    if not found:
        return Spoken(text="")
    sizes = {
        place: max(abs(row["estimate"]) for row in groups[place] if outcome_of(row, measure) in CLAIMED)
        for place in found
    }
    place = max(found, key=lambda each: sizes[each])
    against = [
        each
        for each in found
        if each[0] == place[0] and _sign(found[each]) != _sign(found[place]) and each != place
    ]
    places = [place, *sorted(against, key=lambda each: -sizes[each])[:1]]
    spoken = [_at(inputs, results, each, found[each], groups[each][0]) for each in places]
    return joined(spoken, "; ") if len(spoken) == 1 else _turned(spoken)


def _turned(spoken: Sequence[Spoken]) -> Spoken:
    first, second = spoken
    return Spoken(
        text=f"{first.text} {second.text}",
        numbers=[*first.numbers, *second.numbers],
    )


def _sign(step: Step) -> bool:
    return (as_switch(step) or step).outcome is Outcome.BETTER


def _largest(rows: Sequence[Mapping[str, Any]], measure: Measure) -> Step | None:
    """The claim at one level of another factor: from the first level to the last where all steps between agree."""
    claims = [row for row in rows if outcome_of(row, measure) in CLAIMED and not row["equivalent"]]
    if not claims:
        return None
    chained = [*rows]
    in_a_row = all(
        plain(before["level_b"]) == plain(after["level_a"]) for before, after in itertools.pairwise(chained)
    )
    kinds = {outcome_of(row, measure) for row in chained}
    if len(chained) > 1 and in_a_row and len(kinds) == 1 and kinds <= {*CLAIMED}:
        low = sum(min(abs(row[name]) for name in deciding(row)) for row in chained)
        smallest = chained[0]["smallest_effect"] or 0
        return Step(
            factor=str(chained[0]["factor"]),
            level_a=plain(chained[0]["level_a"]),
            level_b=plain(chained[-1]["level_b"]),
            outcome=kinds.pop(),
            far=bool(smallest) and low >= FAR * smallest,
        )
    return step_of(max(claims, key=lambda row: abs(row["estimate"])), measure)


def _at(
    inputs: ReportInputs,
    results: Results,
    place: tuple[str, Any],
    step: Step,
    row: Mapping[str, Any],
) -> Spoken:
    """One claim at one level, with the mean scores there."""
    by, level = place
    rows = results.first_rows
    there = rows[[plain(value) == level for value in rows[by]]]
    of = [
        there[[plain(value) == each for value in there[step.factor]]] for each in (step.level_a, step.level_b)
    ]
    name = inputs.outcome.name
    means = (float(of[0][name].mean()), float(of[1][name].mean()))
    right = (
        None if inputs.own else (1 - float(of[0]["test_error"].mean()), 1 - float(of[1]["test_error"].mean()))
    )
    full = Step(
        factor=step.factor,
        level_a=step.level_a,
        level_b=step.level_b,
        outcome=step.outcome,
        far=step.far,
        right=right,
        scores=means,
    )
    clause = told([full], inputs.outcome, on_average=bool(row.get("averages_over")))
    return Spoken(
        text=f"{capital(condition(by, level))}, {clause.text}.",
        numbers=[level, *clause.numbers],
    )


def _on_what(inputs: ReportInputs, results: Results, factor: str) -> Spoken:
    """On which other factors the first one's effect depends, by the intervals of the changes; the rest is not clear."""
    others = [name for name in inputs.factors if name != factor]
    if not others or results.interactions.empty:
        return Spoken(text="")
    stated = {
        (str(row["by"]) if row["factor"] == factor else str(row["factor"]))
        for row in records(results.interactions)
        if factor in (row["factor"], row["by"]) and row["gate"] == Gate.INTERACTION
    }
    yes, rest = (
        [factor_spoken(name) for name in others if (name in stated) is is_so] for is_so in (True, False)
    )
    what = f"What {_effect(factor)} does"
    if not yes:
        either = " or ".join(rest)
        return Spoken(text=f"Whether that depends on {either} is not clear.")
    tail = f"; whether on {' or '.join(rest)} is not clear" if rest else ""
    return Spoken(text=f"{what} depends on {listed(yes)}{tail}.")


def _effect(factor: str) -> str:
    return factor_spoken(factor)


def _against_line(
    inputs: ReportInputs,
    results: Results,
    line: LineToBeat,
    rows: Mapping[str, Sequence[Mapping[str, Any]]],
    steps: Mapping[str, Sequence[Step]],
) -> Verdict:
    """The answer about the linear model first, then what helps the network."""
    measure = inputs.outcome
    contrast, error = line.contrast, line.error_contrast
    assert contrast is not None
    found = outcome_of(contrast, measure)
    scores = line.to_dict()
    shares = None
    if error is not None and error["estimate"] == error["estimate"]:
        linear = 1 - scores["test_error"]
        shares = (linear, linear - error["estimate"])
    beside = Spoken(text="")
    if shares is not None and not _contradicts(found, shares):
        beside = Spoken(
            text=f" ({number(100 * shares[1], 1)} against {number(100 * shares[0], 1)}{THIN}% right)",
            numbers=shares,
        )
    words = {
        Outcome.BETTER: ("Yes.", YES, f"the network does better than {line.name}"),
        Outcome.WORSE: ("No.", NO, f"the network does worse than {line.name}"),
        Outcome.EQUAL: ("No.", NO, f"the network does no better than {line.name}"),
        Outcome.OPEN: ("", OPEN, f"it is not clear whether the network does better than {line.name}"),
        Outcome.EARLY: (
            "Too early to say.",
            OPEN,
            f"it is too early to say whether the network does better than {line.name}",
        ),
        Outcome.POINTS_BETTER: (
            "Too early to say.",
            OPEN,
            f"what there is points to the network doing better than {line.name}",
        ),
        Outcome.POINTS_WORSE: (
            "Too early to say.",
            OPEN,
            f"what there is points to the network doing worse than {line.name}",
        ),
    }
    word, status, text = words[found]
    little = ", but by less than matters here" if found in CLAIMED and contrast["equivalent"] else ""
    here = "" if contrast.get("beyond_sample") else f"{HERE} "
    opening = Spoken(
        text=" ".join(
            part
            for part in (word, f"{capital(here + text)} on the same features{beside.text}{little}.")
            if part
        ),
        numbers=beside.numbers,
    )
    others = told_of_others(steps, measure)
    return assembled(
        [opening, others],
        [],
        status,
        _isolation(inputs, results),
    )


def _contradicts(found: Outcome, shares: tuple[float, float]) -> bool:
    before, after = (round(100 * share, 1) for share in shares)
    return (found is Outcome.BETTER and after <= before) or (found is Outcome.WORSE and after >= before)


def _line_difference(line: LineToBeat, measure: Measure) -> Spoken:
    return Spoken(text="")
