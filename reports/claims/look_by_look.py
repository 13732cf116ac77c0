"""Looks in words and for report.json: which question closed at which look, what stays open, and what each look cost."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from reports.claims.remarks import about_look
from reports.inputs.cube import plain
from reports.inputs.decisions import Decision, Question, Standing
from reports.inputs.inputs import ReportInputs
from reports.results.looks import looks_until_clear, planned_looks
from reports.results.results import Results
from reports.wording.phrases import Sentence, capital, configuration, counted, listed, rather, spelled
from reports.wording.words import count, percent

MOST_NAMED = 12
"""Questions that are named one by one; more are counted."""


def about_looks(inputs: ReportInputs, results: Results, *, briefly: bool = False) -> list[Sentence]:
    """What was planned, which questions are answered at which look, what looks spend and how later ones are scored.

    None where a single look is planned. Of plans before version 4, which train every cell at each look, one sentence
    says which look this is and what it spends. `briefly`: without the names of questions and what looks spend.
    """
    looks, look = looks_until_clear(inputs.plan), results.look
    if not looks or look.number == 0:
        said = about_look(look) if look.num_looks > 1 else None
        return [] if said is None else [said]
    spoken = [
        _planned(looks),
        about_standing(results, named=not briefly),
        None if briefly else _spent(looks, results),
        _scored(results),
        about_next(results, named=briefly),
    ]
    return [each for each in spoken if each is not None]


def _planned(looks: Sequence[int]) -> Sentence:
    return Sentence(
        text=f"Looks were planned at {_blocks(looks)}: after each, only the cells that open questions compare are "
        "trained on.",
        gate=None,
        numbers=_numbered("look", looks),
    )


def about_standing(results: Results, *, named: bool = False) -> Sentence | None:
    """How many questions at best are answered, by how many blocks, and what is said of the others; None before a look.

    With `named` it says which, where there are few enough to read.
    """
    if not results.decisions:
        return None
    last = results.decisions[-1]
    total, by_look = len(last.questions), _answered(last)
    answered = sum(by_look.values())
    numbers: dict[str, float] = {"questions": total, "answered": answered, **_rest_numbers(last)}
    numbers |= {f"answered_at_{blocks}": num for blocks, num in by_look.items()}
    numbers |= {f"blocks_{blocks}": blocks for blocks in (*by_look, last.num_blocks)}
    if not total:
        return None
    named = named and total <= MOST_NAMED
    if named:
        numbers |= _levels(last)
    names = {blocks: _names(last, blocks) if named and total > 1 else "" for blocks in by_look}
    parts = [f"{spelled(num)} at {_blocks([blocks])}{names[blocks]}" for blocks, num in by_look.items()]
    rest = _rest(last, named=named and total > 1)
    if answered == total and len(by_look) == 1:
        (blocks,) = by_look
        first = "" if last.look > 1 else ", so that no later look was needed"
        text = f"{_all(total, 'question')} at best {_is(total)} answered at {_blocks([blocks])}{first}."
    elif answered == total:
        text = f"{_all(total, 'question')} at best are answered: {_in_turn(parts)}."
    else:
        at = f": {_in_turn(parts)}"
        if len(by_look) < 2:
            at = "".join(f" at {_blocks([blocks])}{names[blocks]}" for blocks in by_look)
        some = spelled(answered) if answered else "none"
        head = f"of {counted(total, 'question', 'questions')} at best {some} {_is(max(answered, 1))} answered"
        text = f"{capital(head)}{at}; {'; '.join(rest)}."
    return Sentence(text=text, gate=None, numbers=numbers)


def _in_turn(parts: Sequence[str]) -> str:
    return "; ".join(parts) if any("(" in part for part in parts) else listed(parts)


def _names(decision: Decision, blocks: int) -> str:
    """Which questions were answered at so many blocks: " (with dropout 0.3 rather than 0.1)"."""
    closed = [each for each in decision.questions if each.standing is Standing.CLOSED]
    return _named([each for each in closed if each.num_blocks == blocks])


def _named(questions: Sequence[Question]) -> str:
    parts = [rather(each.factor, each.level_a, each.level_b) for each in questions]
    return f" ({', '.join(parts)})"


def _levels(decision: Decision) -> dict[str, float]:
    levels = [level for each in decision.questions for level in (each.level_a, each.level_b)]
    return {f"level_{place}": level for place, level in enumerate(levels) if isinstance(level, int | float)}


def _rest(decision: Decision, *, named: bool = False) -> list[str]:
    """What is said of questions that are not answered."""
    num = Counter(each.standing for each in decision.questions)
    blocks = _blocks([decision.num_blocks])
    told = {
        Standing.UNRESOLVED: f"not resolved at {blocks}, the last planned look",
        Standing.OPEN: f"still open after {blocks}",
        Standing.WITHHELD: "withheld, for more blocks cannot answer it"
        if num[Standing.WITHHELD] == 1
        else "withheld, for more blocks cannot answer them",
    }
    those = {
        standing: [each for each in decision.questions if each.standing is standing] for standing in told
    }
    return [
        f"{spelled(num[standing])} {_is(num[standing])} {words}{_named(those[standing]) if named else ''}"
        for standing, words in told.items()
        if num[standing]
    ]


def _rest_numbers(decision: Decision) -> dict[str, int]:
    num = Counter(each.standing for each in decision.questions)
    return {standing.value: num[standing] for standing in Standing if standing is not Standing.CLOSED}


def _spent(looks: Sequence[int], results: Results) -> Sentence:
    first = _blocks(looks[:1])
    return Sentence(
        text=f"Each look spends {percent(results.look.share, 0)} of the share of the error rate that comparisons at "
        f"best have; all other comparisons, and everything that is described, use the {first} of the first look.",
        gate=None,
        numbers={"share": results.look.share, "first": looks[0]},
    )


def _scored(results: Results) -> Sentence | None:
    """How networks of later looks are scored, where that differs; nothing before there are any."""
    if not results.pools_parts or results.look.number < 2:
        return None
    return Sentence(
        text="Networks of later looks are scored on the validation and the test part together, for no search has read "
        "these blocks; those of the first look, whose validation parts the search has read, on the test part alone.",
        gate=None,
    )


def about_next(results: Results, *, named: bool = False) -> Sentence | None:
    """What the next look trains, or would; None where no question is open. With `named` it says which are, if few."""
    ahead = next_look(results)
    if ahead is None:
        return None
    each = counted(ahead["more_blocks"], "more block", "more blocks")
    cells = f"{counted(len(ahead['cells']), 'cell', 'cells')} for {each}"
    networks = f"{count(ahead['networks'])} {'network' if ahead['networks'] == 1 else 'networks'}"
    blocks = _blocks([ahead["num_blocks"]])
    if results.look.begun:
        text = f"The look at {blocks} has begun: it trains {cells} ({networks}), and is left out until it is whole."
    else:
        text = f"The next look, at {blocks}, would train {cells} ({networks}); a run with --until clear goes on to it."
    numbers = {name: ahead[name] for name in ("num_blocks", "more_blocks", "networks")}
    numbers |= {"cells": len(ahead["cells"])}
    last = results.decisions[-1]
    those = [each for each in last.questions if each.is_open]
    if named and len(those) <= MOST_NAMED:
        pairs = listed([rather(each.factor, each.level_a, each.level_b) for each in those])
        what = "is the difference" if len(those) == 1 else "are the differences"
        text, numbers = f"Still open {what} {pairs}. {text}", numbers | _levels(last)
    return Sentence(text=text, gate=None, numbers=numbers)


def next_look(results: Results) -> dict[str, Any] | None:
    """The look after the last whole one, where questions are open.

    num_blocks, more_blocks (of each cell), networks, cells (numbers) and names of the cells.
    """
    last = results.decisions[-1] if results.decisions else None
    if last is None or last.next_blocks is None:
        return None
    more, chosen = last.next_blocks - last.num_blocks, results.chosen.set_index("cell")
    factors = [name for name in _factors(last) if name in chosen]
    names = [configuration({name: plain(chosen[name][cell]) for name in factors}) for cell in last.cells]
    return {
        "num_blocks": last.next_blocks,
        "more_blocks": more,
        "networks": more * len(last.cells),
        "cells": list(last.cells),
        "names": names,
    }


def _factors(decision: Decision) -> list[str]:
    return [*dict.fromkeys(each.factor for each in decision.questions)]


def looks_title(results: Results) -> str:
    """What the intervals show, look by look: "Three of seven questions are answered at ten blocks, the last at 40"."""
    last = results.decisions[-1]
    total, by_look = len(last.questions), _answered(last)
    answered, reached = sum(by_look.values()), [*by_look]
    if not answered:
        return f"No question at best is answered: {'; '.join(_rest(last))}"
    first = by_look[reached[0]]
    head = (
        f"{_all(total, 'question')} at best"
        if first == total
        else f"{capital(spelled(first))} of {counted(total, 'question', 'questions')} at best"
    )
    text = f"{head} {_is(first)} answered at {_blocks(reached[:1])}"
    if len(reached) > 1:
        final = by_look[reached[-1]]
        which = "all" if final > 1 else "the last"
        text += f", {which if answered == total else spelled(answered)} at {spelled(reached[-1])}"
    return "; ".join([text, *_rest(last)])


def _answered(decision: Decision) -> dict[int, int]:
    """How many questions closed at each number of blocks, in their order."""
    found = Counter(each.num_blocks for each in decision.questions if each.standing is Standing.CLOSED)
    return {blocks: found[blocks] for blocks in sorted(found)}


def looks_record(inputs: ReportInputs, results: Results) -> dict[str, Any] | None:
    """For report.json: what was planned, decided, read and spent; None where a single look is planned.

    - `planned` (numbers of blocks), `reached` (the number of the last whole look, 0 before the first)
    - `decisions`: for each whole look how every question stands, the cells that the next look trains
    - `readings`: the questions at each look at which they were read; none before the first is whole
    - `cost`: for each look that has begun look, num_blocks, trials, networks, epochs, seconds (of busy workers), and
      its `share` of the seconds of the whole study; None where no time is recorded
    - `next`: what the look after the last whole one trains (`next_look`), None where no question is open
    - `standing`, `ahead`: sentences about the questions, and about the next look, each with its numbers
    """
    looks = planned_looks(inputs.plan)
    if len(looks) == 1 or not inputs.has_cells:
        return None
    return {
        "planned": list(looks),
        "reached": results.look.number,
        "pools_parts": results.pools_parts,
        "decisions": [each.to_dict() for each in results.decisions],
        "cost": _costs(results),
        "readings": results.readings.to_dict("records") if results.look.number else [],
        "next": next_look(results),
        "standing": _recorded(about_standing(results)),
        "ahead": _recorded(about_next(results, named=True)),
    }


def _recorded(said: Sentence | None) -> dict[str, Any] | None:
    return None if said is None else {"sentence": said.text, "numbers": dict(said.numbers)}


def _costs(results: Results) -> list[dict[str, Any]]:
    whole = results.accounting.overall["seconds"]
    return [
        {
            "look": int(row["look"]),
            "num_blocks": int(row["num_blocks"]),
            "trials": int(row["started"]),
            "networks": int(row["networks"]),
            "epochs": int(row["epochs"]),
            "seconds": float(row["seconds"]),
            "share": float(row["seconds"]) / whole if whole else None,
        }
        for row in results.accounting.by_look.to_dict("records")
    ]


def why_withheld(row: Mapping[Any, Any]) -> str:
    """Why nothing may be claimed of a comparison at best, however many blocks."""
    if row["boundary"]:
        return "a chosen learning rate lies at the end of its range"
    if not row["complete"]:
        return "networks are missing"
    return "all networks score the same" if row["constant"] else "the difference is the same in every block"


def _blocks(numbers: Sequence[int]) -> str:
    """Numbers of blocks as said: "ten, 20, 40 and 80 blocks"."""
    return f"{listed([spelled(each) for each in numbers])} {'block' if list(numbers) == [1] else 'blocks'}"


def _all(total: int, noun: str) -> str:
    if total < 3:
        return f"the only {noun}".capitalize() if total == 1 else f"Both {noun}s"
    return f"All {counted(total, noun, f'{noun}s')}"


def _is(num: int) -> str:
    return "is" if num == 1 else "are"


def _numbered(name: str, values: Sequence[int]) -> dict[str, float]:
    return {f"{name}_{place}": value for place, value in enumerate(values)}
