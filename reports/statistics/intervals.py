"""Mean and 95 % t interval over blocks; the interval of a quantity that has bounds stays within them."""

import math

import numpy as np
import numpy.typing as npt
from scipy import special, stats

Floats = npt.NDArray[np.float64]
Bounds = tuple[float, float]

ANYWHERE: Bounds = (-math.inf, math.inf)
SHARE: Bounds = (0.0, 1.0)
_MOST = 700.0  # exp of more than this is infinite


def t_interval(values: Floats, within: Bounds = ANYWHERE) -> tuple[float, float, float]:
    """Mean, lower and upper end over the finite values; the ends are NaN with fewer than two.

    >>> [round(each, 3) for each in t_interval(np.array([0.0, 0.01, 0.08]), SHARE)]
    [0.03, 0.001, 0.561]
    """
    mean, low, high = t_band(np.asarray(values, dtype=float)[:, None], within)
    return float(mean[0]), float(low[0]), float(high[0])


def t_band(values: Floats, within: Bounds = ANYWHERE) -> tuple[Floats, Floats, Floats]:
    """Mean and interval of each column of (blocks, points); columns without a finite value are NaN."""
    finite = np.isfinite(values)
    num = finite.sum(axis=0)
    some, several = np.maximum(num, 1), np.maximum(num - 1, 1)
    mean = np.where(num > 0, np.where(finite, values, 0.0).sum(axis=0) / some, np.nan)
    squares = np.where(finite, (values - mean) ** 2, 0.0).sum(axis=0)
    squares = np.where(squares <= (1e-12 * np.abs(mean)) ** 2 * some, 0.0, squares)  # equal but for rounding
    half = np.where(num > 1, stats.t.ppf(0.975, several) * np.sqrt(squares / several / some), np.nan)
    return mean, *ends(mean, half, within)


def ends(mean: npt.ArrayLike, half: npt.ArrayLike, within: Bounds = ANYWHERE) -> tuple[Floats, Floats]:
    """The ends of the interval `mean` plus and minus `half`, taken on a scale on which the bounds are infinitely far.

    Between two bounds that is the logit, beside one the logarithm of the distance to it, and without any the quantity
    itself. The half-width is carried over by the delta method, so that far from the bounds nothing changes (for shares
    of clustered samples: Korn and Graubard 1998; Dean and Pagano 2015). A mean that lies on a bound has no width.

    >>> [round(float(end), 3) for end in ends(0.037, 0.042, SHARE)]
    [0.012, 0.111]
    """
    centre, width = np.asarray(mean, dtype=float), np.asarray(half, dtype=float)
    low, high = within
    inside = (centre > low) & (centre < high)
    if math.isfinite(low) and math.isfinite(high):
        place = np.where(inside, (centre - low) / (high - low), 0.5)
        step = width / ((high - low) * place * (1 - place))
        lower, upper = (
            low + (high - low) * special.expit(special.logit(place) + sign * step) for sign in (-1, 1)
        )
    elif math.isfinite(low):
        lower, upper = _beside(centre, width, low, inside)
    elif math.isfinite(high):
        below, above = _beside(-centre, width, -high, inside)
        lower, upper = -above, -below
    else:
        lower, upper = centre - width, centre + width
    # On a bound, or beyond it, the plain interval, cut.
    cut = np.clip(centre - width, low, high), np.clip(centre + width, low, high)
    return np.where(inside, lower, cut[0]), np.where(inside, upper, cut[1])


def _beside(
    centre: Floats, width: Floats, bound: float, inside: npt.NDArray[np.bool_]
) -> tuple[Floats, Floats]:
    """The ends above a lower bound."""
    distance = np.where(inside, centre - bound, 1.0)
    step = np.minimum(width / distance, _MOST)
    return bound + distance * np.exp(-step), bound + distance * np.exp(step)
