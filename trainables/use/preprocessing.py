"""How raw inputs (arrays, tables, texts, images) become what a saved network takes; data only, kept as JSON."""

import difflib
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from trainables.base.errors import InputError
from trainables.data.column_encoding import ColumnEncoding
from trainables.data.column_facts import shortened
from trainables.data.tables.encoding import encode
from trainables.data.text_counts import MAX_COUNT, WORD
from trainables.use.arrays import MAX_BYTE, MAX_TOLD, as_examples, checked, described, refuse_bytes

if TYPE_CHECKING:
    from trainables.data.dataset import Dataset

Kind = Literal["table", "text", "image", "array"]

Features = NDArray[np.float32]

MAX_COMPARED: Final = 10_000
"""Names among which one that is nearly alike is looked for; among a million that takes a minute."""


@dataclass(frozen=True, kw_only=True)
class Preprocessing:
    """What an example is, and how it becomes float32 numbers of `shape`.

    - "table": a row with the columns of `columns`; those in `left_out` (the target, and columns that were not learnt
      from) may be there and are not read
    - "text": a text, as counts of `terms`, words and pairs of neighbouring words
    - "image": an image of `shape`, (height, width) or (channels, height, width); the bytes of an image file, 0 to 255,
      become `low` to `high`, the range of the training data
    - "array": numbers of `shape`

    In the data that it was trained on values may be missing (NaN) where `may_miss` says so.
    """

    kind: Kind
    shape: tuple[int, ...]
    columns: tuple[ColumnEncoding, ...] = ()
    left_out: tuple[str, ...] = ()
    terms: tuple[str, ...] = ()
    low: float = 0.0
    high: float = 1.0
    may_miss: bool = False

    @classmethod
    def of(cls, dataset: "Dataset", *, shape: tuple[int, ...], terms: Sequence[str] = ()) -> Self:
        """Return that of a dataset; `shape` is an example's as networks get it, `terms` are one network's own."""
        if dataset.texts is not None:
            return cls(kind="text", shape=shape, terms=tuple(terms))
        may_miss = bool(np.isnan(dataset.inputs).any())
        if dataset.encodings:
            known = {each.name for each in dataset.encodings}
            left_out = tuple(each.name for each in dataset.columns if each.name not in known)
            return cls(
                kind="table", shape=shape, columns=dataset.encodings, left_out=left_out, may_miss=may_miss
            )
        if len(shape) in (2, 3):
            low, high = float(np.nanmin(dataset.inputs)), float(np.nanmax(dataset.inputs))
            return cls(kind="image", shape=shape, low=low, high=high, may_miss=may_miss)
        return cls(kind="array", shape=shape, may_miss=may_miss)

    @property
    def num_features(self) -> int:
        """How many numbers an example is."""
        return int(np.prod(self.shape))

    @property
    def feature_names(self) -> tuple[str, ...]:
        """A name for each number of an example: columns and categories, terms, or the number's place from 0."""
        if self.kind == "table":
            return tuple(name for column in self.columns for name in column.feature_names)
        return self.terms or tuple(map(str, range(self.num_features)))

    @property
    def text_columns(self) -> tuple[str, ...]:
        """The columns of a table that are read as texts whatever stands in them."""
        return tuple(each.name for each in self.columns if each.kind != "number")

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON data that `from_dict` takes."""
        return {
            "kind": self.kind,
            "shape": list(self.shape),
            "columns": [each.to_dict() for each in self.columns],
            "left_out": list(self.left_out),
            "terms": list(self.terms),
            "low": self.low,
            "high": self.high,
            "may_miss": self.may_miss,
        }

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Self:
        """Return what `to_dict` wrote; TypeError or KeyError for anything else."""
        made: dict[str, Any] = {
            name: tuple(value) if isinstance(value, list) else value for name, value in values.items()
        }
        return cls(**{**made, "columns": tuple(map(ColumnEncoding.from_dict, values["columns"]))})

    def encode(self, examples: Any, *, first_row: int = 1, notes: list[str] | None = None) -> Features:
        """Return examples as features of shape (examples, *shape), float32; decisions are added to `notes`.

        Raises InputError with a line for each mistake; rows are counted from `first_row`.
        """
        if isinstance(examples, pd.DataFrame):
            made = self._encode_table(examples, first_row, notes)
        elif self.kind == "text":
            made = self._count_terms(examples, first_row)
        elif self.kind == "image" and (images := _as_images(examples)) is not None:
            made = self._read_images(images, first_row)
        elif self.kind == "table" and (
            isinstance(examples, dict) or any(column.kind != "number" for column in self.columns)
        ):
            raise InputError(
                [
                    "the model takes rows of a table with names for its columns, and was given an object of type "
                    f"{type(examples).__name__}"
                ],
                f"Give a pandas.DataFrame with the columns {_listed([each.name for each in self.columns])}.",
            )
        elif self.kind == "table":
            rows = as_examples(examples, (len(self.columns),), first_row=first_row)
            named = pd.DataFrame(rows, columns=pd.Index([each.name for each in self.columns]))
            made = self._encode_table(named, first_row, notes)
        else:
            if self.kind == "image":
                refuse_bytes(examples, self.high)
            values = as_examples(examples, self.shape, first_row=first_row)
            made = checked(values, may_miss=self.may_miss, first_row=first_row)
        return made

    def _encode_table(self, table: pd.DataFrame, first_row: int, notes: list[str] | None) -> Features:
        if self.kind == "text":
            if table.shape[1] != 1:
                raise InputError(
                    [f"the model takes one text a row; the table has columns {_listed(table.columns)}"],
                    'Give the one column with the texts, such as frame["text"].',
                )
            return self._count_terms(table.iloc[:, 0], first_row)
        if self.kind != "table":
            if set(map(str, table.columns)) == set(self.feature_names):
                table = table.set_axis(table.columns.map(str), axis=1)[[*self.feature_names]]
            values = as_examples(_numbers(table, first_row), self.shape, first_row=first_row)
            return checked(values, may_miss=self.may_miss, first_row=first_row)
        self.check_columns([str(name) for name in table.columns])
        encoded = encode(table, self.columns, first_row=first_row)
        if encoded.mistakes:
            raise InputError(encoded.mistakes[:MAX_TOLD], "Correct these cells or leave out the rows.")
        if notes is not None:
            notes += encoded.notes
        return encoded.features

    def check_columns(self, names: Sequence[str]) -> None:
        """Raise InputError where a table with these columns lacks some, or has others than the training data."""
        wanted = [each.name for each in self.columns]
        given, known = set(names), {*wanted, *self.left_out}
        missing = [name for name in wanted if name not in given]
        unknown = [name for name in names if name not in known]
        counts = Counter(names)
        twice = [name for name in wanted if counts[name] > 1]
        mistakes = [f"column {name} is missing{_close(name, unknown)}" for name in missing[:MAX_TOLD]]
        mistakes += [
            f"column {shortened(name)} was not in the training data{_close(name, missing)}"
            for name in unknown[:MAX_TOLD]
        ]
        mistakes += [f"several columns are called {name}" for name in twice[:MAX_TOLD]]
        if mistakes:
            told, num = mistakes[:MAX_TOLD], len(missing) + len(unknown) + len(twice)
            more = [f"and {num - len(told):,} more"] if num > len(told) else []
            raise InputError(
                [*told, *more],
                f"Give a table with the columns of the training data ({_listed(wanted)}), without others.",
            )

    def _count_terms(self, texts: Any, first_row: int) -> Features:
        if isinstance(texts, str):
            raise InputError(
                ["the model takes a list of texts, and was given one text"], "Put it into a list."
            )
        if not isinstance(texts, Iterable) or isinstance(texts, bytes | Mapping):
            raise InputError(
                [f"the model takes a list of texts, and was given an object of type {type(texts).__name__}"],
                'Give a list, or a column of a table such as frame["text"].',
            )
        given = [*np.atleast_1d(texts)] if isinstance(texts, np.ndarray) else list(texts)
        wrong = [row for row, text in enumerate(given) if not isinstance(text, str)]
        if wrong:
            told = [
                f"row {row + first_row}: a text is needed, got {described(given[row])}"
                for row in wrong[:MAX_TOLD]
            ]
            raise InputError(told, "Correct or leave out these rows.")
        counts = np.zeros((len(given), len(self.terms)), np.float32)
        for row, text in enumerate(given):
            words = WORD.findall(str(text).lower())
            for term in (*words, *(f"{first} {second}" for first, second in pairwise(words))):
                place = self._place.get(term)
                if place is not None:
                    counts[row, place] += 1
        return np.minimum(counts, MAX_COUNT, out=counts)

    @cached_property
    def _place(self) -> dict[str, int]:
        return {term: place for place, term in enumerate(self.terms)}

    def _read_images(self, images: Sequence[Any], first_row: int) -> Features:
        from trainables.use.images import pixels_of, read_image

        pixels = [
            read_image(Path(each), self.shape)
            if isinstance(each, str | Path)
            else pixels_of(each, self.shape, f"image {number}")
            for number, each in enumerate(images, start=first_row)
        ]
        scale = (self.high - self.low) / MAX_BYTE
        return (np.stack(pixels).astype(np.float64) * scale + self.low).astype(np.float32)


def _as_images(examples: Any) -> Sequence[Any] | None:
    """Return paths of image files and images of Pillow's as a list, None if `examples` are something else."""
    from PIL.Image import Image

    if isinstance(examples, str | Path | Image):
        return [examples]
    is_list = isinstance(examples, list | tuple) and len(examples) > 0
    return examples if is_list and all(isinstance(each, str | Path | Image) for each in examples) else None


