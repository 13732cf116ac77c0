"""From a model and rows in batches to what is compared: described, predicted, and a random part kept where many."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final, Protocol

import numpy as np
from numpy.typing import NDArray

from trainables.data.dataset_files import DatasetError
from trainables.use.monitoring.descriptions import Described, describe_images, describe_texts, words_of
from trainables.use.monitoring.drift import MAX_COMPARED, drift
from trainables.use.monitoring.drift_record import DriftRecord
from trainables.use.monitoring.reference import ColumnGroup, Reference, checked_rows
from trainables.use.monitoring.thresholds import Thresholds

_SEED: Final = 0


class Watchable(Protocol):
    """What is asked of a model.

    `encode` gives rows before anything is scaled or filled, as something that becomes an array: of a table or array
    float32 (rows, columns), NaN where a value is missing, a column of 0 and 1 for each category; of images float32
    (rows, channels, height, width). Texts are taken as they are.
    """

    @property
    def kind(self) -> str:
        """Return one of "table", "text", "image" and "array"."""
        ...

    @property
    def classes_(self) -> Any:
        """Return the classes, in the order of the columns of `probabilities`."""
        ...

    def probabilities(self, examples: Any, /, *, first_row: int = 1) -> NDArray[Any]:
        """Return probabilities, shape (rows, classes); messages count rows from `first_row`."""
        ...

    def encode(self, examples: Any, /, *, first_row: int = 1) -> Any:
        """Return what the network takes; messages count rows from `first_row`."""
        ...


Batch = tuple[Any, Sequence[Any] | None]
"""Rows as the model takes them, and their true classes by name where they are known."""


@dataclass(frozen=True, kw_only=True)
class Watched:
    """What is compared of rows: at most MAX_COMPARED of them, drawn at random out of `num_rows`, in their order."""

    features: NDArray[np.float32]
    probabilities: NDArray[np.float32]
    targets: NDArray[np.int64] | None
    document_counts: NDArray[np.int64] | None
    num_rows: int


def watch(
    model: Watchable, reference: Reference, batches: Iterable[Batch], thresholds: Thresholds | None = None
) -> DriftRecord:
    """Compare rows with a model's reference; raise DatasetError for rows that cannot be compared."""
    rows = watched(model, reference, batches)
    return drift(
        reference,
        rows.features,
        rows.probabilities,
        rows.targets,
        thresholds,
        document_counts=rows.document_counts,
        num_rows=rows.num_rows,
    )


def as_reference(model: Watchable, reference: Reference, batches: Iterable[Batch]) -> Reference:
    """Return a reference made of other rows, described as the model's own reference is."""
    rows = watched(model, reference, batches)
    return Reference.of(
        kind=reference.kind,
        features=rows.features,
        probabilities=rows.probabilities,
        targets=rows.targets,
        names=reference.names,
        groups=reference.groups,
        classes=reference.classes,
        terms=reference.terms,
        document_counts=rows.document_counts,
        num_rows=rows.num_rows,
    )


def watched(model: Watchable, reference: Reference, batches: Iterable[Batch]) -> Watched:
    """Describe and predict rows batch by batch, in bounded memory.

    Either all batches have classes or none. Raises DatasetError for no rows, for a class that the model does not know
    and for values that cannot be compared, with their row.
    """
    classes = {str(name): place for place, name in enumerate(model.classes_)}
    random = np.random.default_rng(_SEED)
    kept = _Kept.empty(len(reference.names), len(classes))
    counts: NDArray[np.int64] | None = None
    num_rows, has_targets = 0, False
    for examples, names in batches:
        described = describe(model, reference, examples, first_row=num_rows + 1)
        answers = np.asarray(model.probabilities(examples, first_row=num_rows + 1), np.float32)
        targets = None if names is None else _numbered(names, classes, num_rows + 1)
        if len(described.features):
            checked_rows(described.features, answers, targets, reference.names, first_row=num_rows + 1)
        if described.document_counts is not None:
            counts = described.document_counts + (0 if counts is None else counts)
        has_targets = targets is not None
        kept = kept.joined(described.features, answers, targets, num_rows, random)
        num_rows += len(described.features)
    if num_rows == 0:
        raise DatasetError("there are no rows", "Give at least one row.")
    kept = kept.cut().in_order()
    return Watched(
        features=kept.features,
        probabilities=kept.probabilities,
        targets=kept.targets if has_targets else None,
        document_counts=counts,
        num_rows=num_rows,
    )


