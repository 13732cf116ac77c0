"""Metrics of networks: name, direction, unit, and the score of a failed network."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

VALIDATION, TEST = "val_", "test_"
"""Prefixes of a metric's name for its value on the validation and the test part."""
HOLDOUT = "holdout_"
"""Prefix of a metric's name for its mean over the examples of the validation and the test part together."""
BEST_EPOCH, STOPPED_EPOCH = "best_epoch", "stopped_epoch"
"""Names, among a network's metrics, of the epochs at which early stopping found it best and stopped it."""


class Direction(StrEnum):
    """Whether lower or higher values of a metric are better, as in Optuna and Ray Tune."""

    MIN = "min"
    MAX = "max"

    @property
    def worst(self) -> float:
        """The worst possible value."""
        return math.inf if self is Direction.MIN else -math.inf


@dataclass(frozen=True, kw_only=True)
class Metric:
    """One quantity that is measured for every network.

    `failure` is the score of a network that diverged or failed. No network scores worse than that, or failing would be
    an advantage. Of a study's own metrics the `primary` one is compared, and it is the objective of the search unless
    the study names another; differences below its `smallest_effect`, if it has one, are not worth acting on.

    >>> from studies import Metric
    >>> error = Metric(name="rmse", direction="min", unit="kg", failure=90.0)
    >>> error.score(120.0)
    90.0
    """

    name: str
    direction: Direction | Literal["min", "max"]
    unit: str = ""
    failure: float
    primary: bool = False
    smallest_effect: float | None = None

    def score(self, value: float | None) -> float:
        """Return the score of a value: `failure` if it is missing, not finite, or worse than that.

        >>> accuracy = Metric(name="accuracy", direction=Direction.MAX, unit="", failure=0.1)
        >>> accuracy.score(0.9), accuracy.score(0.05), accuracy.score(None)
        (0.9, 0.1, 0.1)
        """
        if value is None or not math.isfinite(value):
            return self.failure
        worst = max if self.direction is Direction.MAX else min
        return worst(value, self.failure)


def classification(num_classes: int) -> tuple[Metric, ...]:
    """Return the metrics of a classifier, in which a failure scores as guessing; ROC AUC is for two classes only.

    >>> [metric.name for metric in classification(10)]
    ['loss', 'accuracy', 'top2_accuracy', 'macro_f1']
    """
    chance = 1 / num_classes
    metrics = (
        Metric(name="loss", direction=Direction.MIN, unit="nats", failure=math.log(num_classes)),
        Metric(name="accuracy", direction=Direction.MAX, unit="", failure=chance),
        Metric(name="top2_accuracy", direction=Direction.MAX, unit="", failure=min(1.0, 2 * chance)),
        Metric(name="macro_f1", direction=Direction.MAX, unit="", failure=chance),
        Metric(name="roc_auc", direction=Direction.MAX, unit="", failure=0.5),
    )
    return metrics if num_classes == 2 else metrics[:-1]


COLUMNS = ("loss", "accuracy")
"""Metrics that every epoch of a classifier has as columns; the others are stored by name where they are computed."""

FURTHER_TEST_SCORES = tuple(TEST + metric.name for metric in classification(2) if metric.name not in COLUMNS)
"""Further scores of a classifier on the test part."""

OBJECTIVES = tuple(VALIDATION + metric.name for metric in classification(2))
"""Possible objectives of a classifier's search."""


def find(metrics: Sequence[Metric], name: str) -> Metric:
    """Return the metric with this prefixed name, such as val_loss; raise ValueError that lists the names otherwise.

    >>> find(classification(2), "val_roc_auc").failure
    0.5
    """
    by_name = {part + metric.name: metric for part in (VALIDATION, TEST) for metric in metrics}
    if name not in by_name:
        known = ", ".join(VALIDATION + metric.name for metric in metrics)
        raise ValueError(f"unknown objective {name!r} (choices: {known})")
    return by_name[name]


def direction(objective: str, metrics: Sequence[Metric] = ()) -> Direction:
    """Return the direction of an objective among a study's own `metrics`; without these, among a classifier's.

    >>> str(direction("val_loss")), str(direction("val_macro_f1"))
    ('min', 'max')
    """
    return Direction(find(metrics or classification(2), objective).direction)
