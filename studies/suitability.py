"""Whether a study suits its dataset: what can be told only once the data is there, before anything is trained."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from optuna.distributions import CategoricalDistribution

from search_spaces import Value
from studies.errors import UsageError
from studies.mistakes import show

if TYPE_CHECKING:
    from studies.study import Study
    from trainables.datasets import Dataset


def check_suits(study: Study, dataset: Dataset) -> None:
    """Raise UsageError with every mistake if `study` cannot be trained on `dataset`."""
    mistakes = [*_augmentations_keep_labels(study, dataset)]
    if mistakes:
        raise UsageError(mistakes, "Correct the study's definition or the --set values; nothing was trained.")


def _augmentations_keep_labels(study: Study, dataset: Dataset) -> Iterator[str]:
    """Yield a mistake for each augmentation after which a picture of `dataset` may be of another class, or none."""
    from trainables.augmentation_kinds import kinds_of

    allowed = dataset.augmentations
    for field, value in _values(study, "augmentation"):
        wrong = [kind for kind in kinds_of(str(value)) if kind not in allowed]
        if not wrong:
            continue
        rule = (
            f"only {', '.join(allowed)} keep the labels of dataset {dataset.name}"
            if allowed
            else f"dataset {dataset.name} has none that keeps its labels"
        )
        yield f"{field}: {rule}; got {show(value)}, which has {', '.join(wrong)}"


def _values(study: Study, name: str) -> Iterator[tuple[str, Value]]:
    """Yield every value that the study states for a hyperparameter, with its field; of a range its choices."""
    for value in study.factors.get(name, ()):
        yield f"factors.{name}", value
    range_ = study.nuisances.get(name)
    if isinstance(range_, CategoricalDistribution):
        for value in range_.choices:
            yield f"nuisances.{name}", value
    for role, values in (("fixed", study.fixed), ("confirm.default", study.confirm.default)):
        if name in values:
            yield f"{role}.{name}", values[name]
