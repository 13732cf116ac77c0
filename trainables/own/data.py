"""What a user's own load() returns, made into a dataset: plain arrays are enough."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from trainables.datasets import Dataset
from trainables.own.code import OWN

FORMS = (
    '(inputs, targets), or {"inputs": ..., "targets": ...} with any of classes, official_test, scale, '
    "augmentations, about, licence, or a trainables.datasets.Dataset"
)


def own_dataset(loaded: object, *, measured: bool = False) -> Dataset:
    """Return the dataset that load() means: a Dataset, inputs and targets, or the arguments of `make_dataset`.

    With `measured` targets that are real numbers stay what they are. Raises ValueError that says what is wrong with it.

    >>> own_dataset(([[0.0, 1.0], [1.0, 0.0]], ["no", "yes"])).classes
    ('no', 'yes')
    """
    if isinstance(loaded, Dataset):
        return loaded
    if isinstance(loaded, tuple | list) and len(loaded) == 2:
        return make_dataset(inputs=loaded[0], targets=loaded[1], measured=measured)
    known = {"inputs", "targets", "classes", "official_test", "scale", "augmentations", "about", "licence"}
    if isinstance(loaded, Mapping) and {"inputs", "targets"} <= set(loaded) <= known:
        return make_dataset(**loaded, measured=measured)
    keys = f" with {', '.join(map(str, loaded))}" if isinstance(loaded, Mapping) else ""
    raise ValueError(f"must return {FORMS}; got a {type(loaded).__name__}{keys}")


def make_dataset(
    *,
    inputs: Any,
    targets: Any,
    classes: Sequence[object] | None = None,
    official_test: Any = None,
    scale: bool = False,
    augmentations: Sequence[str] = (),
    measured: bool = False,
    about: str = "your own data",
    licence: str = "your own",
) -> Dataset:
    """Return a dataset from arrays, tensors or lists.

    `inputs` has shape (examples, ...): networks see that shape, as float32. `targets` are one class for each example:
    of whole numbers from 0 on that are the places of `classes`, or of any labels, which are sorted into classes.
    `official_test` holds the rows of a published test set. With `scale` each column of a table, or all values of other
    inputs together, get zero mean and unit variance by each block's training part. `augmentations` are the kinds that
    leave a picture's label as it is, such as ["shift", "flip"].
    With `measured` targets may be real numbers, for a training loop of one's own. Raises ValueError.
    """
    values = _inputs(inputs)
    labels = _array(targets, "targets")
    if labels.shape != values.shape[:1]:
        raise ValueError(
            f"targets must be one class for each of {len(values)} examples; got shape {labels.shape}"
        )
    if isinstance(augmentations, str):
        raise ValueError(f'augmentations must be a list of kinds, such as ["shift"]; got {augmentations!r}')
    numbers: NDArray[Any]
    names: tuple[str, ...] = ()
    if measured and labels.dtype.kind == "f":
        numbers = _measurements(labels)
    else:
        numbers, names = _classes(labels, classes)
    size = math.prod(values.shape[1:])
    return Dataset(
        name=OWN,
        about=about,
        licence=licence,
        inputs=values.reshape(len(values), size),
        targets=numbers,
        classes=names,
        official_test=_rows(official_test, len(values)),
        shape=values.shape[1:] if values.ndim > 2 else None,
        augmentations=tuple(augmentations),
        groups=(np.arange(size) if values.ndim == 2 else np.zeros(size, np.int64)) if scale else None,
    )


def _measurements(targets: NDArray[Any]) -> NDArray[np.float64]:
    wrong = np.flatnonzero(~np.isfinite(targets))
    if len(wrong):
        raise ValueError(f"targets must be finite; row {wrong[0]} has {targets[wrong[0]]}")
    return targets.astype(np.float64)


def _array(values: Any, name: str) -> NDArray[Any]:
    try:
        array = np.asarray(values)
    except Exception as error:  # whatever an array-like object raises
        raise ValueError(f"{name} must be an array; got a {type(values).__name__}: {error}") from error
    return array


def _inputs(inputs: Any) -> NDArray[np.float32]:
    array = _array(inputs, "inputs")
    if array.dtype == object or array.dtype.kind not in "fiub":
        raise ValueError(f"inputs must be numbers; got {array.dtype}")
    if array.ndim < 2 or 0 in array.shape:
        raise ValueError(
            f"inputs must have shape (examples, ...) with at least one value each; got {array.shape}"
        )
    wrong = np.argwhere(~np.isfinite(array))
    if len(wrong):
        row, *place = wrong[0].tolist()
        at = ", ".join(map(str, place))
        raise ValueError(
            f"inputs must be finite; row {row} has {array[tuple(wrong[0])]} at {at} ({len(wrong)} such values in all)"
        )
    return np.ascontiguousarray(array, np.float32)


def _classes(
    labels: NDArray[Any], classes: Sequence[object] | None
) -> tuple[NDArray[np.int64], tuple[str, ...]]:
    if labels.dtype.kind == "f" and not np.all(labels == np.round(labels)):
        wrong = np.flatnonzero(labels != np.round(labels))[0]
        raise ValueError(
            f"targets must be classes, not measurements, which are for a train() with metrics; row {wrong} has "
            f"{labels[wrong]}"
        )
    if labels.dtype.kind == "f":
        labels = labels.astype(np.int64)
    if classes is None:
        found, numbers = np.unique(labels, return_inverse=True)
        names = tuple(str(label) for label in found.tolist())
    else:
        names, numbers = tuple(map(str, classes)), _places(labels, list(classes))
    if len(names) < 2:
        raise ValueError(f"there must be at least two classes; got {', '.join(names) or 'none'}")
    counts = np.bincount(numbers, minlength=len(names))
    if not counts.all():
        raise ValueError(f"every class must have examples; {names[int(np.argmin(counts))]} has none")
    return numbers.astype(np.int64), names


def _places(labels: NDArray[Any], classes: list[object]) -> NDArray[np.int64]:
    if labels.dtype.kind in "iub":
        wrong = np.flatnonzero((labels < 0) | (labels >= len(classes)))
        if len(wrong):
            raise ValueError(
                f"targets must be places in classes, 0 to {len(classes) - 1}; row {wrong[0]} has {labels[wrong[0]]}"
            )
        return labels.astype(np.int64)
    places = {name: place for place, name in enumerate(classes)}
    for row, label in enumerate(labels.tolist()):
        if label not in places:
            raise ValueError(f"targets must be among classes; row {row} has {label!r}")
    return np.array([places[label] for label in labels.tolist()], np.int64)


def _rows(official_test: Any, num_examples: int) -> NDArray[np.int64] | None:
    if official_test is None:
        return None
    rows = _array(official_test, "official_test")
    if rows.dtype == bool and rows.shape == (num_examples,):
        rows = np.flatnonzero(rows)
    if rows.ndim != 1 or rows.dtype.kind not in "iu" or not 0 < len(rows) < num_examples:
        raise ValueError("official_test must be the rows of the test set, or true for each of them")
    if rows.min() < 0 or rows.max() >= num_examples or len(np.unique(rows)) < len(rows):
        raise ValueError(f"official_test must be different rows from 0 to {num_examples - 1}")
    return rows.astype(np.int64)
