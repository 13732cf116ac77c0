"""Whether a difference is expected for new data from the same source: Nadeau and Bengio's corrected interval."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from reports.inputs.cube import Floats
from reports.statistics.families import Family, simultaneous_half_width

# Blocks re-split one sample 60/20/20, so a test part is a third of its whole training part.
TEST_TO_TRAINING = 1 / 3


def ratio_as_trained(train_size: float | None) -> float:
    """The ratio of test to training examples where networks see this share of the training part (None: all of it).

    >>> round(ratio_as_trained(0.1), 3)
    3.333
    """
    return TEST_TO_TRAINING / (1.0 if train_size is None else float(train_size))


def widening(num_blocks: int, ratio: float) -> float:
    """How many times as wide an interval is for new samples: sqrt(1 + n ratio) (Nadeau and Bengio 2003).

    Blocks share most of their examples, so their differences are correlated, by about ratio / (1 + ratio).

    >>> round(widening(10, ratio_as_trained(None)), 2), round(widening(10, ratio_as_trained(0.1)), 2)
    (2.08, 5.86)
    """
    return math.sqrt(1 + num_blocks * ratio)


def beyond_sample(
    row: Mapping[str, Any], differences: Floats, ratio: float, family: Family | None
) -> dict[str, Any]:
    """The columns sample_low, sample_high and beyond_sample of a contrast that has its gate.

    `differences` are those of the first look's blocks. The interval is adjusted within `family`; it is said where it
    excludes 0 on the side of a DIRECTION that holds. Without a family nothing is.
    """
    finite = differences[np.isfinite(differences)]
    if family is None or len(finite) < 2:
        return {"sample_low": math.nan, "sample_high": math.nan, "beyond_sample": False}
    half = float(simultaneous_half_width(finite.std(ddof=1), len(finite), family))
    half *= widening(len(finite), ratio)
    low, high = float(finite.mean()) - half, float(finite.mean()) + half
    agrees = low > 0 if row["estimate"] > 0 else high < 0
    return {
        "sample_low": low,
        "sample_high": high,
        "beyond_sample": bool(row["direction"] and agrees),
        "test_to_training": ratio,
    }
