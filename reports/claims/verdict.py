"""The verdict: the question answered in one plain sentence, and the two or three facts that carry it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise
from typing import Any

import pandas as pd

from reports.claims.answers import CLAIMS, Key, Said, key_of, records
from reports.claims.best_found import about_best_found
from reports.claims.growth_verdict import asks_about_growth, growth_verdict
from reports.claims.line_to_beat import LineToBeat
from reports.claims.line_verdict import against_line, line_difference
from reports.claims.look_by_look import why_withheld
from reports.claims.plain_words import (
    BEST,
    CLAIMED,
    FAILED,
    FAR,
    HERE,
    NO,
    OPEN,
    PARTLY,
    RUNNING,
    UNCLEAR,
    YES,
    Outcome,
    Row,
    Shown,
    Spoken,
    Step,
    Verdict,
    as_sentence,
    as_switch,
    assembled,
    better,
    differences,
    either,
    is_ordered,
    joined,
    named,
    outcome_of,
    scored,
    step_of,
    told,
    trained_for,
)
from reports.inputs.cube import plain
from reports.inputs.inputs import ReportInputs
from reports.inputs.measures import Measure
from reports.results.outcomes import all_failed
from reports.results.results import Results
from reports.statistics.gates import Gate, deciding
from reports.wording.phrases import (
    capital,
    condition,
    configuration,
    listed,
    rather,
)
from reports.wording.words import count, plural

__all__ = ["Verdict", "verdict"]


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
    """Answer the study's question from its gated results.

    Of a study whose plan gives growth of gradients the largest share of the error rate the answer is about those; with
    a linear model to beat it begins with that; without cells it is about the best configuration found. The arguments
    are what `reports.claims.answers`, `growth_claims`, `line_to_beat` and `reports.results.best` give.
    """
    if not inputs.is_complete and (not results.look.number or not at_best):
        return _unfinished(inputs, results, best)
    if results.rows.empty or all_failed(results.rows):
        return _failed(inputs, results)
    if not inputs.has_cells:
        return about_best_found(inputs, results, best, confirmed)
    if asks_about_growth(inputs) and growth:
        return growth_verdict(inputs, results, growth)
    if not at_best and not averaged:
        return _one(inputs, results, best)
    return _compared(inputs, results, at_best, averaged, line)


def _unfinished(inputs: ReportInputs, results: Results, best: Mapping[str, Any] | None) -> Verdict:
    """What is known so far; nothing is claimed."""
    overall = results.accounting.overall
    ended, planned = overall["complete"] + overall["pruned"] + overall["failed"], overall["planned"]
    how = "is still running" if inputs.state == "running" else f"is not finished ({inputs.state})"
    text = (
        f"Not known yet: the study {how}, {count(ended)} of {plural(int(planned), 'trial')} have ended, and nothing "
        "is claimed."
    )
    return assembled(
        [Spoken(text=text, numbers=[ended, planned])],
        [_so_far(inputs, best)],
        RUNNING,
        _isolation(inputs, results),
    )


def _so_far(inputs: ReportInputs, best: Mapping[str, Any] | None) -> Spoken:
    """The best configuration of an unfinished search."""
    lowered = None if best is None else best.get("objective")
    if best is None or lowered is None:
        return Spoken(text="")
    objective = inputs.objective
    value = lowered if objective.lower_is_better else -lowered if objective.is_own else 1 - lowered
    what = _named(inputs, best["params"]) or "the only one"
    return Spoken(
        text=f"So far the best configuration of the search is {what} ({objective.title} "
        f"{objective.bare(value)}, {better(objective)}).",
        numbers=[value, best["params"]],
    )


def _named(inputs: ReportInputs, params: Mapping[str, Any]) -> str:
    return configuration({name: level for name, level in params.items() if name in inputs.factors})


def _failed(inputs: ReportInputs, results: Results) -> Verdict:
    overall = results.accounting.overall
    if results.rows.empty:
        text, fact = "Nothing can be said: no network got as far as being tested.", "trial failed"
        num = int(overall["failed"])
        facts = [Spoken(text=f"{plural(num, fact, 'trials failed')}.", numbers=[num])]
    else:
        text, num = (
            f"Nothing can be said: every network {inputs.outcome.said_of_failures}.",
            len(results.rows),
        )
        facts = [Spoken(text=f"That is so of {plural(num, 'network')}, at every level.", numbers=[num])]
    return assembled([Spoken(text=text)], facts, FAILED, None)


def _one(inputs: ReportInputs, results: Results, best: Mapping[str, Any] | None) -> Verdict:
    """Nothing is compared: what was found is told, and nothing claimed."""
    if best is None or best.get(inputs.outcome.name) is None:
        return _failed(inputs, results)
    score = scored(inputs, best)
    what = _named(inputs, best["params"])
    what = f"the configuration with {what}" if what else "the one configuration"
    text = f"Nothing is compared here: {what} is {score.text} {HERE}."
    spoken = Spoken(text=text, numbers=[best["params"], *score.numbers])
    return assembled([spoken], [], BEST, _isolation(inputs, results))


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
    """The answer about the factor that the plan names first, then on what it depends, then the other factors.

    With a linear model to beat, the answer about that, then all factors.
    """
    measure, shown = inputs.outcome, _first_look_means(inputs, results)
    rows: dict[str, list[Row]] = {}
    for said in at_best or averaged:
        rows.setdefault(str(said.row["factor"]), []).append(said.row)
    steps = {factor: [step_of(row, measure, shown) for row in found] for factor, found in rows.items()}
    lead = next(iter(steps))
    word, status = gist(steps[lead])
    how = _tuned(inputs) if at_best else "averaged over the other settings"
    dependence = depends(inputs, results, lead, averaged)
    epochs = trained_for(inputs)
    picture = "interaction" if dependence.text and len(results.interactions) else _isolation(inputs, results)
    on_what = _together(_on_what(results, inputs, lead), _on_average(inputs, results, lead, steps, averaged))
    others = {factor: found for factor, found in steps.items() if factor != lead}
    if line is not None and line.said is not None and line.contrast is not None:
        word, status, opening = against_line(line, line.contrast, measure)
        sentences = [opening, _of_others(steps, measure, _scope(how, steps, rows))]
        facts = [
            line_difference(line.contrast, line.name, measure, epochs),
            _together(dependence, on_what),
            _few(inputs, results),
        ]
    else:
        sentences = [_opened(told(steps[lead], measure), steps[lead], rows[lead], word, how), dependence]
        carried = _together(
            differences(rows[lead], measure, epochs),
            _by_loss_alone(results, steps[lead], measure),
            _why_open(rows[lead]),
        )
        rest = _of_others(others, measure)
        is_answered = any(step.outcome in CLAIMED for found in others.values() for step in found)
        if all(step.outcome in UNCLEAR for step in steps[lead]) and is_answered:
            # What is clear belongs into the answer, whichever factor it is about.
            sentences.append(_of_others(others, measure, _scope(how, others, rows)))
            rest = Spoken(text="")
        if status == OPEN and word == "" and (dependence.text or is_answered):
            status = PARTLY
        facts = [carried, _together(on_what, _few(inputs, results)), rest]
    so_far = "" if inputs.is_complete else "The study is not finished yet."
    return assembled([Spoken(text=so_far), *sentences], facts, status, picture)


def _together(*parts: Spoken) -> Spoken:
    """Sentences as one text."""
    return joined(parts, " ")


def _first_look_means(inputs: ReportInputs, results: Results) -> dict[Key, Shown]:
    """What stands beside a comparison: means over the first look's blocks of the two cells that it compares.

    A cell then has one score wherever it is named, in the tables too, however many blocks a comparison was read at.
    """
    outcome, rows = inputs.outcome.name, results.rows
    cells: dict[tuple[str, ...], tuple[float | None, float]] = {}
    for _, of_cell in rows.groupby("trial_number"):
        levels = tuple(repr(plain(of_cell[name].iloc[0])) for name in inputs.factors)
        right = None if inputs.own else 1 - float(of_cell["test_error"].mean())
        cells[levels] = right, float(of_cell[outcome].mean())
    found: dict[Key, Shown] = {}
    for row in records(results.at_best):
        pair = [
            None if cell is None else cells.get(tuple(repr(plain(cell[name])) for name in inputs.factors))
            for cell in (row.get("best_a"), row.get("best_b"))
        ]
        if pair[0] is None or pair[1] is None:
            continue
        (right_a, mean_a), (right_b, mean_b) = pair[0], pair[1]
        rights = None if right_a is None or right_b is None else (right_a, right_b)
        found[key_of(row)] = Shown(right=rights, scores=(mean_a, mean_b))
    return found


def _by_loss_alone(results: Results, steps: Sequence[Step], measure: Measure) -> Spoken:
    """That what is said is judged by the loss, where shares of right answers alone do not license it."""
    if results.error_at_best.empty:
        return Spoken(text="")
    gates = {key_of(row): Gate(row["gate"]) for row in records(results.error_at_best)}
    answered = [step for step in steps if step.outcome in (*CLAIMED, Outcome.EQUAL)]
    open_ = [
        step
        for step in answered
        if gates.get((step.factor, step.level_a, step.level_b), Gate.UNRESOLVED) not in CLAIMS
    ]
    if not open_:
        return Spoken(text="")
    what = "that" if len(open_) == len(answered) else "part of that"
    return Spoken(text=f"Shares of right answers alone would leave {what} open.")


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
        return ("Not as far as is clear.", PARTLY) if is_open else ("No.", NO)
    if Outcome.BETTER in kinds and Outcome.WORSE in kinds:
        rises = kinds.index(Outcome.BETTER) < kinds.index(Outcome.WORSE)
        return ("Up to a point.", PARTLY) if rises and not is_open else ("In part.", PARTLY)
    if Outcome.BETTER in kinds:
        return ("In part.", PARTLY) if is_open else ("Yes.", YES)
    return ("Not as far as is clear.", PARTLY) if is_open else ("No.", NO)


def _opened(clauses: Spoken, steps: Sequence[Step], rows: Sequence[Row], word: str, how: str) -> Spoken:
    """The answer's word, how levels were made comparable and for what data it holds, then what is said of them."""
    if all(step.outcome in UNCLEAR for step in steps):
        return Spoken(text=f"{capital(clauses.text)}.", numbers=clauses.numbers, pieces=clauses.pieces)
    here = "" if all(row.get("beyond_sample") for row in rows) else HERE
    parts = [part for part in (how, here) if part]
    text = capital(", ".join([*parts, clauses.text]))
    scope = (
        f"Levels are compared {how}." if how else "",
        "Statements hold for this data set." if here else "",
    )
    return Spoken(
        text=f"{word} {text}.".strip(),
        numbers=clauses.numbers,
        pieces=tuple(part for part in (*scope, *clauses.pieces) if part),
    )


