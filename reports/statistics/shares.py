"""Shares of networks with their intervals: Wilson's where networks are independent, over blocks where they are not."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt
from scipy import stats
from statsmodels.stats.proportion import proportion_confint

from reports.statistics.intervals import SHARE, ends

Ends = tuple[float, float]


def wilson(count: int, num: int, confidence: float = 0.95) -> Ends:
    """Wilson's score interval (1927) of a share; (NaN, NaN) of none."""
    if num == 0:
        return math.nan, math.nan
    low, high = proportion_confint(count, num, alpha=1 - confidence, method="wilson")
    return max(0.0, float(low)), min(1.0, float(high))


def share_interval(hits: npt.ArrayLike, blocks: npt.ArrayLike, confidence: float = 0.95) -> Ends:
    """The interval of the share of networks for which `hits` is true; `blocks` gives each network's block.

    Networks of one block share its data and are no independent draws, so that blocks are the units: a t interval of the
    ratio of counts (Cochran 1977, section 6.3), on the logit scale (Dean and Pagano 2015). Where every block gives one
    network, Wilson's. Where all blocks have the same share, no spread can be estimated: the ends are then what the
    share would be if as many blocks differed, wholly, as may differ while none of these does (Clopper and Pearson
    1934 for none of so many blocks). (NaN, NaN) of none, and of several networks in a single block.

    >>> [round(end, 3) for end in share_interval([1, 0, 0, 0, 1, 1], [1, 1, 2, 2, 3, 3])]
    [0.023, 0.977]
    """
    found = np.asarray(hits, dtype=float)
    _, places = np.unique(np.asarray(blocks), return_inverse=True)
    sizes, counts = np.bincount(places), np.bincount(places, weights=found)
    num = len(sizes)
    if num == len(found):
        return wilson(int(found.sum()), num, confidence)
    if num < 2:
        return math.nan, math.nan
    share = float(found.mean())
    # How far each block is from having that share, in units of an average block.
    off = (counts - share * sizes) / sizes.mean()
    if np.allclose(off, 0, atol=1e-12):
        return _of_equal_blocks(share, num, confidence)
    error = float(off.std(ddof=1)) / math.sqrt(num)
    half = float(stats.t.ppf((1 + confidence) / 2, num - 1)) * error
    low, high = ends(share, half, SHARE)
    return float(low), float(high)


def _of_equal_blocks(share: float, num_blocks: int, confidence: float) -> Ends:
    may_differ = 1 - float(((1 - confidence) / 2) ** (1 / num_blocks))
    return share * (1 - may_differ), share + (1 - share) * may_differ
