"""Checks of a study against its dataset, made once the data is loaded and before anything is trained."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from optuna.distributions import BaseDistribution

from search_spaces import Value, spaces
from studies.base.errors import UsageError
from studies.base.messages import show
from studies.definition.ranges import ends
from trainables.base.metrics import VALIDATION, classification

if TYPE_CHECKING:
    from studies.definition.study import Study
    from trainables.data.dataset import Dataset


def check_suits(study: Study, dataset: Dataset) -> None:
    """Raise UsageError with every mistake if `study` cannot be trained on `dataset`."""
    mistakes = [
        *_objective_is_measured(study, dataset),
        *_augmentations_keep_labels(study, dataset),
        *_model_fits(study, dataset),
    ]
    if mistakes:
        raise UsageError(mistakes, "Correct the study's definition or the --set values; nothing was trained.")


def _objective_is_measured(study: Study, dataset: Dataset) -> Iterator[str]:
    """Yield a mistake if the objective does not exist for the dataset's number of classes."""
    if study.metrics:
        return
    if dataset.num_classes == 0:
        yield (
            f"dataset {dataset.name} has real numbers for targets, which no classifier learns: write a train() in the "
            "study's own file, and declare its metrics"
        )
        return
    known = [VALIDATION + metric.name for metric in classification(dataset.num_classes)]
    if study.objective not in known:
        yield (
            f"objective {study.objective} is for two classes, and dataset {dataset.name} has {dataset.num_classes}: "
            f"choose one of {', '.join(known)}"
        )


def _augmentations_keep_labels(study: Study, dataset: Dataset) -> Iterator[str]:
    """Yield a mistake for each augmentation that may change the class of an image of `dataset`."""
    from trainables.base.augmentation_kinds import kinds_of

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


def _model_fits(study: Study, dataset: Dataset) -> list[str]:
    """Return why the model cannot be trained on inputs of the dataset's shape; empty if it can."""
    from trainables import models

    if study.model not in models.names():  # a user's own build() says so itself
        return []
    stated = {
        name: [value for _, value in _values(study, name)] or [space.default]
        for name, space in spaces().items()
    }
    return models.misfits(study.model, stated, dataset.shape or (dataset.num_features,))


def _values(study: Study, name: str) -> Iterator[tuple[str, Value]]:
    """Yield every value that the study states for a hyperparameter, with its field; of a range its two ends."""
    for value in study.factors.get(name, ()):
        yield f"factors.{name}", value
    for value in _values_of(study.nuisances.get(name)):
        yield f"nuisances.{name}", value
    for role, values in (("fixed", study.fixed), ("confirm.default", study.confirm.default)):
        if name in values:
            yield f"{role}.{name}", values[name]


def _values_of(range_: object) -> Sequence[Value]:
    return ends(range_) if isinstance(range_, BaseDistribution) else ()
