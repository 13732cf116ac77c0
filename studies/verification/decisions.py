"""Check I4: recorded decisions, ASHA's and those after looks, are those that would be made again."""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict
from typing import Any

from reports.inputs.decisions import LOOK_DECIDED
from reports.inputs.decisions import Decision as LookDecision
from studies.base.errors import StudiesError
from studies.base.states import Decision, Phase
from studies.base.wording import counted
from studies.definition import plan_versions
from studies.search.asha import Asha
from studies.verification.check import Check, named
from studies.verification.json_values import parsed
from studies.verification.record import Record

RULE = "stored decisions equal to a replay: ASHA's, and those after looks"
_TOLERANCE = 1e-9
"""By how much, relative, an interval may differ: other versions of SciPy round otherwise."""


def check_decisions(record: Record, decide: Callable[[], Sequence[LookDecision]]) -> Check:
    """Replay the results at rungs in the order of the decisions, and find rungs reached without a decision.

    `decide` computes again what follows from each look; it is called where a plan has several.
    """
    decided = looks_decided(record)
    after = f", {counted(len(decided), 'look')} decided" if decided else ""
    return Check(
        name="I4",
        rule=RULE,
        looked_at=f"{counted(len(record.rows.rungs), 'decision')} of ASHA{after}",
        faults=[*_replayed(record), *_missing(record), *_looks(record, decided, decide)],
    )


def has_looks(record: Record) -> bool:
    """Return whether what the later looks train follows from recorded decisions."""
    return record.plan.version >= plan_versions.UNTIL_CLEAR and len(record.plan.study.all_looks) > 1


def looks_decided(record: Record) -> list[dict[str, Any]]:
    """Return what was decided after each look, in the order of the events; unreadable events, which I9 names, left out.

    Each has at least a look and cells, whole numbers.
    """
    events = record.rows.events
    found = [parsed(detail) for detail in events.loc[events["kind"] == LOOK_DECIDED, "detail"]]
    return [each for each in found if isinstance(each, dict) and {"look", "cells", "questions"} <= set(each)]


def _looks(
    record: Record, decided: Sequence[Mapping[str, Any]], decide: Callable[[], Sequence[LookDecision]]
) -> Iterator[str]:
    """Yield faults: looks are decided once each, in order, as they would be again, and before trials that follow."""
    if not has_looks(record):
        if decided:
            yield "what follows from a look is recorded, and the plan has no looks that decide anything"
        return
    numbers = [each["look"] for each in decided]
    if numbers != list(range(1, len(numbers) + 1)):
        yield f"looks {', '.join(map(str, numbers))} are decided, in this order; each follows the one before"
    for number in _begun(record) - {look + 1 for look in numbers}:
        yield f"look {number} has trials, and what follows from look {number - 1} is not recorded"
    if record.is_complete and not numbers:
        yield "the study is complete, and what follows from its first look is not recorded"
    if not decided:
        return
    try:
        again = {each.look: asdict(each) for each in decide()}
    except StudiesError as error:
        yield f"what follows from the looks cannot be computed again: {error.message}"
        return
    for each in decided:
        where = f"look {each['look']}"
        if each["look"] not in again:
            yield f"{where}: decided, and not whole by the rows"
        elif not _agree(each, again[each["look"]]):
            yield f"{where}: stored is {_short(each)}, computed again {_short(again[each['look']])}"


def _begun(record: Record) -> set[int]:
    """Return the looks after the first, from 1, that have trials."""
    numbers = {trial["number"] for trial in record.trials if trial["phase"] == Phase.CONFIRM}
    return {record.look_of(number) + 1 for number in numbers} - {1}


def _agree(stored: Any, again: Any) -> bool:
    """Return whether two decisions agree, numbers up to rounding; a missing number is null in the stored one."""
    if isinstance(again, Mapping):
        return (
            isinstance(stored, Mapping)
            and set(stored) == set(again)
            and all(_agree(stored[name], value) for name, value in again.items())
        )
    if isinstance(again, list | tuple):
        return isinstance(stored, list) and len(stored) == len(again) and all(map(_agree, stored, again))
    if isinstance(again, float) and not math.isfinite(again):
        return stored is None
    if isinstance(again, float) and isinstance(stored, int | float):
        return math.isclose(stored, again, rel_tol=_TOLERANCE, abs_tol=1e-12)
    return bool(stored == again)


def _short(decided: Mapping[str, Any]) -> str:
    """Return a decision in one line: how many questions stand how, and the cells that follow."""
    standings = [question.get("standing") for question in decided["questions"]]
    counts = ", ".join(f"{standings.count(each)} {each}" for each in dict.fromkeys(standings))
    return f"{counts or 'no question'}; {named(decided['cells'], 'cell') if decided['cells'] else 'no cell to train'}"


def _replayed(record: Record) -> Iterator[str]:
    search = record.plan.study.search
    asha = Asha(
        rungs=search.rungs,
        reduction_factor=search.reduction_factor,
        mode=str(record.plan.study.direction),
    )
    in_order = record.rows.rungs.sort_values("sequence", kind="stable")
    decided: set[tuple[int, int]] = set()
    columns = ["trial_number", "epoch", "objective", "decision"]
    for number, epoch, objective, decision in in_order[columns].itertuples(index=False):
        trial, where = record.by_number.get(number), f"trial {number}, epoch {epoch}"
        is_ranked = trial is not None and trial["phase"] == Phase.SEARCH
        if trial is None or epoch not in search.rungs or (is_ranked and objective != objective):
            yield f"{where}: there is no such trial, no such rung or no objective"
        elif (number, epoch) in decided:
            yield f"{where}: decided more than once"
        else:
            expected = Decision.CONTINUE
            if trial["phase"] == Phase.SEARCH and asha.decides_at(epoch):
                expected = asha.decide(trial["cell"], number=number, epoch=epoch, objective=objective)
            if decision != expected:
                yield f"{where}: stored is {decision}, a replay says {expected}"
        decided.add((number, epoch))


def _missing(record: Record) -> Iterator[str]:
    rows = record.rows.rungs
    decided = set(zip(rows["trial_number"], rows["epoch"], strict=True))
    for trial in record.trials:
        if trial["phase"] != Phase.SEARCH:
            continue
        for rung in record.plan.study.search.rungs:
            if rung <= (trial["epochs"] or 0) and (trial["number"], rung) not in decided:
                yield f"trial {trial['number']}, epoch {rung}: the rung was reached and nothing is decided"
