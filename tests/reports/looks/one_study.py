"""Planned looks decided for one study, question by question: the naive twin that other code is held against."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from tests.reports.looks.rules import SIGN_FLIP, Floats, Rules, sign_flip_p, t_quantile

DIRECTION, MEANINGFUL, EQUIVALENT, WITHHELD = "DIRECTION", "MEANINGFUL", "EQUIVALENT", "WITHHELD"
Pair = tuple[int, int]


@dataclass(frozen=True, kw_only=True)
class Read:
    """A contrast at one look: its mean, the interval that decides, and the gates that it opens (none: unresolved)."""

    mean: float
    low: float
    high: float
    gates: frozenset[str]


@dataclass(frozen=True, kw_only=True)
class Decision:
    """What one look decides; questions go by their place in the list that was asked.

    - `num_blocks`: blocks read at this look; `num_hypotheses`: m, the same at every look
    - `read`: every question that was open before the look, as it was read; a closed one is never read again
    - `closed`: those that close here, and by which gates; `WITHHELD` alone for a question that may claim nothing
    - `open`: those that stay open; after the last look they are UNRESOLVED with the interval in `read`
    - `cells_to_train`: the cells of the open questions; empty after the last look
    - `errors`: the error rate of each question in `read`, unless it has its claim from an earlier look already
    """

    num_blocks: int
    num_hypotheses: int
    read: Mapping[int, Read]
    closed: Mapping[int, frozenset[str]]
    open: tuple[int, ...]
    cells_to_train: frozenset[int]
    errors: Mapping[int, Read] = field(default_factory=dict)


def decide(
    loss: Floats,
    questions: Sequence[Pair],
    rules: Rules,
    *,
    error: Floats | None = None,
    withheld: Collection[int] = (),
    num_hypotheses: int | None = None,
) -> list[Decision]:
    """Decide a study's looks, in order; the list ends where no question is open, or after the last look.

    - `loss`, `error`: shape (cells, blocks), what each block counts with: the test part in blocks of the first look,
      validation and test part pooled in later ones; NaN where a cell was not trained on
    - `questions`: pairs of cells (a, b), the contrast being a minus b; the same pair may come twice, and mirrored
    - `withheld`: questions that close at the first look without a claim (boundary, missing cells); a difference that
      is the same in all blocks of the first look joins them
    - `num_hypotheses`: m; by default the distinct unordered pairs among all questions and `rules.other_hypotheses`

    Sign flips above 14 blocks are resampled with a seed of their own: other code may differ where p is next to .05.
    ValueError where a block is NaN that an open question needs.
    """
    counted = num_hypotheses or len({frozenset(pair) for pair in questions}) + rules.other_hypotheses
    open_now = tuple(range(len(questions)))
    told: set[int] = set()
    decisions: list[Decision] = []
    for num_blocks in rules.looks:
        read, errors = {}, {}
        for place in open_now:
            pair = questions[place]
            read[place] = _read(
                loss, pair, num_blocks, rules.upper_tail(rules.share, counted), rules.smallest_effect
            )
            if place in withheld or (num_blocks == rules.looks[0] and read[place].low == read[place].high):
                read[place] = replace(read[place], gates=frozenset({WITHHELD}))
            elif error is not None and place not in told:
                tail = rules.upper_tail(rules.error_share, counted)
                errors[place] = _read(error, pair, num_blocks, tail, rules.smallest_error)
        told |= {place for place, found in errors.items() if found.gates}
        closed = {place: found.gates for place, found in read.items() if found.gates}
        open_now = tuple(place for place in open_now if place not in closed)
        goes_on = num_blocks != rules.looks[-1]
        decisions.append(
            Decision(
                num_blocks=num_blocks,
                num_hypotheses=counted,
                read=read,
                closed=closed,
                open=open_now,
                cells_to_train=frozenset(cell for place in open_now if goes_on for cell in questions[place]),
                errors=errors,
            )
        )
        if not open_now:
            break
    return decisions


def _read(values: Floats, pair: Pair, num_blocks: int, upper_tail: float, smallest: float) -> Read:
    differences = values[pair[0], :num_blocks] - values[pair[1], :num_blocks]
    if len(differences) < num_blocks or not np.isfinite(differences).all():
        raise ValueError(f"cells {pair} need outcomes in all of {num_blocks} blocks")
    mean = float(np.mean(differences))
    sd = math.sqrt(sum((value - mean) ** 2 for value in differences) / (num_blocks - 1))
    # Rounding leaves a spread where all blocks agree.
    sd = 0.0 if sd <= 1e-12 * abs(mean) else sd
    half = t_quantile(upper_tail, num_blocks - 1) * sd / math.sqrt(num_blocks)
    low, high = mean - half, mean + half
    if sd == 0:
        return Read(mean=mean, low=low, high=high, gates=frozenset())
    gates = set()
    if (low > 0 or high < 0) and sign_flip_p(differences) < SIGN_FLIP:
        gates.add(DIRECTION)
        if low > smallest or high < -smallest:
            gates.add(MEANINGFUL)
    if -smallest < low and high < smallest:
        gates.add(EQUIVALENT)
    return Read(mean=mean, low=low, high=high, gates=frozenset(gates))