def _tuned(inputs: ReportInputs) -> str:
    """How levels were made comparable."""
    if inputs.plan["nuisances"]:
        return "tuned each on its own"
    return "each with the other settings that suit it" if len(inputs.factors) > 1 else ""


def _of_others(steps: Mapping[str, Sequence[Step]], measure: Measure, how: str = "") -> Spoken:
    """What is said of these factors, with scores where anything is claimed: one sentence."""
    clear = {
        factor: found for factor, found in steps.items() if any(step.outcome not in UNCLEAR for step in found)
    }
    clauses = [
        told(found, measure, scored=any(step.outcome in CLAIMED for step in found))
        for found in clear.values()
    ]
    whole = joined(clauses, "; ")
    text = capital(f"{how}, {whole.text}" if how and whole.text else whole.text)
    rest = [factor for factor in steps if factor not in clear]
    if not rest:
        return Spoken(text=f"{text}." if text else "", numbers=whole.numbers, pieces=whole.pieces)
    early = any(step.outcome is Outcome.EARLY for factor in rest for step in steps[factor])
    why = "it is too early to say" if early else "it is not clear"
    open_ = f"{why} whether {either(rest)} makes a difference"
    text = f"{text}; {open_}." if clauses else f"{capital(open_)}."
    return Spoken(text=text, numbers=whole.numbers, pieces=(*whole.pieces, as_sentence(open_)))


