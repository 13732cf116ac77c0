"""Planned looks decided for many simulated studies at once, and what was said that is false."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tests.reports.looks.rules import Booleans, Floats, Integers, Rules, passes_sign_flip, t_quantile


@dataclass(frozen=True, kw_only=True)
class Drawn:
    """Simulated studies; slots are the selected cells, one for each, and the same cell has the same slot.

    - `loss`, `error`: shape (studies, slots, blocks), what each block counts with at the last look
    - `true_loss`, `true_error`: shape (studies, slots)
    - `pairs`: shape (looks, studies, questions, 2), slots whose difference a question is, first minus second; the same
      at every look unless cells are re-selected
    """

    loss: Floats
    error: Floats
    true_loss: Floats
    true_error: Floats
    pairs: Integers


@dataclass(frozen=True, kw_only=True)
class Decided:
    """What became of each study; arrays have shape (studies, questions) unless said.

    - `closed_at`: place of the look that closed the question, -1 where it stays unresolved
    - `low`, `high`: the interval that the question keeps
    - `direction`, `meaningful`, `equivalent`: what is claimed of the loss; `error_claimed`: anything of the error rate
    - `false`, `false_error`: any of that is false
    - `trained`: shape (studies, looks - 1), networks after each look but the last: cells to train times added blocks
    - `num_hypotheses`: shape (studies,), m as counted when the search ends
    """

    closed_at: Integers
    low: Floats
    high: Floats
    direction: Booleans
    meaningful: Booleans
    equivalent: Booleans
    error_claimed: Booleans
    false: Booleans
    false_error: Booleans
    trained: Integers
    num_hypotheses: Integers

    def any_false(self) -> Booleans:
        """Studies, shape (studies,), with a false claim of either outcome at any look."""
        return np.asarray((self.false | self.false_error).any(axis=1))

    def clear_by(self, look: int) -> Booleans:
        """Studies, shape (studies,), whose questions are all closed at the look of that place or before."""
        return np.asarray(((self.closed_at >= 0) & (self.closed_at <= look)).all(axis=1))


@dataclass(frozen=True, kw_only=True)
class _Read:
    low: Floats
    high: Floats
    direction: Booleans
    meaningful: Booleans
    equivalent: Booleans

    def false(self, truth: Floats, smallest: float) -> Booleans:
        sign = np.where(self.low > 0, 1, -1)
        size = np.abs(truth)
        # Sums of effects that are equal on paper differ by rounding.
        within, beyond = size <= smallest + 1e-12, size >= smallest - 1e-12
        return np.asarray(
            (self.direction & ((np.abs(truth) < 1e-12) | (np.sign(truth) != sign)))
            | (self.meaningful & within)
            | (self.equivalent & beyond)
        )


def decide(drawn: Drawn, rules: Rules) -> Decided:
    """Take every study through its looks; a question is read while it is open, and keeps what closed it."""
    shape = drawn.pairs.shape[1:3]
    counted = num_distinct(drawn.pairs[0]) + rules.other_hypotheses
    closed_at = np.full(shape, -1)
    ends = np.zeros((2, *shape))
    said = np.zeros((4, *shape), dtype=bool)
    false, false_error = np.zeros(shape, dtype=bool), np.zeros(shape, dtype=bool)
    trained = np.zeros((shape[0], len(rules.looks) - 1), dtype=np.int64)
    for place, num_blocks in enumerate(rules.looks):
        is_open = closed_at < 0
        if rules.shrinks:
            counted = np.maximum(num_distinct(drawn.pairs[place], is_open) + rules.other_hypotheses, 1)
        where = np.nonzero(is_open)
        first, second = drawn.pairs[place][where].T
        here = where[0]
        read = _read(
            drawn.loss,
            here,
            first,
            second,
            num_blocks,
            _tails(rules, rules.share, counted),
            rules.smallest_effect,
        )
        errors = _read(
            drawn.error,
            here,
            first,
            second,
            num_blocks,
            _tails(rules, rules.error_share, counted),
            rules.smallest_error,
        )
        ends[0][where], ends[1][where] = read.low, read.high
        false[where] |= read.false(
            drawn.true_loss[here, first] - drawn.true_loss[here, second], rules.smallest_effect
        )
        untold = ~said[3][where]
        true_error = drawn.true_error[here, first] - drawn.true_error[here, second]
        false_error[where] |= untold & errors.false(true_error, rules.smallest_error)
        for row, gate in enumerate((read.direction, read.meaningful, read.equivalent)):
            said[row][where] = gate
        said[3][where] |= errors.direction | errors.equivalent
        closed_at[where] = np.where(read.direction | read.equivalent, place, -1)
        if place < len(rules.looks) - 1:
            cells = _num_cells(drawn.pairs[place], closed_at < 0, drawn.loss.shape[1])
            trained[:, place] = cells * (rules.looks[place + 1] - num_blocks)
    return Decided(
        closed_at=closed_at,
        low=ends[0],
        high=ends[1],
        direction=said[0],
        meaningful=said[1],
        equivalent=said[2],
        error_claimed=said[3],
        false=false,
        false_error=false_error,
        trained=trained,
        num_hypotheses=num_distinct(drawn.pairs[0]) + rules.other_hypotheses,
    )


def num_distinct(pairs: Integers, included: Booleans | None = None) -> Integers:
    """How many distinct unordered pairs each study has among the included questions, `pairs` as at one look."""
    keys = pairs.min(axis=-1) * 1000 + pairs.max(axis=-1)
    keys = np.sort(keys if included is None else np.where(included, keys, -1), axis=1)
    is_new = np.concatenate([keys[:, :1] >= 0, (np.diff(keys, axis=1) > 0)], axis=1)
    return np.asarray(is_new.sum(axis=1))


def _num_cells(pairs: Integers, is_open: Booleans, num_slots: int) -> Integers:
    wanted = np.zeros((len(pairs), num_slots), dtype=bool)
    studies, questions = np.nonzero(is_open)
    for side in (0, 1):
        wanted[studies, pairs[studies, questions, side]] = True
    return np.asarray(wanted.sum(axis=1))


def _tails(rules: Rules, share: float, counted: Integers) -> Floats:
    return np.array([rules.upper_tail(share, int(count)) for count in counted])


def _read(
    values: Floats,
    studies: Integers,
    first: Integers,
    second: Integers,
    num_blocks: int,
    tails: Floats,
    smallest: float,
) -> _Read:
    """Read open questions, one row each; `tails` has one number a study."""
    differences = values[studies, first, :num_blocks] - values[studies, second, :num_blocks]
    mean, sd = differences.mean(axis=-1), differences.std(axis=-1, ddof=1)
    known, inverse = np.unique(tails, return_inverse=True)
    quantiles = np.array([t_quantile(float(tail), num_blocks - 1) for tail in known])[inverse]
    half = quantiles[studies] * sd / np.sqrt(num_blocks)
    low, high = mean - half, mean + half
    direction = (low > 0) | (high < 0)
    direction[direction] = passes_sign_flip(differences[direction])
    return _Read(
        low=low,
        high=high,
        direction=direction,
        meaningful=direction & ((low > smallest) | (high < -smallest)),
        equivalent=(low > -smallest) & (high < smallest),
    )
