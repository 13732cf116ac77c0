"""A dataset in memory: labelled examples, how they are processed, and notes about them."""

import hashlib
import math
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from trainables.base.augmentation_kinds import KINDS
from trainables.data.column_encoding import ColumnEncoding
from trainables.data.column_facts import ColumnFacts
from trainables.data.text_counts import TextCounts


@dataclass(frozen=True, kw_only=True)
class Dataset:
    """Labelled examples for classification, or with any targets for the user's own training loop.

    `inputs` has shape (examples, features), float32; `targets` shape (examples,), int64 in
    0..num_classes-1. Without `classes` the targets are real numbers, float64, for the user's own training loop.
    `official_test` holds the rows of a published test set, None if there is none.
    `shape` is an example's shape before flattening, such as (28, 28); None if it has no other.
    `groups` says which features are scaled together to zero mean and unit variance, by each block's training part
    alone (`trainables.data.scaling`): a group's number for each feature, -1 for no scaling; None: none is scaled.
    Scaled features may have missing values (NaN). `source` is the SHA-256 of the user's own file.
    `augmentations` are the kinds (`trainables.base.augmentation_kinds`) that keep an image's label.
    If examples are texts, `inputs` has no column, and each block makes its features from `texts` by itself; `raw_texts`
    are the texts themselves, for readers, and workers do without them.
    With `has_linear_model` networks are compared with a linear model on the same features.
    `notes` are lines about decisions made while the data was read, such as what was left out or read otherwise than
    it may seem, for readers of a plan or a report; `columns` are those of a user's own table, and `encodings` say how
    rows that are read later become the same features.
    """

    name: str
    about: str
    licence: str
    inputs: NDArray[np.float32]
    targets: NDArray[Any]
    classes: tuple[str, ...]
    official_test: NDArray[np.int64] | None = None
    shape: tuple[int, ...] | None = None
    groups: NDArray[np.int64] | None = None
    source: str | None = None
    texts: TextCounts | None = None
    raw_texts: tuple[str, ...] = ()
    has_linear_model: bool = False
    augmentations: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    columns: tuple[ColumnFacts, ...] = ()
    encodings: tuple[ColumnEncoding, ...] = ()

    def __post_init__(self) -> None:
        """Raise ValueError if inputs and targets do not fit together."""
        if self.inputs.ndim != 2 or len(self.inputs) != len(self.targets):
            raise ValueError(
                f"dataset {self.name!r}: inputs must have shape (examples, features) with one target each, "
                f"got inputs {self.inputs.shape} and targets {self.targets.shape}"
            )
        if self.texts is not None and (len(self.texts) != len(self.targets) or self.inputs.shape[1]):
            raise ValueError(
                f"dataset {self.name!r}: texts must be as many as targets, and inputs without a column"
            )
        if math.prod(self.shape or (self.num_features,)) != self.num_features:
            raise ValueError(
                f"dataset {self.name!r}: shape {self.shape} does not have {self.num_features} values"
            )
        if self.groups is not None and len(self.groups) != self.num_features:
            raise ValueError(f"dataset {self.name!r}: groups must hold one number for each feature")
        self._check_augmentations()
        self._check_values()
        if not self.classes:
            if not np.isfinite(self.targets).all():
                raise ValueError(f"dataset {self.name!r}: targets must be finite")
        elif len(self.targets) and not 0 <= self.targets.min() <= self.targets.max() < self.num_classes:
            raise ValueError(f"dataset {self.name!r}: targets must lie in 0..{self.num_classes - 1}")

    def _check_augmentations(self) -> None:
        unknown = [kind for kind in self.augmentations if kind not in KINDS]
        if unknown:
            raise ValueError(
                f"dataset {self.name!r}: augmentations must be some of {', '.join(KINDS)}, got {unknown[0]!r}"
            )
        if self.augmentations and len(self.shape or ()) not in (2, 3):
            raise ValueError(
                f"dataset {self.name!r}: augmentations are for images, whose shape is (height, width) or "
                f"(channels, height, width), got shape {self.shape}"
            )

    def _check_values(self) -> None:
        unusable = np.isinf(self.inputs).any(0)
        may_miss = np.zeros(self.inputs.shape[1], bool) if self.groups is None else self.groups >= 0
        unusable |= np.isnan(self.inputs).any(0) & ~may_miss
        if unusable.any():
            raise ValueError(f"dataset {self.name!r}: inputs must be finite")

    @property
    def num_classes(self) -> int:
        """Number of classes; 0 if targets are real numbers."""
        return len(self.classes)

    @property
    def class_counts(self) -> list[int]:
        """Number of examples of each class."""
        if not self.classes:
            return []
        return [int(count) for count in np.bincount(self.targets, minlength=self.num_classes)]

    @property
    def num_features(self) -> int:
        """Number of input features."""
        return int(self.inputs.shape[1]) if self.texts is None else self.texts.num_features

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 over shapes, values, the official test set, groups and texts, in hexadecimal."""
        digest = hashlib.sha256()
        parts: tuple[NDArray[Any] | None, ...] = (self.inputs, self.targets, self.official_test, self.groups)
        for values in (*parts, *(() if self.texts is None else self.texts.arrays)):
            if values is None:
                continue
            digest.update(f"{values.dtype}{values.shape}".encode())
            digest.update(np.ascontiguousarray(values).tobytes())
        if self.source is not None:
            digest.update(self.source.encode())
        return digest.hexdigest()

    def describe(self) -> dict[str, str]:
        """Return a description of the dataset for a reader, as names and texts."""
        shape = " x ".join(map(str, self.shape)) if self.shape else f"{self.num_features} features"
        if self.texts is not None:
            shape = f"texts; {self.texts.about}"
        test = (
            "none; each block has its own" if self.official_test is None else f"{len(self.official_test):,}"
        )
        return {
            "dataset": self.name,
            "about": self.about,
            "licence": self.licence,
            "examples": f"{len(self.targets):,}",
            "shape": shape,
            "classes": ", ".join(
                f"{name} ({count:,})" for name, count in zip(self.classes, self.class_counts, strict=True)
            ),
            "test set": test,
            "augmentations": ", ".join(self.augmentations) or "none keeps the labels",
            "SHA-256": self.fingerprint,
        }
