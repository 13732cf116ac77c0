"""What is measured of a network: the name, direction and unit of each metric, and what a failure scores."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

VALIDATION, TEST = "val_", "test_"
"""What a metric's name begins with where it is of the validation or of the test part."""
BEST_EPOCH, STOPPED_EPOCH = "best_epoch", "stopped_epoch"
"""The epochs of a network with early stopping, among its metrics."""


class Direction(StrEnum):
    """Whether a metric's lower or higher values are better, as in Optuna and Ray Tune."""

    MIN = "min"
    MAX = "max"

    @property
    def worst(self) -> float:
        """The value that no other is worse than."""
        return math.inf if self is Direction.MIN else -math.inf


@dataclass(frozen=True, kw_only=True)
class Metric:
    """One thing that is measured of every network.

    `failure` is the score of a network that diverged or failed. No other scores worse than that, or failing would pay.
    Of the metrics that a study declares the `primary` one is compared, and searched for unless the study's objective is
    another; differences below its `smallest_effect`, if there is one, are not worth acting on.
    """

    name: str
    direction: Direction | Literal["min", "max"]
    unit: str = ""
    failure: float
    primary: bool = False
    smallest_effect: float | None = None

    def score(self, value: float | None) -> float:
        """Return what a value counts as: the failure's where it is missing, not finite, or worse than that.

        >>> accuracy = Metric(name="accuracy", direction=Direction.MAX, unit="", failure=0.1)
        >>> accuracy.score(0.9), accuracy.score(0.05), accuracy.score(None)
        (0.9, 0.1, 0.1)
        """
        if value is None or not math.isfinite(value):
            return self.failure
        worst = max if self.direction is Direction.MAX else min
        return worst(value, self.failure)


def classification(num_classes: int) -> tuple[Metric, ...]:
    """Return what is measured of a classifier; a failure scores as guessing. ROC AUC is for two classes alone.

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
"""The metrics that every epoch of a classifier has; the others are taken where they are recorded."""

FURTHER_TEST_SCORES = tuple(TEST + metric.name for metric in classification(2) if metric.name not in COLUMNS)
"""What the test part says of a classifier besides."""

OBJECTIVES = tuple(VALIDATION + metric.name for metric in classification(2))
"""What the search of a classifier may be after."""


def find(metrics: Sequence[Metric], name: str) -> Metric:
    """Return the metric that `name` is of, on whichever part; raise ValueError that lists the names there are.

    >>> find(classification(2), "val_roc_auc").failure
    0.5
    """
    by_name = {part + metric.name: metric for part in (VALIDATION, TEST) for metric in metrics}
    if name not in by_name:
        known = ", ".join(VALIDATION + metric.name for metric in metrics)
        raise ValueError(f"unknown objective {name!r} (choices: {known})")
    return by_name[name]


def direction(objective: str, metrics: Sequence[Metric] = ()) -> Direction:
    """Return the direction of an objective among a study's own `metrics`, without any among a classifier's.

    >>> str(direction("val_loss")), str(direction("val_macro_f1"))
    ('min', 'max')
    """
    return Direction(find(metrics or classification(2), objective).direction)
