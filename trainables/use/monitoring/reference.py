"""What a model keeps of the data it was measured on, so that later data can be compared with them."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray
from safetensors import SafetensorError
from safetensors.numpy import load, save

from trainables.data.dataset_files import DatasetError

FILE: Final = "reference.safetensors"
FORMAT: Final = 1
MAX_ROWS: Final = 10_000
"""So many rows put the standard error of a share at half a point at most; more would add little to a comparison."""

MIN_ROWS: Final = 100
MAX_VALUES: Final = 1_500_000
"""At most so many values are kept: 6 MB. Rows give way to columns, down to MIN_ROWS."""

NUM_BINS: Final = 10
_METADATA: Final = "reference"

GroupKind = Literal["number", "category", "words"]
Floats = NDArray[np.float32]


@dataclass(frozen=True, kw_only=True)
class ColumnGroup:
    """Columns `first` to `last` (both included) that are one feature to a reader, and are tested as one.

    A `number` is one column. A `category` is one column of codes, or one column for each category with 1 where it
    applies (a row of zeros is a category of its own). `words` are columns of 0 and 1: which words a text has.
    """

    name: str
    kind: GroupKind
    first: int
    last: int

    @property
    def columns(self) -> slice:
        """Where its columns stand."""
        return slice(self.first, self.last + 1)


@dataclass(frozen=True, kw_only=True)
class Reference:
    """Rows that a model was measured on and not trained on, with what it said of them.

    `features` are raw inputs, neither scaled nor filled, NaN where a value is missing; shape (rows, columns).
    `probabilities` are the model's, shape (rows, classes), and `targets` the true classes by number, or None.
    `num_rows` is how many rows these were drawn from. For texts, `document_counts` says how many of those `num_rows`
    texts have each of the vocabulary's `terms`.
    """

    kind: str
    names: tuple[str, ...]
    groups: tuple[ColumnGroup, ...]
    classes: tuple[str, ...]
    features: Floats
    probabilities: Floats
    targets: NDArray[np.int64] | None
    num_rows: int
    terms: tuple[str, ...] = ()
    document_counts: NDArray[np.int64] | None = None

    @classmethod
    def of(
        cls,
        *,
        kind: str,
        features: ArrayLike,
        probabilities: ArrayLike,
        targets: ArrayLike | None = None,
        names: Sequence[str] | None = None,
        groups: Sequence[ColumnGroup] | None = None,
        classes: Sequence[str] | None = None,
        terms: Sequence[str] = (),
        document_counts: ArrayLike | None = None,
        num_rows: int | None = None,
        seed: int = 0,
    ) -> "Reference":
        """Keep the rows, or a random part of them drawn with `seed` where there are too many.

        Without `groups`, every column is a number. `num_rows` is given where the rows are a random part themselves.
        Raises DatasetError for values that no comparison can use
        (see `checked_rows`) and for shapes that do not fit each other.
        """
        rows = np.asarray(features, np.float32)
        if rows.ndim != 2:
            raise DatasetError(f"features have the shape {rows.shape}", "Give one row an example.")
        names = [f"feature {place + 1}" for place in range(rows.shape[1])] if names is None else names
        if groups is None:
            groups = [
                ColumnGroup(name=name, kind="number", first=place, last=place)
                for place, name in enumerate(names)
            ]
        _check_groups(groups, rows.shape[1], len(names))
        answers, truth = checked_rows(rows, probabilities, targets, names)
        if classes is None:
            classes = [str(place) for place in range(answers.shape[1])]
        if len(classes) != answers.shape[1]:
            raise DatasetError(
                f"{len(classes)} classes are named, and probabilities have {answers.shape[1]} columns",
                "Name each class once, in the order of the columns.",
            )
        kept = _drawn(len(rows), rows.shape[1] + answers.shape[1], seed)
        return cls(
            kind=kind,
            names=tuple(names),
            groups=tuple(groups),
            classes=tuple(classes),
            features=np.ascontiguousarray(rows[kept]),
            probabilities=np.ascontiguousarray(answers[kept]),
            targets=None if truth is None else truth[kept],
            num_rows=len(rows) if num_rows is None else num_rows,
            terms=tuple(terms),
            document_counts=None if document_counts is None else np.asarray(document_counts, np.int64),
        )

    def __len__(self) -> int:
        return len(self.features)

    def missing_shares(self) -> NDArray[np.float64]:
        """Return the share of missing values of each column."""
        return np.asarray(np.isnan(self.features).mean(axis=0), float)

    def edges(self, group: ColumnGroup) -> NDArray[np.float64]:
        """Return the inner edges of at most NUM_BINS bins that hold about as many of its rows each.

        A bin holds what is above its lower edge and at most its upper one. Of a number whose rows share few values
        there are fewer bins, of one that is always missing a single bin.
        """
        values = self.features[:, group.first].astype(float)
        return quantile_edges(values[~np.isnan(values)])

    def to_bytes(self) -> bytes:
        """Return everything as one safetensors file: arrays, and the rest as JSON in its metadata."""
        told = {
            "format": FORMAT,
            "kind": self.kind,
            "names": list(self.names),
            "groups": [asdict(group) for group in self.groups],
            "classes": list(self.classes),
            "num_rows": self.num_rows,
            "terms": list(self.terms),
        }
        arrays: dict[str, NDArray[Any]] = {
            "features": _smallest(self.features),
            "probabilities": self.probabilities,
        }
        if self.targets is not None:
            arrays["targets"] = self.targets
        if self.document_counts is not None:
            arrays["document_counts"] = self.document_counts
        written: bytes = save(arrays, metadata={_METADATA: json.dumps(told, allow_nan=False)})
        return written

    @classmethod
    def from_bytes(cls, content: bytes) -> "Reference":
        """Read what `to_bytes` wrote; raise DatasetError for anything else."""
        try:
            length = int.from_bytes(content[:8], "little")
            told = json.loads(json.loads(content[8 : 8 + length])["__metadata__"][_METADATA])
            if told["format"] != FORMAT:
                raise DatasetError(
                    f"the reference of this model has format {told['format']}, and this version reads {FORMAT}",
                    "Save the model again with this version.",
                )
            arrays = load(content)
            made = cls(
                kind=str(told["kind"]),
                names=tuple(map(str, told["names"])),
                groups=tuple(ColumnGroup(**group) for group in told["groups"]),
                classes=tuple(map(str, told["classes"])),
                features=arrays["features"].astype(np.float32),
                probabilities=arrays["probabilities"],
                targets=arrays.get("targets"),
                num_rows=int(told["num_rows"]),
                terms=tuple(map(str, told["terms"])),
                document_counts=arrays.get("document_counts"),
            )
            _check_groups(made.groups, made.features.shape[1], len(made.names))
            checked_rows(made.features, made.probabilities, made.targets, made.names)
        except DatasetError:
            raise
        except (SafetensorError, ValueError, KeyError, TypeError, IndexError, AttributeError) as error:
            raise DatasetError(
                "the reference of this model is damaged or no reference", "Save the model again."
            ) from error
        return made


def read_reference(folder: Path) -> Reference:
    """Read the reference of a saved model; raise DatasetError where there is none or it is damaged."""
    path = folder / FILE
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        raise DatasetError(
            f"{path} is missing: the model has no reference to compare with",
            "Run its study again with this version, or name the folder of another model.",
        ) from None
    except OSError as error:
        raise DatasetError(f"{path} cannot be read ({error.strerror})", "See who may read it.") from error
    return Reference.from_bytes(content)


def checked_rows(
    features: NDArray[Any],
    probabilities: ArrayLike,
    targets: ArrayLike | None,
    names: Sequence[str],
    *,
    first_row: int = 1,
) -> tuple[Floats, NDArray[np.int64] | None]:
    """Return probabilities (rows, classes) and targets (rows,) that fit `features` (rows, columns).

    Raises DatasetError where there is no row, where a feature is infinite (with its row and column), where a
    probability is none, or where shapes do not fit. `first_row` is the number of the first row, as errors tell it.
    """
    answers = np.asarray(probabilities, np.float32)
    if len(features) == 0:
        raise DatasetError("there are no rows", "Give at least one row.")
    if features.shape[1:] != (len(names),):
        raise DatasetError(
            f"features have the shape {features.shape}, and {len(names)} columns are expected",
            "Give one row an example, with the columns that the model was made from.",
        )
    if answers.ndim != 2 or len(answers) != len(features):
        raise DatasetError(
            f"probabilities have the shape {answers.shape}, and there are {len(features)} rows",
            "Give one row of probabilities an example.",
        )
    infinite = np.isinf(features)
    if infinite.any():
        row, column = (int(place[0]) for place in np.nonzero(infinite))
        raise DatasetError(
            f"row {row + first_row}, column {names[column]}: the value is infinite",
            "Correct it, or leave it empty where it is not known.",
        )
    wrong = ~((answers >= 0) & (answers <= 1 + 1e-4)).all(axis=1)
    if wrong.any():
        raise DatasetError(
            f"row {int(np.flatnonzero(wrong)[0]) + first_row}: the model's probabilities are none",
            "The model is damaged, or its inputs are beyond what it can compute with.",
        )
    if targets is None:
        return answers, None
    truth = np.asarray(targets, np.int64)
    if truth.shape != (len(features),):
        raise DatasetError(
            f"targets have the shape {truth.shape}, and there are {len(features)} rows",
            "Give one class an example.",
        )
    strange = (truth < 0) | (truth >= answers.shape[1])
    if strange.any():
        row = int(np.flatnonzero(strange)[0])
        raise DatasetError(
            f"row {row + first_row}: the class {truth[row]} is none of the model's {answers.shape[1]}",
            "Leave out the rows of other classes, or the column of targets.",
        )
    return answers, truth


def quantile_edges(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the distinct deciles between the least and the largest value; none of no values."""
    if not len(values):
        return np.empty(0)
    shares = np.arange(1, NUM_BINS) / NUM_BINS
    # A quantile that is one of the values: between two of them float32 would round to either.
    return np.unique(np.quantile(values, shares, method="inverted_cdf"))