def model_reference(
    model: Watchable,
    examples: Any,
    targets: NDArray[np.int64] | None,
    *,
    names: Sequence[str] | None = None,
    groups: Sequence[ColumnGroup] | None = None,
    terms: Sequence[str] = (),
    words: Sequence[str] = (),
) -> Reference:
    """Return the reference that is saved with a model, from rows of its test part and their classes by number.

    `names` and `groups` are those of the columns of a table or array; `terms` are the vocabulary of texts, `words` the
    frequent ones of the training part (`descriptions.frequent_words`).
    """
    if model.kind == "text":
        described = describe_texts(examples, terms, words)
    else:
        rows = np.asarray(model.encode(examples), np.float32)
        described = _of_columns(rows, names, groups) if rows.ndim == 2 else describe_images(rows)
    return Reference.of(
        kind=model.kind,
        features=described.features,
        probabilities=model.probabilities(examples),
        targets=targets,
        names=described.names,
        groups=described.groups,
        classes=[str(name) for name in model.classes_],
        terms=terms,
        document_counts=described.document_counts,
    )


def describe(model: Watchable, reference: Reference, examples: Any, *, first_row: int = 1) -> Described:
    """Return rows as the reference has them; messages count them from `first_row`."""
    if model.kind == "text":
        return describe_texts(examples, reference.terms, words_of(reference.names))
    rows = np.asarray(model.encode(examples, first_row=first_row), np.float32)
    # Of images that a network takes as flat rows, the columns are compared.
    return _of_columns(rows, reference.names, reference.groups) if rows.ndim == 2 else describe_images(rows)


def _of_columns(
    rows: NDArray[np.float32], names: Sequence[str] | None, groups: Sequence[ColumnGroup] | None
) -> Described:
    names = [f"feature {place + 1}" for place in range(rows.shape[1])] if names is None else names
    if groups is None:
        groups = [
            ColumnGroup(name=name, kind="number", first=place, last=place) for place, name in enumerate(names)
        ]
    return Described(features=rows, names=tuple(names), groups=tuple(groups))


def _numbered(names: Sequence[Any], classes: dict[str, int], first_row: int) -> NDArray[np.int64]:
    for row, name in enumerate(names):
        if name is None or name != name:  # NaN
            raise DatasetError(
                f"row {first_row + row} has no class",
                "Leave out the rows without one, or compare all without --target (and --ignore its column).",
            )
        if str(name) not in classes:
            raise DatasetError(
                f"row {first_row + row}: the class {str(name)[:80]!r} is none of the model's",
                f"It knows: {', '.join([*classes][:20])}{', ...' if len(classes) > 20 else ''}.",
            )
    return np.array([classes[str(name)] for name in names], np.int64)


@dataclass(frozen=True, kw_only=True)
class _Kept:
    """Rows with random keys; those of the smallest keys stay, which is a random sample of all rows so far."""

    keys: NDArray[np.float64]
    places: NDArray[np.int64]
    features: NDArray[np.float32]
    probabilities: NDArray[np.float32]
    targets: NDArray[np.int64]

    @classmethod
    def empty(cls, num_columns: int, num_classes: int) -> "_Kept":
        return cls(
            keys=np.empty(0),
            places=np.empty(0, np.int64),
            features=np.empty((0, num_columns), np.float32),
            probabilities=np.empty((0, num_classes), np.float32),
            targets=np.empty(0, np.int64),
        )

    def joined(
        self,
        features: NDArray[np.float32],
        probabilities: NDArray[np.float32],
        targets: NDArray[np.int64] | None,
        first: int,
        random: np.random.Generator,
    ) -> "_Kept":
        """Add rows, and drop some once there are twice as many as are kept."""
        num = len(features)
        unknown = np.full(num, -1, np.int64)
        both = _Kept(
            keys=np.concatenate([self.keys, random.random(num)]),
            places=np.concatenate([self.places, np.arange(first, first + num)]),
            features=np.concatenate([self.features, features]),
            probabilities=np.concatenate([self.probabilities, probabilities]),
            targets=np.concatenate([self.targets, unknown if targets is None else targets]),
        )
        return both.cut() if len(both.keys) > 2 * MAX_COMPARED else both

    def cut(self) -> "_Kept":
        """Keep MAX_COMPARED rows at most."""
        if len(self.keys) <= MAX_COMPARED:
            return self
        return self._take(np.argpartition(self.keys, MAX_COMPARED)[:MAX_COMPARED])

    def in_order(self) -> "_Kept":
        """Return the rows in the order in which they came."""
        return self._take(np.argsort(self.places))

    def _take(self, rows: NDArray[np.int64]) -> "_Kept":
        return _Kept(
            keys=self.keys[rows],
            places=self.places[rows],
            features=self.features[rows],
            probabilities=self.probabilities[rows],
            targets=self.targets[rows],
        )
