"""Converts a user's labels (whole numbers, texts or booleans) to classes."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from trainables.user_code.arrays import as_array, is_missing, refuse_infinite, show

FOR_MEASUREMENTS = "for measurements write a train() with metrics of its own"

_KINDS: tuple[tuple[str, tuple[type, ...]], ...] = (
    ("a truth value", (bool, np.bool_)),
    ("a number", (int, float, np.integer, np.floating)),
    ("a text", (str,)),
)


def as_labels(targets: Any, num_examples: int) -> NDArray[Any]:
    """Return one label for each example, all of one kind; raise ValueError that names a wrong one.

    Shape (examples, 1) is accepted. Bytes are decoded as UTF-8.
    """
    labels = as_array(targets, "targets")
    if labels.ndim == 2 and labels.shape[1] == 1:
        labels = labels[:, 0]
    if labels.shape != (num_examples,):
        raise ValueError(
            f"targets must be one class for each of {num_examples} examples; got shape {labels.shape}"
            f"{_if_one_hot(labels, num_examples)}"
        )
    if labels.dtype.kind in "OS":
        labels = _of_one_kind(labels)
    _refuse_missing(labels)
    if labels.dtype.kind in "Mm":
        raise ValueError(
            f"targets must be classes; got {labels.dtype}: name what the dates stand for, such as the month, or make "
            f"numbers of them: {FOR_MEASUREMENTS}"
        )
    if labels.dtype.kind not in "fiubUT":
        raise ValueError(f"targets must be whole numbers, texts, or true and false; got {labels.dtype}")
    return labels


def as_measurements(labels: NDArray[Any]) -> NDArray[np.float64]:
    """Return real numbers as float64; raise ValueError that names one that is not finite."""
    refuse_infinite(labels, "targets")
    return labels.astype(np.float64)


def as_classes(
    labels: NDArray[Any], classes: Sequence[object] | None, *, measured: bool
) -> tuple[NDArray[np.int64], tuple[str, ...]]:
    """Return each label's class as an index, and the class names, by default the sorted labels.

    `measured` says that real numbers would have been accepted as measurements. Raises ValueError.
    """
    if labels.dtype.kind == "f":
        labels = _whole(labels)
    if classes is None:
        found, numbers = np.unique(labels, return_inverse=True)
        names = tuple(str(label) for label in found.tolist())
    else:
        known = _names(classes)
        names, numbers = tuple(map(str, known)), _places(labels, known)
    if len(names) < 2:
        raise ValueError(f"there must be at least two classes; got {', '.join(names) or 'none'}")
    counts = np.bincount(numbers, minlength=len(names))
    if not counts.all():
        raise ValueError(f"every class must have examples; {names[int(np.argmin(counts))]} has none")
    if counts.max() == 1 and classes is None:
        raise ValueError(f"targets are {len(names)} classes of one row each: {_instead(labels, measured)}")
    return numbers.astype(np.int64), names


def _instead(labels: NDArray[Any], measured: bool) -> str:
    if labels.dtype.kind not in "iu":
        return "a class is what several rows share"
    return "give measurements as real numbers, targets.astype(float)" if measured else FOR_MEASUREMENTS


def _if_one_hot(labels: NDArray[Any], num_examples: int) -> str:
    """Return advice if the targets look one-hot, else nothing."""
    if labels.ndim != 2 or len(labels) != num_examples or labels.dtype.kind not in "fiub":
        return ""
    is_one_hot = bool(((labels == 0) | (labels == 1)).all() and (labels.sum(1) == 1).all())
    return ": they are one-hot, give targets.argmax(1)" if is_one_hot else ""


def _of_one_kind(labels: NDArray[Any]) -> NDArray[Any]:
    """Return labels given as objects as numbers, texts or booleans; raise ValueError if they are mixed."""
    decoded = [_decoded(label) for label in labels.tolist()]
    missing = [row for row, label in enumerate(decoded) if is_missing(label)]
    if missing:
        raise ValueError(_missing(missing, decoded[missing[0]]))
    first: tuple[str, int] | None = None
    for row, label in enumerate(decoded):
        kind = next((name for name, types in _KINDS if isinstance(label, types)), None)
        if kind is None:
            raise ValueError(
                f"targets must be whole numbers, texts, or true and false; row {row} has {show(label)}, a "
                f"{type(label).__name__}"
            )
        first = first or (kind, row)
        if kind != first[0]:
            raise ValueError(
                f"targets must be of one kind; row {first[1]} has {first[0]}, {show(decoded[first[1]])}, and row {row} "
                f"{kind}, {show(label)}"
            )
    return np.array(decoded)


def _decoded(label: object) -> object:
    if not isinstance(label, bytes):
        return label
    try:
        return label.decode()
    except UnicodeDecodeError as error:
        raise ValueError(f"targets must be texts in UTF-8; got {show(label)}") from error


def _refuse_missing(labels: NDArray[Any]) -> None:
    if labels.dtype.kind == "f":
        is_wrong = np.isnan(labels)
    elif labels.dtype.kind in "Mm":
        is_wrong = np.isnat(labels)
    else:
        return
    if is_wrong.any():
        missing = np.flatnonzero(is_wrong).tolist()
        raise ValueError(_missing(missing, labels[missing[0]]))


def _missing(rows: Sequence[int], first: object) -> str:
    return (
        f"targets must all be known; row {rows[0]} has {first} ({len(rows)} such {'row' if len(rows) == 1 else 'rows'} "
        'in all): leave them out, or name a class for them, such as "unknown"'
    )


def _whole(labels: NDArray[Any]) -> NDArray[np.int64]:
    """Return floats that are whole numbers as integers; raise ValueError that names one that is not whole."""
    refuse_infinite(labels, "targets")
    wrong = np.flatnonzero((labels != np.round(labels)) | (np.abs(labels) >= 2.0**63))
    if len(wrong):
        raise ValueError(
            f"targets must be classes; row {wrong[0]} has {labels[wrong[0]]}, a measurement: {FOR_MEASUREMENTS}"
        )
    return labels.astype(np.int64)


def _names(classes: Any) -> list[object]:
    if isinstance(classes, str) or not hasattr(classes, "__iter__"):
        raise ValueError(f"classes must be a list of names; got {show(classes)}")
    names = list(classes)
    twice = [name for name in names if list(map(str, names)).count(str(name)) > 1]
    if twice:
        raise ValueError(f"classes must have different names; {show(twice[0])} is there more than once")
    return names


def _places(labels: NDArray[Any], classes: list[object]) -> NDArray[np.int64]:
    if labels.dtype.kind in "iub":
        wrong = np.flatnonzero((labels < 0) | (labels >= len(classes)))
        if len(wrong):
            raise ValueError(
                f"targets must be places in classes, 0 to {len(classes) - 1}; row {wrong[0]} has {labels[wrong[0]]}"
            )
        return labels.astype(np.int64)
    places = {str(name): place for place, name in enumerate(classes)}
    for row, label in enumerate(labels.tolist()):
        if label not in places:
            raise ValueError(f"targets must be among classes; row {row} has {label!r}")
    return np.array([places[label] for label in labels.tolist()], np.int64)
