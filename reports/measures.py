"""The scores of networks as a reader is told them: title, unit, and which is better."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from reports.words import MINUS, number, percent

if TYPE_CHECKING:  # a terminal that names an objective need not wait for pandas
    import pandas as pd

PARTS = {"train": "training", "val": "validation", "test": "test"}
_TITLES = {
    "loss": "log-loss",
    "accuracy": "accuracy",
    "top2_accuracy": "top-2 accuracy",
    "macro_f1": "macro F1",
    "roc_auc": "ROC AUC",
}
_UNITS = {"loss": "nats", "accuracy": "%", "top2_accuracy": "%"}
_ERRORS = {"accuracy": "error", "top2_accuracy": "top-2 error"}


@dataclass(frozen=True, kw_only=True)
class Measure:
    """A score of a network on one part of the data: `val_loss` is the "validation log-loss" in "nats".

    `failure` is what a network scores that diverged or failed; none scores worse. NaN where it is not known.
    """

    name: str
    title: str
    unit: str
    lower_is_better: bool
    failure: float = math.nan

    @property
    def is_share(self) -> bool:
        """Whether it is a fraction, which is told in percent."""
        return self.unit == "%"

    @property
    def sign(self) -> int:
        """What values are multiplied by to be the lower the better."""
        return 1 if self.lower_is_better else -1

    @property
    def shown_unit(self) -> str:
        """The unit that an axis has: none for a fraction, which is drawn as it is."""
        return "" if self.is_share else self.unit

    @property
    def with_unit(self) -> str:
        """The title with the axis's unit: "validation log-loss in nats"."""
        return f"{self.title} in {self.shown_unit}" if self.shown_unit else self.title

    @property
    def extreme(self) -> str:
        """What the better end is called: "lowest" or "highest"."""
        return "lowest" if self.lower_is_better else "highest"

    @property
    def kind(self) -> str:
        """What is measured, whatever the part: "accuracy"; log-loss is called a loss."""
        kind = self.title.partition(" ")[2]
        return "loss" if kind == "log-loss" else kind

    @property
    def direction(self) -> str:
        """As Optuna and Ray Tune call it: "min" or "max"."""
        return "min" if self.lower_is_better else "max"

    @property
    def lowered_title(self) -> str:
        """The title of what `lowered` gives.

        >>> classifier_measure("val_accuracy").lowered_title, classifier_measure("val_roc_auc").lowered_title
        ('validation error', '1 − validation ROC AUC')
        """
        if self.lower_is_better:
            return self.title
        error = _ERRORS.get(self.name.partition("_")[2])
        return f"1 {MINUS} {self.title}" if error is None else f"{PARTS[self.name.partition('_')[0]]} {error}"

    def lowered(self, values: "pd.Series[Any]") -> "pd.Series[Any]":
        """Values that are the lower the better: of a share that is raised, what it lacks of 1."""
        return values if self.lower_is_better else 1 - values

    def scored(self, values: "pd.Series[Any]") -> "pd.Series[Any]":
        """What values count as: the failure's where one is missing, not finite, or worse than that."""
        finite = values.astype(float).replace([math.inf, -math.inf], math.nan).fillna(self.failure)
        return finite.clip(upper=self.failure) if self.lower_is_better else finite.clip(lower=self.failure)

    def value(self, value: float | None) -> str:
        """A value with its unit: "0.112 nats", "97.1 %"."""
        return self.bare(value) if self.is_share else f"{self.bare(value)} {self.unit}".rstrip()

    def bare(self, value: float | None) -> str:
        """A value after another one that had the unit."""
        return percent(value) if self.is_share else number(value)

    def told(self, value: float | None) -> str:
        """A value with its title and unit.

        >>> classifier_measure("val_loss").told(0.1124)
        'validation log-loss 0.112 nats'
        """
        return f"{self.title} {self.value(value)}"


def classifier_measure(name: str, num_classes: int | None = None) -> Measure:
    """What is measured of a classifier under this name; a failure scores as guessing among `num_classes`.

    >>> classifier_measure("test_roc_auc").title
    'test ROC AUC'
    """
    part, _, metric = name.partition("_")
    return Measure(
        name=name,
        title=f"{PARTS[part]} {_TITLES[metric]}",
        unit=_UNITS.get(metric, ""),
        lower_is_better=metric == "loss",
        failure=math.nan if num_classes is None else _chance(metric, num_classes),
    )


LOG_LOSS = classifier_measure("val_loss")


def _chance(metric: str, num_classes: int) -> float:
    match metric:
        case "loss":
            return math.log(num_classes)
        case "top2_accuracy":
            return min(1.0, 2 / num_classes)
        case "roc_auc":
            return 0.5
    return 1 / num_classes


def objective_of(plan: Mapping[str, Any], num_classes: int | None = None) -> Measure:
    """What the search of a plan is after."""
    return classifier_measure(str(plan["objective"]), num_classes)
