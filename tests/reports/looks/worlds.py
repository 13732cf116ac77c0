"""Simulated studies with a known truth, up to the last look: the flagship's questions, one question, and leaks.

Each cell scatters over blocks, on the test part, with its own normal standard deviation: uniform between the two ends
of `spreads`, over the square root of 2, so that differences have standard deviations between the ends. What all cells
share in a block cancels in differences and is left out. Error rates follow the losses, a quarter as large, with noise
of their own.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from tests.reports.looks.many_studies import Drawn
from tests.reports.looks.rules import LOOKS, Floats, Integers

DELTA = 0.02
WIDE = (0.020, 0.035)
"""Standard deviations of a block's difference between two cells, on the test part."""
RECORDED = (0.0146, 0.0275)
"""Those of intervals with half widths of .018 to .034 nats at ten blocks, one look, a share of .025, seven pairs."""
POOLED_VARIANCE = 0.57
"""Variance of validation and test part pooled, over that of the test part."""
ERROR_RATIO = 0.25
SHAPE = (3, 3, 2, 3)
"""Levels of depth, dropout, batch normalisation, optimizer in `depth_study`."""
QUESTIONS = ((1, 0), (2, 1), (4, 3), (5, 4), (7, 6), (9, 8), (10, 8))
"""Pairs of levels, numbered through all factors: neighbours, and optimizers against the first."""
EIGHT_CELLS = ((1, 0), (2, 1), (3, 0), (4, 3), (5, 0), (0, 6), (7, 6))
"""The same questions where the overall best cell has the first depth, the least dropout, batch norm on, and Adam, and
every other level has a selected cell of its own: seven distinct pairs of eight cells."""
MIXED = (0.0, 0.0, 1.0, 0.0, 1.0, 2.0, 0.0, 1.0)
"""True losses of the eight cells in smallest effects: two pairs differ by 0, four by 1, one by 2."""


def spaced(step: float) -> tuple[float, ...]:
    """True losses of the eight cells, in smallest effects, so that each of the seven pairs differs by `step`."""
    return tuple(step * place for place in (0, 1, 2, 1, 2, 1, 1, 2))


def fixed(
    num: int,
    generator: np.random.Generator,
    losses: Sequence[float],
    questions: Sequence[tuple[int, int]] = EIGHT_CELLS,
    *,
    looks: Sequence[int] = LOOKS,
    smallest: float = DELTA,
    spreads: tuple[float, float] = WIDE,
) -> Drawn:
    """Studies whose selected cells have these true losses, in smallest effects, and are compared in these pairs."""
    truth = np.broadcast_to(smallest * np.array(losses), (num, len(losses)))
    pairs = np.broadcast_to(np.array(questions), (len(looks), num, len(questions), 2))
    return _confirmed(truth, _cell_sds(truth.shape, generator, spreads), pairs, generator, looks)


def searched(
    num: int,
    generator: np.random.Generator,
    step: float = 0.0,
    *,
    looks: Sequence[int] = LOOKS,
    smallest: float = DELTA,
    spreads: tuple[float, float] = WIDE,
) -> Drawn:
    """Studies of 54 cells whose levels differ by `step` smallest effects, additively; a search selects the cells.

    The selected cell of a level is the one with that level whose mean over the first look's blocks was lowest, on a
    validation part and in networks that the confirm phase does not share.
    """
    shifts = [step * smallest * np.arange(levels) for levels in SHAPE]
    losses = sum(np.meshgrid(*shifts, indexing="ij"), np.zeros(SHAPE)).ravel()
    sds = _cell_sds((num, losses.size), generator, spreads)
    seen = losses + sds / math.sqrt(looks[0]) * generator.normal(size=sds.shape)
    selected = np.stack([np.where(level, seen, np.inf).argmin(axis=1) for level in _levels()], axis=1)
    # The same cell has one slot: that of the first level that it was selected for.
    slots = (selected[:, :, None] == selected[:, None, :]).argmax(axis=2)
    pairs = np.broadcast_to(slots[:, np.array(QUESTIONS)], (len(looks), num, len(QUESTIONS), 2))
    return _confirmed(losses[selected], np.take_along_axis(sds, selected, axis=1), pairs, generator, looks)


def _levels() -> Integers:
    """Which of the 54 cells have which level, all factors' levels one after the other."""
    places = np.indices(SHAPE).reshape(len(SHAPE), -1)
    return np.array(
        [place == level for place, num in zip(places, SHAPE, strict=True) for level in range(num)]
    )


def _cell_sds(shape: tuple[int, ...], generator: np.random.Generator, spreads: tuple[float, float]) -> Floats:
    return generator.uniform(*spreads, shape) / math.sqrt(2)


def _confirmed(
    truth: Floats, sds: Floats, pairs: Integers, generator: np.random.Generator, looks: Sequence[int]
) -> Drawn:
    scale = np.where(np.arange(looks[-1]) < looks[0], 1.0, math.sqrt(POOLED_VARIANCE))
    return _with_errors(
        truth, sds[..., None] * scale * generator.normal(size=(*truth.shape, looks[-1])), pairs, generator
    )


def _with_errors(truth: Floats, noise: Floats, pairs: Integers, generator: np.random.Generator) -> Drawn:
    own = 0.5 * noise.std() * generator.normal(size=noise.shape)
    return Drawn(
        loss=truth[..., None] + noise,
        error=ERROR_RATIO * (truth[..., None] + noise + own),
        true_loss=truth,
        true_error=ERROR_RATIO * truth,
        pairs=pairs,
    )


def one_against_many(
    num: int,
    generator: np.random.Generator,
    *,
    num_cells: int = 27,
    looks: Sequence[int] = LOOKS,
    reselects: bool = False,
    pooled_at_first: bool = False,
    remembered: float = 0.5,
    sd: float = 0.028,
) -> Drawn:
    """Studies with one question: a level with one good cell against a level with many cells just as good.

    A network's loss in a block has a part of its own, and parts that come from the examples of the validation and of
    the test part, with such variances that the mean of both parts has .57 of the variance of either. Of the
    validation part's, a search's network of the same cell, block and examples shares so much that the losses of the
    two networks correlate by `remembered` over blocks. The search selects the level's cell by that.

    - `reselects`: every cell is trained on to the last look, and each look compares the one with the lowest mean so far
    - `pooled_at_first`: blocks of the first look count with validation and test part together, too
    """
    cell_sd, own = sd / math.sqrt(2), 2 * POOLED_VARIANCE - 1
    of_examples = 1 - own

    def normal(variance: float, blocks: int) -> Floats:
        return cell_sd * math.sqrt(variance) * generator.normal(size=(num, 1 + num_cells, blocks))

    first, later = looks[0], looks[-1] - looks[0]
    shared = normal(remembered, first)
    seen = shared + normal(1 - remembered, first)
    network = normal(own, first)
    validation = network + shared + normal(of_examples - remembered, first)
    test = network + normal(of_examples, first)
    noise = np.concatenate(
        [(validation + test) / 2 if pooled_at_first else test, normal(POOLED_VARIANCE, later)], axis=2
    )
    by = [noise[..., :count] if reselects else seen for count in looks]
    selected = np.stack([1 + values[:, 1:].mean(axis=2).argmin(axis=1) for values in by])
    pairs = np.stack([selected, np.zeros_like(selected)], axis=-1)[:, :, None, :]
    return _with_errors(np.zeros(noise.shape[:2]), noise, pairs, generator)
