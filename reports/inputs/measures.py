"""The scores of networks as a reader is told them: title, unit, and which is better."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from reports.wording.words import MINUS, number, percent

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
    `smallest_effect` is the smallest difference worth acting on, None where none is named. `is_own`: the plan declares
    it.
    """

    name: str
    title: str
    unit: str
    lower_is_better: bool
    failure: float = math.nan
    smallest_effect: float | None = None
    is_own: bool = False

    @property
    def is_share(self) -> bool:
        """Whether it is a fraction that is told in percent."""
        return self.unit == "%" and not self.is_own

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

    def in_unit(self, text: str) -> str:
        """A printed number with the unit, if there is one."""
        return f"{text} {self.unit}".rstrip()

    def amount(self, value: float) -> str:
        """A difference of it: "0.02 nats of test log-loss"; without a unit "a difference of 0.02 in test r2"."""
        if self.unit:
            return f"{value:g} {self.unit} of {self.title}"
        return f"a difference of {value:g} in {self.title}"

    @property
    def axis(self) -> str:
        """What an axis of it is called: "nats, test log-loss"."""
        return f"{self.unit}, {self.title}" if self.unit else self.title

    @property
    def plural(self) -> str:
        """How several of its values are called: "test log-losses are", "the test rmse is"."""
        return f"{self.title}es are" if self.title.endswith("log-loss") else f"{self.title} is"

    def suits_log(self, values: Iterable[float | None]) -> bool:
        """Whether values are best drawn on a log scale: those of a loss, unless one is below 0."""
        return self.lower_is_better and not any(value is not None and value < 0 for value in values)

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
        if self.is_own:
            return f"{MINUS}{self.title}"
        error = _ERRORS.get(self.name.partition("_")[2])
        return f"1 {MINUS} {self.title}" if error is None else f"{PARTS[self.name.partition('_')[0]]} {error}"

    def lowered(self, values: "pd.Series[Any]") -> "pd.Series[Any]":
        """Values that are the lower the better: of a share that is raised, what it lacks of 1; else the negative."""
        if self.lower_is_better:
            return values
        return -values if self.is_own else 1 - values

    @property
    def may_be_undefined(self) -> bool:
        """Whether a network that is fine may lack it: ROC AUC where a class is absent, or a metric of the user's own.

        A classifier's other scores are defined for whatever it answers.
        """
        return self.is_own or self.name.partition("_")[2] == "roc_auc"

    def scored(self, values: "pd.Series[Any]", lost: "pd.Series[bool] | None" = None) -> "pd.Series[Any]":
        """What values count as: the failure's where one is missing, not finite, or worse than that.

        With `lost`, which marks the networks that diverged or failed, a score that another network lacks is undefined,
        and stays missing.
        """
        finite = values.astype(float).replace([math.inf, -math.inf], self.failure)
        if lost is None or not self.may_be_undefined:
            finite = finite.fillna(self.failure)
        else:
            finite = finite.mask(lost, self.failure)
        return finite.clip(upper=self.failure) if self.lower_is_better else finite.clip(lower=self.failure)

    def is_failure(self, value: float | None) -> bool:
        """Whether a value is no better than what a failure scores, where that is known.

        >>> classifier_measure("val_loss", 10).is_failure(2.4), classifier_measure("val_accuracy", 10).is_failure(0.9)
        (True, False)
        """
        if value is None or math.isnan(self.failure):
            return False
        return self.sign * (value - self.failure) >= -1e-9 * abs(self.failure)

    def bounds(self, values: Iterable[float]) -> tuple[float, float]:
        """Between what its mean can lie: a share between 0 and 1, a capped loss between 0 and what a failure scores.

        A metric of the user's own is bounded by what a failure scores and, where lower is better and none of `values`
        is below 0, by 0.

        >>> classifier_measure("test_accuracy").bounds([0.9]), classifier_measure("test_loss").bounds([0.2])
        ((0.0, 1.0), (0.0, inf))
        """
        if not self.is_own and not self.lower_is_better:
            return 0.0, 1.0
        failure = math.inf if math.isnan(self.failure) else self.failure
        if not self.lower_is_better:
            return (-math.inf if math.isnan(self.failure) else self.failure), math.inf
        from_zero = not self.is_own or all(value >= 0 for value in values if math.isfinite(value))
        return (0.0 if from_zero else -math.inf), failure

    @property
    def said_of_failures(self) -> str:
        """What is said of networks that score no better than a failure: "diverged, failed or did no better ..."."""
        return f"diverged, failed or did no better than {'a failure' if self.is_own else 'guessing'}"

    @property
    def failing(self) -> str:
        """What a score that is no better than a failure's is called."""
        return f"no better than {'a failure' if self.is_own else 'guessing'} ({self.format(self.failure)})"

    def reached(self, value: float | None) -> str:
        """A value with its title and unit, unless it is only what a failure scores: then that is said.

        >>> classifier_measure("val_loss", 10).reached(2.4)
        'no better than guessing (validation log-loss 2.303 nats)'
        """
        return self.failing if self.is_failure(value) else self.format(value)

    def value(self, value: float | None) -> str:
        """A value with its unit: "0.112 nats", "97.1 %"."""
        return self.bare(value) if self.is_share else f"{self.bare(value)} {self.unit}".rstrip()

    def bare(self, value: float | None) -> str:
        """A value after another one that had the unit."""
        return percent(value) if self.is_share else number(value)

    def format(self, value: float | None) -> str:
        """A value with its title and unit.

        >>> classifier_measure("val_loss").format(0.1124)
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


TEST_SCORES = tuple(f"test_{name}" for name in _TITLES)
"""What the test part says of a classifier."""

LOG_LOSS = classifier_measure("val_loss")
TEST_LOG_LOSS = classifier_measure("test_loss")


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
    return measure_of(plan, str(plan["objective"]), num_classes)


def outcome_measure(plan: Mapping[str, Any], num_classes: int | None = None, part: str = "test") -> Measure:
    """What the confirm phase of a plan compares, on this part of the data."""
    own = own_metrics(plan)
    return measure_of(plan, f"{part}_{own[0]['name'] if own else 'loss'}", num_classes)


def own_metrics(plan: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
    """The metrics that a plan declares, the primary one first; none where networks are classifiers."""
    metrics: Sequence[Mapping[str, Any]] = plan.get("metrics", ())
    return metrics


def own_measures(plan: Mapping[str, Any], part: str = "test") -> list[Measure]:
    """The metrics that a plan declares, on one part of the data."""
    return [measure_of(plan, f"{part}_{metric['name']}") for metric in own_metrics(plan)]


def measure_of(plan: Mapping[str, Any], name: str, num_classes: int | None = None) -> Measure:
    """What a plan's networks are measured by under this name: `val_rmse` is the "validation rmse" in its own unit.

    >>> own = {"metrics": [{"name": "rmse", "direction": "min", "unit": "kg", "failure": 9.0}]}
    >>> measure_of(own, "test_rmse").format(1.25)
    'test rmse 1.250 kg'
    """
    part, _, bare = name.partition("_")
    for metric in own_metrics(plan):
        if metric["name"] == bare:
            return Measure(
                name=name,
                title=f"{PARTS[part]} {bare.replace('_', ' ')}",
                unit=metric["unit"],
                lower_is_better=metric["direction"] == "min",
                failure=metric["failure"],
                smallest_effect=metric.get("smallest_effect"),
                is_own=True,
            )
    return classifier_measure(name, num_classes)
