"""From the norms of an epoch to one record for each replicate and hidden layer."""

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from trainables.records import LayerRecord

Values = NDArray[np.float64]


def median(values: Values) -> Values:
    """Return the median over axis 1, the mean of the middle two where the count is even, NaN where one is.

    Sorts `values` in place.
    """
    values.sort(axis=1)
    middle = values.shape[1] // 2
    medians = values[:, middle] + values[:, -middle - 1]
    medians /= 2
    # NaN is sorted last.
    medians[np.isnan(values[:, -1])] = np.nan
    return medians


def layer_records(columns: Values) -> list[tuple[LayerRecord, ...]]:
    """Return one tuple of records for each replicate, given one array (layers, replicates) for each field."""
    return [
        tuple(_layer_record(layer, values) for layer, values in enumerate(layers, start=1))
        for layers in columns.transpose(2, 1, 0).tolist()
    ]


def _layer_record(layer: int, values: Sequence[float]) -> LayerRecord:
    l2, l2_max, rms, delta_rms, weight_rms, update_ratio, mean, std, dead_fraction = values
    return LayerRecord(
        layer=layer,
        grad_l2=l2,
        grad_l2_max=l2_max,
        grad_rms=rms,
        delta_rms=delta_rms,
        weight_rms=weight_rms,
        update_ratio=None if math.isnan(update_ratio) else update_ratio,
        activation_mean=mean,
        activation_std=std,
        dead_fraction=dead_fraction,
    )
