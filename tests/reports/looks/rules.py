"""What planned looks are decided with, written a second time with NumPy alone: rules, quantiles, sign flips."""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]
Booleans = npt.NDArray[np.bool_]

LOOKS = (10, 20, 40, 80)
EXACT_BLOCKS = 14
RESAMPLES = 99_999
SIGN_FLIP = 0.05
FLIP_QUANTILE = 1.959964
"""The two-sided 5 % quantile of a standard normal distribution."""


@dataclass(frozen=True, kw_only=True)
class Rules:
    """Planned looks as a plan fixes them, with the faults that the negative controls commit.

    - `looks`: numbers of blocks, growing
    - `smallest_effect`, `smallest_error`: of the loss, in nats, and of the error rate
    - `share`, `error_share`: what the two families at best may spend over all looks
    - `other_hypotheses`: what counts beside the distinct pairs of cells, such as the comparison with a linear model
    - `divides`: False spends the whole share at each look; `shrinks`: True counts the hypotheses still open
    """

    looks: tuple[int, ...] = LOOKS
    smallest_effect: float = 0.02
    smallest_error: float = 0.005
    share: float = 0.025
    error_share: float = 0.0025
    other_hypotheses: int = 0
    divides: bool = True
    shrinks: bool = False

    def upper_tail(self, share: float, num_hypotheses: int) -> float:
        """The probability beyond each end of the intervals of one look."""
        return share / (len(self.looks) if self.divides else 1) / (2 * num_hypotheses)


@lru_cache(maxsize=1024)
def t_quantile(upper_tail: float, freedom: int) -> float:
    """The value that Student's t exceeds with that probability, below .5.

    With t = sqrt(freedom) tan(angle) the density is proportional to cos(angle)^(freedom - 1), which is integrated by
    Gauss and Legendre's rule; the angle is found by bisection.
    """
    nodes, weights = np.polynomial.legendre.leggauss(200)

    def beyond(angle: float) -> float:
        half = (math.pi / 2 - angle) / 2
        return float(half * (weights @ np.cos(angle + half * (1 + nodes)) ** (freedom - 1)))

    low, high = 0.0, math.pi / 2
    for _ in range(80):
        middle = (low + high) / 2
        low, high = (middle, high) if beyond(middle) > 2 * beyond(0.0) * upper_tail else (low, middle)
    return math.sqrt(freedom) * math.tan(low)


def sign_flip_p(differences: Floats, seed: int = 0) -> float:
    """Two-sided p of one contrast's mean when each block's sign is a coin: exact up to 14 blocks, else resampled."""
    count = len(differences)
    if count <= EXACT_BLOCKS:
        signs = np.array(list(itertools.product((-1.0, 1.0), repeat=count)))
        return float(_extreme(differences, signs).mean())
    return float((_extreme(differences, _resampled(count, seed)).sum() + 1) / (RESAMPLES + 1))


@lru_cache(maxsize=4)
def _resampled(count: int, seed: int) -> Floats:
    return np.random.default_rng(seed).choice((-1.0, 1.0), (RESAMPLES, count))


def passes_sign_flip(differences: Floats) -> Booleans:
    """Whether p is below .05, for contrasts of shape (contrasts, blocks).

    Exact up to 14 blocks. Above, the sum of flipped differences is taken as normal with variance sum(d^2), which
    stands for 99,999 resamples (compared with them in the tests).
    """
    count = differences.shape[-1]
    if count > EXACT_BLOCKS:
        spread = np.sqrt((differences**2).sum(axis=-1))
        return np.asarray(np.abs(differences.sum(axis=-1)) > FLIP_QUANTILE * spread)
    # The first sign may stay: each pattern's mirror image is as extreme as the pattern.
    signs = np.array([(1.0, *rest) for rest in itertools.product((-1.0, 1.0), repeat=count - 1)])
    step = max(1, 4_000_000 // len(signs))
    parts = [differences[start : start + step] for start in range(0, len(differences), step)]
    found = [_extreme(part, signs).mean(axis=-1) < SIGN_FLIP for part in parts]
    return np.concatenate(found) if found else np.zeros(0, dtype=bool)


def _extreme(differences: Floats, signs: Floats) -> Booleans:
    observed = np.abs(differences.sum(axis=-1)) - 1e-12 * np.abs(differences).sum(axis=-1)
    return np.asarray(np.abs(differences @ signs.T) >= np.asarray(observed)[..., None])