def _scope(how: str, steps: Mapping[str, Sequence[Step]], rows: Mapping[str, Sequence[Row]]) -> str:
    """How levels were made comparable, and for what data what is said of these factors holds."""
    is_clear = any(step.outcome not in UNCLEAR for found in steps.values() for step in found)
    wide = all(row.get("beyond_sample") for factor in steps for row in rows[factor])
    return ", ".join(part for part in (how, HERE if is_clear and not wide else "") if part)


def depends(inputs: ReportInputs, results: Results, factor: str, averaged: Sequence[Said]) -> Spoken:
    """Where the factor matters most: its claimed difference at the level of another factor where that is largest.

    Beside it the level where the difference is claimed the other way round, if there is one. Empty without a claim.
    """
    groups = _by_place(
        row
        for said in averaged
        if said.row["factor"] == factor and said.by_level is not None
        for row in records(said.by_level)
    )
    found, ordered = _ordered(groups, inputs.outcome)
    if not found:
        return Spoken(text="")
    place = ordered[0]
    opposite = [
        each for each in ordered if each[0] == place[0] and _helps(found[each]) != _helps(found[place])
    ]
    return _together(
        *(
            _at(inputs, results, each, found[each], bool(groups[each][0].get("averages_over")))
            for each in [place, *opposite[:1]]
        )
    )


