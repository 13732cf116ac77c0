"""What block differences say: mean, interval, p values, equivalence; whole batches at once."""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass, fields
from functools import lru_cache

import numpy as np
import numpy.typing as npt
from scipy import stats

Floats = npt.NDArray[np.float64]

EXACT_BLOCKS = 14
RESAMPLES = 99_999
_SEED = 20_240_229
_CHUNK = 2_000_000


@dataclass(frozen=True, kw_only=True)
class Paired:
    """Numbers about block differences; each array has the batch's shape, `num_blocks` is one number.

    `ci_low`, `ci_high` is the unadjusted t interval; `p` two-sided t; `p_sign_flip` exact up to
    14 blocks; `p_equivalent` the
    larger of two one-sided tests against the smallest effect (Schuirmann 1987); `p_beyond` one-sided: the
    effect lies beyond it. Undefined numbers are NaN: all but the estimate with one block, the last two
    without a smallest effect. Equal differences in all blocks have an interval of width 0, and p is 0 (1 if
    all are 0).
    """

    num_blocks: int
    estimate: Floats
    sd: Floats
    ci_low: Floats
    ci_high: Floats
    p: Floats
    p_sign_flip: Floats
    p_equivalent: Floats
    p_beyond: Floats


NUMBERS = tuple(part.name for part in fields(Paired) if part.name != "num_blocks")


def summarise(
    differences: npt.ArrayLike, smallest_effect: float | None = None, confidence: float = 0.95
) -> Paired:
    """Summarise block differences of shape (..., blocks), all finite.

    Raises ValueError for a smallest effect that is not a positive number or a difference that is not finite.
    """
    values = np.asarray(differences, dtype=float)
    if not np.isfinite(values).all():
        raise ValueError("block differences must be finite; leave blocks out that have none")
    check_smallest_effect(smallest_effect)
    count = values.shape[-1]
    if count == 0:
        return _undefined(values.shape[:-1], count)
    mean = values.mean(axis=-1)
    if count == 1:
        return _undefined(values.shape[:-1], count, estimate=mean)
    sd = values.std(axis=-1, ddof=1)
    # Rounding leaves a spread of about 1e-16 where all blocks agree.
    sd = np.where(sd <= 1e-12 * np.abs(mean), 0.0, sd)
    error: Floats = sd / math.sqrt(count)
    half = half_width(sd, count, confidence)
    return Paired(
        num_blocks=count,
        estimate=mean,
        sd=sd,
        ci_low=mean - half,
        ci_high=mean + half,
        p=np.minimum(1.0, 2 * _tail(np.abs(mean), error, count)),
        p_sign_flip=sign_flip(values),
        p_equivalent=_against(smallest_effect, mean, error, count, inside=True),
        p_beyond=_against(smallest_effect, mean, error, count, inside=False),
    )


def summarise_each(
    differences: Sequence[Floats], smallest_effect: float | None = None, confidence: float = 0.95
) -> list[dict[str, float]]:
    """Summarise contrasts that may differ in their blocks, NaN blocks left out; one dict of `Paired` each."""
    finite = [values[np.isfinite(values)] for values in differences]
    found: list[dict[str, float]] = [{} for _ in finite]
    for count in {len(values) for values in finite}:
        places = [place for place, values in enumerate(finite) if len(values) == count]
        batch = summarise(np.stack([finite[place] for place in places]), smallest_effect, confidence)
        for position, place in enumerate(places):
            numbers = {name: float(getattr(batch, name)[position]) for name in NUMBERS}
            found[place] = {"num_blocks": count, **numbers}
    return found


def check_smallest_effect(smallest_effect: float | None) -> None:
    """ValueError unless it is None or a positive finite number."""
    if smallest_effect is not None and not (math.isfinite(smallest_effect) and smallest_effect > 0):
        raise ValueError(f"the smallest effect must be a positive number or None, not {smallest_effect!r}")


def half_width(sd: npt.ArrayLike, num_blocks: int, confidence: float = 0.95) -> Floats:
    """Half the width of the t interval of the mean of `num_blocks` differences; NaN below 2."""
    error = standard_error(sd, num_blocks)
    return error if num_blocks < 2 else error * float(stats.t.ppf((1 + confidence) / 2, num_blocks - 1))


