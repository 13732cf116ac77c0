"""The reference that is saved with a model: its test part, described for later comparisons."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from trainables.use.examples import features_of
from trainables.use.model import Model
from trainables.use.monitoring.descriptions import frequent_words
from trainables.use.monitoring.reference import ColumnGroup, GroupKind, Reference
from trainables.use.monitoring.watching import model_reference
from trainables.use.preprocessing import Preprocessing

if TYPE_CHECKING:
    from trainables.data.dataset import Dataset

MAX_AXES: Final = 3
"""Examples with more axes are no images, and are not described."""


def reference_of(
    model: Model, dataset: "Dataset", rows: NDArray[np.int64], *, weights: NDArray[np.float64] | None
) -> Reference | None:
    """Return the reference of a model from these rows of its dataset, which it was not trained on.

    `weights` are the idf of a text model's terms. None where there is nothing to describe: texts that are not kept, or
    examples with more axes than an image has.
    """
    preprocessing, targets = model.preprocessing, dataset.targets[rows]
    if preprocessing.kind == "text":
        if not dataset.raw_texts or weights is None:
            return None
        texts = [dataset.raw_texts[row] for row in rows]
        words = frequent_words(preprocessing.terms, weights)
        return model_reference(model, texts, targets, terms=preprocessing.terms, words=words)
    if len(preprocessing.shape) > MAX_AXES:
        return None
    has_columns = len(preprocessing.shape) == 1
    return model_reference(
        _Encoded(model),
        features_of(dataset, preprocessing, rows),
        targets,
        names=model.feature_names if has_columns else None,
        groups=tuple(groups_of(preprocessing)) if has_columns else None,
    )


def groups_of(preprocessing: Preprocessing) -> Iterator[ColumnGroup]:
    """Yield the columns of a table as features that are compared as one, or each number of an array."""
    if not preprocessing.columns:
        for place, name in enumerate(preprocessing.feature_names):
            yield ColumnGroup(name=name, kind="number", first=place, last=place)
    first = 0
    for column in preprocessing.columns:
        last = first + column.num_features - 1
        if column.kind == "number":
            yield ColumnGroup(name=column.name, kind="number", first=first, last=first)
            if column.has_missing:
                yield ColumnGroup(name=f"{column.name} is missing", kind="category", first=last, last=last)
        elif last >= first:
            kind: GroupKind = "words" if column.kind == "text" else "category"
            yield ColumnGroup(name=column.name, kind=kind, first=first, last=last)
        first = last + 1


class _Encoded:
    """A model whose examples are encoded already."""

    def __init__(self, model: Model) -> None:
        self._model = model

    @property
    def kind(self) -> str:
        return self._model.kind

    @property
    def classes_(self) -> Any:
        return self._model.classes_

    def encode(self, examples: Any, /, *, first_row: int = 1) -> Any:
        return examples

    def probabilities(self, examples: Any, /, *, first_row: int = 1) -> NDArray[Any]:
        return self._model.of_features(examples)
