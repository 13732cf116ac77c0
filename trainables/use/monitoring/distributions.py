"""What is drawn of a comparison: how confidence and the features that differ most lie in both samples."""

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from trainables.use.monitoring.drift_record import Distribution, FeatureDrift
from trainables.use.monitoring.reference import Reference

MOST_SHOWN: Final = 4
SHOWN_BINS: Final = 24


def distributions(
    reference: Reference,
    rows: NDArray[np.float32],
    answers: NDArray[np.float32],
    features: Sequence[FeatureDrift],
) -> tuple[Distribution, ...]:
    """Return what to draw: confidence, then the features that drifted most; where none did, those that differ most."""
    confidence = [values.max(axis=1) for values in (reference.probabilities, answers)]
    low = 1 / max(len(reference.classes), 1)
    shown = [_histogram("confidence", confidence[0], confidence[1], limits=(low, 1.0))]

    def told(place: int) -> tuple[bool, bool, float]:
        # What is measured of a part of an image tells a reader less than a measure of the whole.
        each = features[place]
        return not each.is_drift, each.name.startswith("part "), -each.effect

    order = sorted(range(len(features)), key=told)
    has_drifted = any(each.is_drift for each in features)
    order = [place for place in order if features[place].is_drift or not has_drifted]
    for place in order[:MOST_SHOWN]:
        group, feature = reference.groups[place], features[place]
        if group.kind == "number":
            pair = [values[:, group.first] for values in (reference.features, rows)]
            old, new = (values[~np.isnan(values)] for values in pair)
            if len(old) and len(new):
                shown.append(_histogram(group.name, old, new))
        elif feature.changed:
            shown.append(
                Distribution(
                    name=group.name,
                    kind=group.kind,
                    edges=(),
                    labels=tuple(name for name, _, _ in feature.changed),
                    before=tuple(before for _, before, _ in feature.changed),
                    after=tuple(after for _, _, after in feature.changed),
                )
            )
    return tuple(shown)


def _histogram(
    name: str,
    before: NDArray[np.float32],
    after: NDArray[np.float32],
    limits: tuple[float, float] | None = None,
) -> Distribution:
    """Return shares in bins of one width over the middle 98 % of both samples; what lies outside is in the end bins."""
    if limits is None:
        ends = [np.quantile(values.astype(float), (0.01, 0.99)) for values in (before, after)]
        limits = float(min(low for low, _ in ends)), float(max(high for _, high in ends))
        if limits[0] == limits[1]:
            limits = limits[0] - 0.5, limits[1] + 0.5
    edges = np.linspace(*limits, SHOWN_BINS + 1)
    old, new = (
        np.histogram(np.clip(values.astype(float), *limits), edges)[0] / len(values)
        for values in (before, after)
    )
    return Distribution(
        name=name,
        kind="number",
        edges=tuple(map(float, edges)),
        labels=(),
        before=tuple(map(float, old)),
        after=tuple(map(float, new)),
    )
