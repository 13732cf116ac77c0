"""Reads the examples of a file chunk by chunk: tables, arrays, images and texts, in bounded memory."""

import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import pandas as pd

from trainables.base.errors import InputError
from trainables.data.dataset_files import DatasetError
from trainables.data.tables import csv_files
from trainables.use.images import ENDINGS
from trainables.use.preprocessing import Preprocessing

MAX_VALUES: Final = 4_000_000
"""Numbers that a chunk has at most, once it is encoded: 16 MB of float32."""

MAX_ROWS: Final = 20_000
"""Rows that a chunk has at most."""

FORMATS: Final = (
    "a table (.csv, .csv.gz, .parquet), an array (.npy), an image, a folder of images, or text lines (.txt)"
)


@dataclass(frozen=True, kw_only=True)
class Rows:
    """Examples in a row, the first of which is row `first_row` of the file (from 1, below a header).

    `names` are the files' names where examples are images; `labels` the cells of the column of labels, if one is named.
    """

    first_row: int
    examples: Any
    num_rows: int
    names: tuple[str, ...] = ()
    labels: "pd.Series | None" = None


@dataclass(frozen=True, kw_only=True)
class InputFile:
    """A file or folder with examples for a model.

    `target` is the column of a table with the true labels, `text_column` that with the texts where a table has several,
    and `ignored` are columns that are left out.
    """

    path: Path
    target: str | None = None
    text_column: str | None = None
    ignored: tuple[str, ...] = ()

    def chunks(self, preprocessing: Preprocessing) -> Iterator[Rows]:
        """Yield the file's examples in order; raise InputError for what cannot be read, with row and column."""
        if not self.path.exists():
            raise InputError([f"{self.path}: no such file"], "Give its path with --input.")
        size = chunk_size(preprocessing)
        num_rows = 0
        for rows in self._chunks(preprocessing, size):
            num_rows += rows.num_rows
            yield rows
        if not num_rows:
            raise InputError([f"{self.path} has no examples"], f"Give a file with some: {FORMATS}.")

    def _chunks(self, preprocessing: Preprocessing, size: int) -> Iterator[Rows]:
        name = self.path.name.lower()
        if self.path.is_dir() or name.endswith(ENDINGS):
            return self._images(preprocessing, size)
        if name.endswith((".csv", ".csv.gz", ".parquet")):
            return self._tables(preprocessing, size)
        if name.endswith(".npy"):
            return self._arrays(preprocessing, size)
        if name.endswith(".txt"):
            return self._texts(preprocessing, size)
        if name.endswith((".pkl", ".pickle", ".pt", ".pth", ".joblib")):
            raise InputError(
                [f"{self.path} may hold a pickle, which runs code when it is read, and is not opened"],
                f"Save it as one of: {FORMATS}.",
            )
        raise InputError([f"{self.path}: its ending names no format that can be read"], f"Give {FORMATS}.")

    def _images(self, preprocessing: Preprocessing, size: int) -> Iterator[Rows]:
        self._refuse_kind(preprocessing, ("image",), "images")
        paths = [self.path]
        if self.path.is_dir():
            paths = sorted(each for each in self.path.rglob("*") if each.name.lower().endswith(ENDINGS))
        for start in range(0, len(paths), size):
            part = paths[start : start + size]
            names = tuple(
                _readable(str(each.relative_to(self.path)) if self.path.is_dir() else each.name)
                for each in part
            )
            yield Rows(first_row=start + 1, examples=part, num_rows=len(part), names=names)

    def _arrays(self, preprocessing: Preprocessing, size: int) -> Iterator[Rows]:
        self._refuse_kind(preprocessing, ("image", "array", "table"), "an array")
        try:
            values = np.load(self.path, mmap_mode="r", allow_pickle=False)
        except (ValueError, OSError, EOFError) as error:
            # Of what may hold a pickle, numpy says how to run it all the same.
            said = str(error).splitlines()[0]
            may_run = any(word in said for word in ("pickle", "Python objects"))
            told = "it is not of this format, or holds Python objects" if may_run else said
            raise InputError(
                [f"{self.path} is no array of numbers ({told})"],
                "Save it with numpy.save, as an array of numbers.",
            ) from None
        if values.ndim == 0:
            raise InputError([f"{self.path} holds one number"], "Give an array with an axis of examples.")
        for start in range(0, len(values), size):
            # A map that is kept holds in memory what was read of it.
            part = np.array(np.load(self.path, mmap_mode="r", allow_pickle=False)[start : start + size])
            yield Rows(first_row=start + 1, examples=part, num_rows=len(part))

    def _texts(self, preprocessing: Preprocessing, size: int) -> Iterator[Rows]:
        self._refuse_kind(preprocessing, ("text",), "lines of text")
        lines: list[str] = []
        first_row = 1
        try:
            with self.path.open(encoding="utf-8-sig") as file:
                for line in file:
                    lines.append(line.rstrip("\n"))
                    if len(lines) == size:
                        yield Rows(first_row=first_row, examples=lines, num_rows=len(lines))
                        first_row += len(lines)
                        lines = []
        except UnicodeDecodeError:
            row = first_row + len(lines)
            raise InputError(
                [f"{self.path}: line {row} or after is not UTF-8"], "Save it as UTF-8."
            ) from None
        if lines:
            yield Rows(first_row=first_row, examples=lines, num_rows=len(lines))

    def _tables(self, preprocessing: Preprocessing, size: int) -> Iterator[Rows]:
        first_row = 1
        for table in self._frames(preprocessing, size):
            labels = table.pop(self.target) if self.target is not None else None
            examples = self._of_table(table, preprocessing)
            yield Rows(first_row=first_row, examples=examples, num_rows=len(table), labels=labels)
            first_row += len(table)

    def _of_table(self, table: pd.DataFrame, preprocessing: Preprocessing) -> Any:
        kept = table.drop(columns=[name for name in self.ignored if name in table])
        if preprocessing.kind != "text":
            return kept
        column = self.text_column
        if column is None:
            named = [name for name in kept if str(name).lower() in ("text", "texts", "review", "sentence")]
            column = (
                str(named[0]) if len(named) == 1 else str(kept.columns[0]) if kept.shape[1] == 1 else None
            )
        if column is None or column not in kept:
            what = "several columns, and one has the texts" if column is None else f"no column {column}"
            names = ", ".join(map(str, kept.columns[:20]))
            raise InputError([f"{self.path} has {what}: {names}"], "Name it with --column NAME.")
        return kept[column]

    def _frames(self, preprocessing: Preprocessing, size: int) -> Iterator[pd.DataFrame]:
        if self.path.name.lower().endswith(".parquet"):
            yield from self._parquet(preprocessing, size)
            return
        as_texts = list(preprocessing.text_columns)
        if preprocessing.kind == "text":
            as_texts += [self.text_column] if self.text_column else []
        as_texts += [self.target] if self.target else []
        try:
            separator, names = csv_files.header_of(self.path)
            self._check(names, preprocessing)
            yield from csv_files.read_chunks(
                self.path,
                separator,
                names,
                as_texts=as_texts,
                num_rows=size,
                everything=preprocessing.kind == "text",
            )
        except csv_files.UnevenRowsError as error:
            raise InputError(error.mistakes[:10], "Give every row as many cells as the header.") from None
        except DatasetError as error:
            raise InputError([f"{self.path}: {error.message}"], error.advice) from None
        except (OSError, EOFError) as error:
            raise InputError([f"{self.path} cannot be read ({error})"], "Look at the file.") from None

    def _parquet(self, preprocessing: Preprocessing, size: int) -> Iterator[pd.DataFrame]:
        import pyarrow as pa
        import pyarrow.parquet as pq

        try:
            with (
                warnings.catch_warnings(),
                pq.ParquetFile(self.path, pre_buffer=False, buffer_size=2**20) as file,
            ):
                warnings.simplefilter("ignore", DeprecationWarning)
                names = [name for name in file.schema_arrow.names if not name.startswith("__index_level_")]
                self._check(names, preprocessing)
                for batch in file.iter_batches(batch_size=size, columns=names):
                    yield batch.to_pandas().reset_index(drop=True)
        except (pa.ArrowException, OSError, ValueError) as error:
            if isinstance(error, InputError):
                raise
            said = str(error).splitlines()[0]
            raise InputError([f"{self.path} is no Parquet file ({said})"], "Look at the file.") from None

    def _check(self, names: Sequence[str], preprocessing: Preprocessing) -> None:
        """Refuse a table by its columns, before its rows are read."""
        for option, wanted in (("--target", self.target), ("--column", self.text_column)):
            if wanted is not None and wanted not in names:
                listed = ", ".join(names[:20])
                raise InputError(
                    [f"{option} {wanted}: {self.path} has no such column: {listed}"], "Correct it."
                )
        nameless = [
            name.removeprefix(csv_files.NAMELESS) for name in names if name.startswith(csv_files.NAMELESS)
        ]
        if nameless:
            raise InputError(
                [f"{self.path}: column {nameless[0]} has no name"],
                "If it numbers the rows, leave it out (pandas: to_csv(index=False)).",
            )
        kept = [name for name in names if name not in self.ignored and name != self.target]
        if preprocessing.kind == "table":
            preprocessing.check_columns(kept)
        elif preprocessing.kind != "text" and len(kept) != preprocessing.num_features:
            raise InputError(
                [
                    f"{self.path} has {len(kept):,} columns, and an example has {preprocessing.num_features:,} numbers"
                ],
                "Give one column for each number; leave others out with --ignore NAME.",
            )

    def _refuse_kind(self, preprocessing: Preprocessing, kinds: Sequence[str], what: str) -> None:
        if preprocessing.kind not in kinds:
            takes = {"table": "rows of a table", "text": "texts", "image": "images", "array": "arrays"}
            raise InputError(
                [f"{self.path} holds {what}, and the model takes {takes[preprocessing.kind]}"],
                f"Give {FORMATS}, as the training data were.",
            )


def _readable(name: str) -> str:
    """Return a file's name with a sign in the place of bytes that are no UTF-8, which no table can hold."""
    return name.encode("utf-8", "surrogateescape").decode("utf-8", "replace")


def chunk_size(preprocessing: Preprocessing) -> int:
    """Return how many examples are read and computed at a time."""
    return max(1, min(MAX_ROWS, MAX_VALUES // max(1, preprocessing.num_features)))
