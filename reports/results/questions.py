"""Questions at best, look by look: which are answered, by which interval, and which cells are trained on for the rest.

A question is a comparison of two levels, each at its best cell, by the primary outcome. It closes at the first look
whose simultaneous interval licenses a claim, and keeps that interval; the cells of open questions are trained on to the
next look. Which cells are compared, and how many hypotheses that makes, was fixed when the search ended.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import prod
from typing import Any

import pandas as pd

from reports.inputs.cube import plain
from reports.inputs.decisions import Decision, Question, Standing
from reports.results.looks import (
    ENDED,
    Look,
    look_of,
    look_reached,
    planned_looks,
    rules_of,
    trains_until_clear,
)
from reports.statistics.gates import Gate

CLAIMS = (Gate.DIRECTION, Gate.MEANINGFUL, Gate.EQUIVALENT)
"""The gates at which a question is answered."""


@dataclass(frozen=True, kw_only=True)
class Followed:
    """The comparisons at best over all looks so far.

    - `look`: the last whole look
    - `at_best`, `error_at_best`: one row a comparison, at the look that it keeps (`look`, `standing`); the second None
      where no error rate is read
    - `readings`: one row for each question and look at which it was read: factor, level_a, level_b, look, num_blocks,
      estimate, simultaneous_low, simultaneous_high, smallest_effect, gate, standing
    - `decisions`: one for each whole look; empty where a single look is planned
    """

    look: Look
    at_best: pd.DataFrame
    error_at_best: pd.DataFrame | None
    readings: pd.DataFrame
    decisions: tuple[Decision, ...]


READING = (
    *(
        "factor",
        "level_a",
        "level_b",
        "look",
        "num_blocks",
        "estimate",
        "simultaneous_low",
        "simultaneous_high",
    ),
    *("smallest_effect", "gate", "standing"),
)

Read = Callable[[int], pd.DataFrame]
"""Gives the comparisons at best (`reports.statistics.contrasts.at_best`) by the networks up to a look, from 1."""


def follow(
    plan: Mapping[str, Any],
    trials: pd.DataFrame,
    chosen: pd.DataFrame,
    *,
    is_complete: bool,
    read: Read,
    read_error: Read | None = None,
) -> Followed:
    """Read the questions at each whole look, from the first on, as long as any is open.

    `trials` as in `reports.inputs.inputs`, `chosen` the cells that the search selected from, with their numbers
    (`cell`) and levels. A look is whole when every cell that it trains has ended in it. The error rate is read at the
    same looks while its question is open, and keeps its first claim. Plans before version 4 train every cell at each
    look, and are read at the last one alone.
    """
    if not trains_until_clear(plan) or plan["search"].get("trials") is not None:
        return _at_last_look(look_reached(plan, trials, is_complete), read, read_error)
    looks, numbers = (
        planned_looks(plan),
        {_key(row, plan): int(row["cell"]) for row in chosen.to_dict("records")},
    )
    ended = _ended_cells(plan, trials)
    questions, errors, decisions = _Kept(), _Kept(), list[Decision]()
    needed = frozenset(numbers.values())
    for number, num_blocks in enumerate(looks, start=1):
        whole = needed <= ended[number - 1]
        if number == 1:  # which cells the first look trains is known once the search is over
            whole = is_complete or any(ended[1:]) or (whole and _search_is_over(plan, trials))
        if not whole:
            break
        was_open = questions.open_places
        questions.take(read(number), number, is_last=number == len(looks), only=was_open)
        if read_error is not None:
            errors.take(read_error(number), number, is_last=number == len(looks), only=was_open)
        needed = frozenset(cell for row in questions.open_rows for cell in _cells_of(row, numbers, plan))
        decisions.append(
            Decision(
                look=number,
                num_blocks=num_blocks,
                questions=tuple(map(_question, questions.rows)),
                cells=tuple(sorted(needed)),
                next_blocks=looks[number] if needed else None,
            )
        )
        if not needed:
            break
    if read_error is not None:
        errors.end(questions)
    if not decisions:  # nothing is claimed yet, and what there is can be drawn
        questions.take(read(1), 1, is_last=False, only=None)
        if read_error is not None:
            errors.take(read_error(1), 1, is_last=False, only=None)
    return Followed(
        look=_look(plan, len(decisions), trials),
        at_best=questions.frame(),
        error_at_best=errors.frame() if read_error is not None else None,
        readings=questions.readings(),
        decisions=tuple(decisions) if len(looks) > 1 else (),
    )


def _at_last_look(look: Look, read: Read, read_error: Read | None) -> Followed:
    """The comparisons of a plan before version 4, each read at the look that the study has reached."""
    questions, errors, number = _Kept(), _Kept(), max(look.number, 1)
    is_last = number == look.num_looks
    questions.take(read(number), number, is_last=is_last, only=None)
    if read_error is not None:
        errors.take(read_error(number), number, is_last=is_last, only=None)
    return Followed(
        look=look,
        at_best=questions.frame(),
        error_at_best=errors.frame() if read_error is not None else None,
        readings=questions.readings(),
        decisions=(),
    )


def _ended_cells(plan: Mapping[str, Any], trials: pd.DataFrame) -> list[set[int]]:
    """For each planned look the cells whose confirm trials have ended in it."""
    cells: list[set[int]] = [set() for _ in planned_looks(plan)]
    confirm = trials[(trials["phase"] == "confirm") & trials["state"].isin(ENDED)] if len(trials) else trials
    if len(confirm):
        places = look_of(plan, confirm["number"]).clip(0, len(cells) - 1)
        for place, cell in zip(places, confirm["cell"], strict=True):
            cells[int(place)].add(int(cell))
    return cells


def _search_is_over(plan: Mapping[str, Any], trials: pd.DataFrame) -> bool:
    """Whether every planned trial of the search has ended."""
    if trials.empty:
        return False
    search = trials[trials["phase"] == "search"]
    planned = int(plan["search"]["trials_per_cell"]) * prod(
        len(levels) for levels in plan["factors"].values()
    )
    return len(search) == planned and bool(search["state"].isin((*ENDED, "pruned")).all())


def _look(plan: Mapping[str, Any], number: int, trials: pd.DataFrame) -> Look:
    looks = planned_looks(plan)
    confirm = trials[trials["phase"] == "confirm"] if len(trials) else trials
    begun = int(look_of(plan, confirm["number"]).max()) + 1 if len(confirm) else 0
    return Look(
        number=number,
        num_looks=len(looks),
        num_blocks=looks[max(number, 1) - 1],
        share=1 / len(looks),
        rules=rules_of(plan),
        begun=begun > max(number, 1),
    )


class _Kept:
    """For each comparison the row that it keeps: of the look at which it closed, else of the last one."""

    def __init__(self) -> None:
        self._frames: dict[int, pd.DataFrame] = {}
        self._looks: list[int] = []
        self._standings: list[Standing] = []
        self._readings: list[dict[str, Any]] = []

    @property
    def open_places(self) -> list[int] | None:
        """The places of open comparisons; None before the first look, when all are."""
        if not self._frames:
            return None
        return [place for place, standing in enumerate(self._standings) if standing is Standing.OPEN]

    @property
    def rows(self) -> list[dict[Any, Any]]:
        """The rows that are kept, with `look` and `standing`."""
        by_look = {look: frame.to_dict("records") for look, frame in self._frames.items()}
        return [
            {**by_look[look][place], "look": look, "standing": standing}
            for place, (look, standing) in enumerate(zip(self._looks, self._standings, strict=True))
        ]

    @property
    def open_rows(self) -> list[dict[Any, Any]]:
        """The rows of open comparisons."""
        return [row for row in self.rows if row["standing"] is Standing.OPEN]

    def take(self, frame: pd.DataFrame, look: int, *, is_last: bool, only: Sequence[int] | None) -> None:
        """Read the comparisons at a look: those at the places `only` (None: all) that have not closed before."""
        self._frames[look] = frame
        if not self._looks:
            self._looks = [look] * len(frame)
            self._standings = [Standing.OPEN] * len(frame)
        for place, row in enumerate(frame.to_dict("records")):
            if self._standings[place] is Standing.OPEN and (only is None or place in only):
                self._looks[place] = look
                self._standings[place] = _standing(row, look, is_last=is_last)
                read = {**row, "look": look, "standing": self._standings[place].value}
                self._readings.append({name: read[name] for name in READING})

    def end(self, questions: _Kept) -> None:
        """Leave unresolved what is open although its question is not: it is read no further."""
        for place, standing in enumerate(questions._standings):
            if standing is not Standing.OPEN and self._standings[place] is Standing.OPEN:
                self._standings[place] = Standing.UNRESOLVED

    def frame(self) -> pd.DataFrame:
        """The rows that are kept as a frame, each column of the type that it has at one look."""
        first = next(iter(self._frames.values()))
        columns = {
            name: pd.Series(
                [self._frames[look][name].iat[place] for place, look in enumerate(self._looks)],
                dtype=column.dtype,
            )
            for name, column in first.items()
        }
        kept = pd.DataFrame(columns, columns=first.columns)
        return kept.assign(look=self._looks, standing=[standing.value for standing in self._standings])

    def readings(self) -> pd.DataFrame:
        """One row for each comparison and look at which it was read, by look."""
        return pd.DataFrame(self._readings, columns=list(READING))


def _standing(row: Mapping[Any, Any], look: int, *, is_last: bool) -> Standing:
    if row["gate"] in CLAIMS:
        return Standing.CLOSED
    is_barred = row["boundary"] or row["constant"] or not row["complete"] or row["sd"] == 0
    if look == 1 and is_barred:
        return Standing.WITHHELD
    return Standing.UNRESOLVED if is_last else Standing.OPEN


def _question(row: Mapping[Any, Any]) -> Question:
    return Question(
        factor=str(row["factor"]),
        level_a=plain(row["level_a"]),
        level_b=plain(row["level_b"]),
        standing=row["standing"],
        look=int(row["look"]),
        num_blocks=int(row["num_blocks"]),
        gate=str(row["gate"]),
        estimate=float(row["estimate"]),
        low=float(row["simultaneous_low"]),
        high=float(row["simultaneous_high"]),
    )


def _cells_of(row: Mapping[Any, Any], numbers: Mapping[Any, int], plan: Mapping[str, Any]) -> Iterator[int]:
    """The numbers of the two cells that a comparison at best compares."""
    for cell in (row["best_a"], row["best_b"]):
        if cell is not None:
            yield numbers[_key(cell, plan)]


def _key(cell: Mapping[Any, Any], plan: Mapping[str, Any]) -> tuple[str, ...]:
    return tuple(repr(plain(cell[name])) for name in plan["factors"])