def depends_most(simple_effects: Sequence[Row], measure: Measure) -> tuple[str, str] | None:
    """What the verdict says of a factor's dependence, as a title: the other factor, and the difference at its level.

    `simple_effects` are the factor's effects at the levels of other factors, as report.json has them. None without a
    claim.
    """
    groups = _by_place({name: _as_level(value) for name, value in row.items()} for row in simple_effects)
    found, ordered = _ordered(groups, measure)
    if not found:
        return None
    by, level = place = ordered[0]
    clause = told([found[place]], measure, scored=False)
    rest = ", averaged over the rest" if groups[place][0].get("averages_over") else ""
    return by, f"{capital(condition(by, level))}, {clause.text}{rest}"


def _as_level(value: Any) -> Any:
    """A value of report.json, where a level of several values is a list."""
    return tuple(value) if isinstance(value, list) else value


Place = tuple[str, Any]
"""A level of another factor: its name and the level."""


def _by_place(simple_effects: Iterable[Row]) -> dict[Place, list[Row]]:
    groups: dict[Place, list[Row]] = {}
    for row in simple_effects:
        groups.setdefault((str(row["by"]), plain(row["by_level"])), []).append(row)
    return groups


def _ordered(
    groups: Mapping[Place, Sequence[Row]], measure: Measure
) -> tuple[dict[Place, Step], list[Place]]:
    """What is claimed at each place, and the places with the largest difference first."""
    found = {place: step for place, rows in groups.items() if (step := _largest(rows, measure)) is not None}
    sizes = {
        place: max(abs(row["estimate"]) for row in groups[place] if outcome_of(row, measure) in CLAIMED)
        for place in found
    }
    return found, sorted(found, key=lambda each: -sizes[each])


def _helps(step: Step) -> bool:
    return (as_switch(step) or step).outcome is Outcome.BETTER


def _largest(rows: Sequence[Row], measure: Measure) -> Step | None:
    """The claim at one level of another factor: from the first level to the last where all steps between agree."""
    claims = [row for row in rows if outcome_of(row, measure) in CLAIMED and not row["equivalent"]]
    if not claims:
        return None
    in_a_row = all(plain(one["level_b"]) == plain(other["level_a"]) for one, other in pairwise(rows))
    kinds = {outcome_of(row, measure) for row in rows}
    if len(rows) > 1 and in_a_row and len(kinds) == 1 and kinds <= {*CLAIMED}:
        # Each interval lies on one side of 0, so that the differences add up at least to the sum of the nearer ends.
        least = sum(min(abs(row[name]) for name in deciding(row)) for row in rows)
        smallest = rows[0]["smallest_effect"]
        return Step(
            factor=str(rows[0]["factor"]),
            level_a=plain(rows[0]["level_a"]),
            level_b=plain(rows[-1]["level_b"]),
            outcome=kinds.pop(),
            far=bool(smallest and smallest > 0 and least >= FAR * smallest),
        )
    return step_of(max(claims, key=lambda row: abs(row["estimate"])), measure)