def _check_groups(groups: Sequence[ColumnGroup], num_columns: int, num_names: int) -> None:
    """Raise DatasetError unless the groups are each column once, in order."""
    places = [place for group in groups for place in range(group.first, group.last + 1)]
    fits = places == list(range(num_columns)) and num_names == num_columns
    kinds = all(
        group.kind in ("category", "words") or (group.kind == "number" and group.first == group.last)
        for group in groups
    )
    if not fits or not kinds:
        raise DatasetError(
            f"the groups of columns do not cover {num_columns} columns with {num_names} names once each",
            "Name each column, and give each a group; a number has one column.",
        )


def _drawn(num_rows: int, num_columns: int, seed: int) -> NDArray[np.int64]:
    """Return the rows to keep, in order."""
    wanted = min(MAX_ROWS, max(MIN_ROWS, MAX_VALUES // max(num_columns, 1)))
    if num_rows <= wanted:
        return np.arange(num_rows)
    return np.sort(np.random.default_rng(seed).choice(num_rows, wanted, replace=False))


def _smallest(features: Floats) -> NDArray[Any]:
    """Return the same values as bytes where all are whole numbers of a byte, such as pixels and words."""
    if features.size and not np.isnan(features).any() and features.min() >= 0 and features.max() <= 255:
        as_bytes = features.astype(np.uint8)
        if np.array_equal(as_bytes, features):
            return as_bytes
    return features
