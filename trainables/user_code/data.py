"""Makes a dataset of what a user's own load() returns; plain arrays are enough."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from trainables.data.dataset import Dataset
from trainables.user_code.arrays import as_array, as_inputs
from trainables.user_code.code import OWN
from trainables.user_code.labels import as_classes, as_labels, as_measurements

FORMS = (
    '(inputs, targets), or {"inputs": ..., "targets": ...} with any of classes, official_test, scale, '
    "augmentations, about, licence, or a trainables.datasets.Dataset"
)


def user_dataset(loaded: object, *, measured: bool = False) -> Dataset:
    """Return load()'s result as a dataset: it may be a Dataset, inputs and targets, or `make_dataset`'s arguments.

    With `measured` targets that are real numbers are kept. Raises ValueError that says what is wrong.

    >>> user_dataset(([[0.0, 1.0], [1.0, 0.0]], ["no", "yes"])).classes
    ('no', 'yes')
    """
    if isinstance(loaded, Dataset):
        return _checked(loaded)
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
    """Return a dataset from arrays, tensors, lists, or columns of pandas.

    `inputs` has shape (examples, ...), which is the shape that networks get, as float32. `targets` are one class for
    each example: whole numbers from 0 on that index `classes`, or any labels, which are sorted to make the classes.
    `official_test` holds the rows of a published test set. With `scale` each column of a table, or all values of other
    inputs together, are scaled to zero mean and unit variance by each block's training part. `augmentations` are the
    kinds that keep an image's label, such as ["shift", "flip"].
    With `measured` targets may be real numbers, for a user's own training loop. Raises ValueError.
    """
    values = as_inputs(inputs)
    labels = as_labels(targets, len(values))
    if isinstance(augmentations, str):
        raise ValueError(f'augmentations must be a list of kinds, such as ["shift"]; got {augmentations!r}')
    numbers: NDArray[Any]
    names: tuple[str, ...] = ()
    if measured and labels.dtype.kind == "f":
        numbers = as_measurements(labels)
    else:
        numbers, names = as_classes(labels, classes, measured=measured)
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


def _checked(dataset: Dataset) -> Dataset:
    """Return a Dataset that the user made; raise ValueError if its targets do not fit its classes."""
    if dataset.targets.ndim != 1:
        raise ValueError(f"targets must have shape (examples,); got {dataset.targets.shape}")
    kind = dataset.targets.dtype.kind
    if dataset.classes and kind not in "iu":
        raise ValueError(f"targets must be places in classes, whole numbers; got {dataset.targets.dtype}")
    if not dataset.classes and kind != "f":
        raise ValueError(f"targets without classes must be real numbers; got {dataset.targets.dtype}")
    if dataset.num_classes == 1:
        raise ValueError(f"there must be at least two classes; got {dataset.classes[0]}")
    return dataset


def _rows(official_test: Any, num_examples: int) -> NDArray[np.int64] | None:
    if official_test is None:
        return None
    rows = as_array(official_test, "official_test")
    if rows.dtype == bool and rows.shape == (num_examples,):
        rows = np.flatnonzero(rows)
    if rows.ndim != 1 or rows.dtype.kind not in "iu" or not 0 < len(rows) < num_examples:
        raise ValueError("official_test must be the rows of the test set, or true for each of them")
    if rows.min() < 0 or rows.max() >= num_examples or len(np.unique(rows)) < len(rows):
        raise ValueError(f"official_test must be different rows from 0 to {num_examples - 1}")
    return rows.astype(np.int64)