def _at(inputs: ReportInputs, results: Results, place: tuple[str, Any], step: Step, averages: bool) -> Spoken:
    """One claim at one level of another factor, with the mean scores there."""
    by, level = place
    rows = results.first_rows
    there = rows[[plain(value) == level for value in rows[by]]]
    clause = told([_with_means(inputs, there, step)], inputs.outcome, on_average=averages)
    return Spoken(text=f"{capital(condition(by, level))}, {clause.text}.", numbers=[level, *clause.numbers])


def _with_means(inputs: ReportInputs, rows: pd.DataFrame, step: Step) -> Step:
    """The step with the mean scores of its two levels over these networks."""
    parts = [
        rows[[plain(value) == each for value in rows[step.factor]]] for each in (step.level_a, step.level_b)
    ]
    before, after = (float(part[inputs.outcome.name].mean()) for part in parts)
    right = None
    if not inputs.own:
        wrong = [float(part["test_error"].mean()) for part in parts]
        right = (1 - wrong[0], 1 - wrong[1])
    return Step(
        factor=step.factor,
        level_a=step.level_a,
        level_b=step.level_b,
        outcome=step.outcome,
        slight=step.slight,
        far=step.far,
        right=right,
        scores=(before, after),
    )


def _on_average(
    inputs: ReportInputs,
    results: Results,
    factor: str,
    steps: Mapping[str, Sequence[Step]],
    averaged: Sequence[Said],
) -> Spoken:
    """What is claimed averaged over the other settings, where that is not what is said of levels at their best."""
    known = {(step.level_a, step.level_b): step.outcome for step in steps[factor]}
    found = [step_of(said.row, inputs.outcome) for said in averaged if said.row["factor"] == factor]
    other = [
        _with_means(inputs, results.first_rows, step)
        for step in found
        if step.outcome in CLAIMED and not step.slight
        if known.get((step.level_a, step.level_b)) is not step.outcome
    ]
    if not other:
        return Spoken(text="")
    clause = told(other, inputs.outcome)
    pieces = tuple(f"{piece[:-1]}, averaged over the other settings." for piece in clause.pieces)
    return Spoken(
        text=f"Averaged over the other settings, {clause.text}.", numbers=clause.numbers, pieces=pieces
    )


def _on_what(results: Results, inputs: ReportInputs, factor: str) -> Spoken:
    """On which other factors the first one's effect depends, by the intervals of the changes; the rest is not clear."""
    others = [name for name in inputs.factors if name != factor]
    if not others or results.interactions.empty or not results.look.number:
        return Spoken(text="")
    stated = {
        str(row["by"]) if row["factor"] == factor else str(row["factor"])
        for row in records(results.interactions)
        if factor in (row["factor"], row["by"]) and row["gate"] == Gate.INTERACTION
    }
    yes, rest = ([name for name in others if (name in stated) is so] for so in (True, False))
    if not yes:
        return Spoken(text=f"Whether the effect of {named(factor)} depends on {either(rest)} is not clear.")
    head = f"What {named(factor)} does depends on {listed([named(name) for name in yes])}"
    if not rest:
        return Spoken(text=f"{head}.")
    return Spoken(
        text=f"{head}; whether on {either(rest)} is not clear.",
        pieces=(f"{head}.", f"Whether it depends on {either(rest)} is not clear."),
    )


def _why_open(rows: Sequence[Row]) -> Spoken:
    """Why nothing is claimed of a comparison, where more data would not tell."""
    barred = [
        row
        for row in rows
        if row["gate"] in (Gate.BOUNDARY, Gate.UNRESOLVED)
        and (row["boundary"] or not row["complete"] or row["constant"] or row["sd"] == 0)
    ]
    if not barred:
        return Spoken(text="")
    row = barred[0]
    first, second = plain(row["level_a"]), plain(row["level_b"])
    return Spoken(
        text=f"Nothing is claimed {rather(row['factor'], first, second)}: {why_withheld(row)}.",
        numbers=[first, second],
    )


def _few(inputs: ReportInputs, results: Results) -> Spoken:
    """Said where there are too few repetitions for any claim."""
    num, least = results.look.num_blocks, results.look.rules.min_blocks
    if num >= least:
        return Spoken(text="")
    return Spoken(
        text=f"A claim takes {count(least)} repetitions with other data splits and seeds; here there "
        f"{'is' if num == 1 else 'are'} {count(num)}.",
        numbers=[num, least],
    )