def _numbers(table: pd.DataFrame, first_row: int) -> NDArray[np.float64]:
    """Return a table's cells, NaN where one is missing; raise InputError for those that are no numbers."""
    told: list[str] = []
    values = np.empty(table.shape)
    for place, name in enumerate(table.columns):
        cells = table.iloc[:, place]
        is_number = pd.api.types.is_numeric_dtype(cells) and not pd.api.types.is_complex_dtype(cells)
        plain = cells if is_number else cells.astype(object)
        try:
            values[:, place] = plain.to_numpy(np.float64, na_value=np.nan)
        except (TypeError, ValueError, OverflowError):
            wrong = [row for row, cell in enumerate(plain) if not _is_number(cell)]
            told += [
                f"row {row + first_row}, column {name}: {described(plain.iloc[row])} is no number"
                for row in wrong[:MAX_TOLD]
            ]
    if told:
        raise InputError(told[:MAX_TOLD], "Correct these cells or leave out the rows.")
    return values


def _is_number(cell: Any) -> bool:
    if cell is None or cell is pd.NA or cell is pd.NaT:
        return True
    try:
        float(cell)
    except (TypeError, ValueError, OverflowError):
        return False
    return True


def _listed(names: Iterable[object], most: int = 8) -> str:
    told = [str(name) for name in names]
    return ", ".join(told[:most]) + (f" and {len(told) - most:,} more" if len(told) > most else "")


def _close(name: str, others: Sequence[str]) -> str:
    if len(others) > MAX_COMPARED:
        return ""
    close = difflib.get_close_matches(name, others, n=1)
    return f" ({shortened(close[0])} is there)" if close else ""