def standard_error(sd: npt.ArrayLike, num_blocks: int) -> Floats:
    """The standard error of the mean of `num_blocks` differences; NaN below 2."""
    spread = np.asarray(sd, dtype=float)
    return np.full(spread.shape, np.nan) if num_blocks < 2 else np.asarray(spread / math.sqrt(num_blocks))


def blocks_needed(
    estimate: float, sd: float, alpha: float = 0.05, power: float = 0.8, least: int = 10, most: int = 1000
) -> int | None:
    """The fewest blocks at which a two-sided t test finds such an effect with that power.

    Never fewer than `least`, the number at which claims begin; None where more than `most` would be
    needed. Power from the noncentral t distribution (Cohen 1988).
    """
    if not (math.isfinite(estimate) and math.isfinite(sd)) or estimate == 0:
        return None
    if sd == 0:
        return least
    size = abs(estimate) / sd
    counts = range(least, most + 1)
    place = bisect_left(counts, power, key=lambda count: _power(size, count, alpha))
    return counts[place] if place < len(counts) else None


def _power(size: float, count: int, alpha: float) -> float:
    critical = stats.t.ppf(1 - alpha / 2, count - 1)
    return float(stats.nct.sf(critical, count - 1, size * math.sqrt(count)))


def sign_flip(differences: npt.ArrayLike, seed: int = _SEED) -> Floats:
    """Two-sided p of the mean when the sign of each block's difference is a coin; shape (...,).

    All 2^B sign patterns up to 14 blocks, beyond that 99,999 seeded ones with the observed one added
    (`scipy.stats.permutation_test` with "samples" gives the same, one contrast at a time). 1 without blocks.
    """
    values = np.asarray(differences, dtype=float)
    count = values.shape[-1]
    flat = values.reshape(math.prod(values.shape[:-1]), count)
    patterns, extra = _patterns(count, seed), 0 if count <= EXACT_BLOCKS else 1
    step = max(1, _CHUNK // len(patterns))
    extreme = [_num_extreme(flat[start : start + step], patterns) for start in range(0, len(flat), step)]
    total = np.concatenate(extreme) if extreme else np.zeros(0)
    return np.asarray((total + extra) / (len(patterns) + extra)).reshape(values.shape[:-1])


@lru_cache(maxsize=2)
def _patterns(count: int, seed: int) -> Floats:
    """Signs to try, one pattern a row: all of them, or many drawn at random."""
    if count <= EXACT_BLOCKS:
        bits = (np.arange(2**count)[:, None] >> np.arange(count)) & 1
    else:
        bits = np.random.default_rng(seed).integers(0, 2, size=(RESAMPLES, count))
    return np.where(bits == 1, 1.0, -1.0)


def _num_extreme(values: Floats, patterns: Floats) -> Floats:
    observed = np.abs(values.sum(axis=-1))
    slack = 1e-12 * np.abs(values).sum(axis=-1)  # equal sums differ by rounding
    return np.asarray((np.abs(values @ patterns.T) >= (observed - slack)[:, None]).sum(axis=-1), dtype=float)


def _tail(distance: Floats, error: Floats, count: int) -> Floats:
    """P(t > distance/error); where the error is 0: 0 for a positive distance, else 1, no evidence."""
    exact = np.where(distance > 0, 0.0, 1.0)
    ratio = np.divide(distance, error, out=np.zeros_like(distance), where=error > 0)
    return np.where(error > 0, stats.t.sf(ratio, count - 1), exact)


def _against(
    smallest_effect: float | None, mean: Floats, error: Floats, count: int, *, inside: bool
) -> Floats:
    if smallest_effect is None:
        return np.full(mean.shape, np.nan)
    distance = smallest_effect - np.abs(mean) if inside else np.abs(mean) - smallest_effect
    return _tail(np.asarray(distance), error, count)


def _undefined(shape: tuple[int, ...], count: int, estimate: Floats | None = None) -> Paired:
    nothing = np.full(shape, np.nan)
    return Paired(
        num_blocks=count,
        estimate=nothing if estimate is None else estimate,
        sd=nothing,
        ci_low=nothing,
        ci_high=nothing,
        p=nothing,
        p_sign_flip=np.ones(shape),
        p_equivalent=nothing,
        p_beyond=nothing,
    )
