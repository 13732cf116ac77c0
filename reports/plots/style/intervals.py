"""Mean and 95 % t interval over blocks, for the bands and bars of pictures."""

import numpy as np
import numpy.typing as npt
from scipy import stats

Floats = npt.NDArray[np.float64]


def t_interval(values: Floats) -> tuple[float, float, float]:
    """Mean, lower and upper end over the finite values; the ends are NaN with fewer than two."""
    mean, low, high = t_band(np.asarray(values, dtype=float)[:, None])
    return float(mean[0]), float(low[0]), float(high[0])


def t_band(values: Floats) -> tuple[Floats, Floats, Floats]:
    """Mean and interval of each column of (blocks, points); columns without a finite value are NaN."""
    finite = np.isfinite(values)
    num = finite.sum(axis=0)
    some, several = np.maximum(num, 1), np.maximum(num - 1, 1)
    mean = np.where(num > 0, np.where(finite, values, 0.0).sum(axis=0) / some, np.nan)
    squares = np.where(finite, (values - mean) ** 2, 0.0).sum(axis=0)
    squares = np.where(squares <= (1e-12 * np.abs(mean)) ** 2 * some, 0.0, squares)  # equal but for rounding
    half = np.where(num > 1, stats.t.ppf(0.975, several) * np.sqrt(squares / several / some), np.nan)
    return mean, mean - half, mean + half
