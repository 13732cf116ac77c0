"""Encodes the rows of a table that is read later as the rows of the training table were."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from trainables.data.column_encoding import TRUE_FALSE, ColumnEncoding
from trainables.data.column_facts import quoted, shortened
from trainables.data.tables.cells import TextCells
from trainables.data.tables.number_formats import POINT, read_numbers
from trainables.data.text_counts import WORD

MAX_MISTAKES: Final = 10
"""Most mistakes that are told of one column."""

MAX_NUMBER: Final = float(np.finfo(np.float32).max)


@dataclass(kw_only=True)
class EncodedRows:
    """Features of rows, shape (rows, features), float32; `mistakes` make them unusable, `notes` tell decisions."""

    features: NDArray[np.float32]
    mistakes: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def encode(table: pd.DataFrame, columns: Sequence[ColumnEncoding], *, first_row: int = 1) -> EncodedRows:
    """Return the features of rows of a table that has all of `columns`; messages count its rows from `first_row`."""
    made = EncodedRows(
        features=np.zeros((len(table), sum(each.num_features for each in columns)), np.float32)
    )
    start = 0
    for column in columns:
        part = made.features[:, start : start + column.num_features]
        cells = table[column.name]
        if column.kind == "number":
            _write_numbers(part, column, cells, made, first_row)
        else:
            _write_texts(part, column, cells, made, first_row)
        start += column.num_features
    return made


def _write_numbers(
    part: NDArray[np.float32], column: ColumnEncoding, cells: pd.Series, made: EncodedRows, first_row: int
) -> None:
    values, wrong = _numbers(column, cells)
    _tell(
        made,
        [
            (row, f"{shortened(str(cells.iloc[row]))!r} is no number")
            for row in np.flatnonzero(wrong).tolist()
        ],
        column,
        first_row,
    )
    large = np.abs(values) > MAX_NUMBER
    _tell(
        made,
        [(row, f"{values[row]} is too large") for row in np.flatnonzero(large).tolist()],
        column,
        first_row,
    )
    missing = np.isnan(values) & ~wrong
    _write_missing(part, column, missing, made, first_row)
    part[:, 0] = np.where(large, np.nan, values) - column.offset


def _numbers(column: ColumnEncoding, cells: pd.Series) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Return each cell as a number, NaN where it is missing or none, and which cells are none."""
    if _is_typed(cells):
        return typed_values(cells), np.zeros(len(cells), bool)
    texts = TextCells.of(column.name, cells, is_missing_text=True)
    if column.reading == TRUE_FALSE:
        known = {"true": 1.0, "false": 0.0}
        values = np.array([known.get(text.strip().lower(), np.nan) for text in texts.texts])
    else:
        values = read_numbers(texts.texts, texts.counts, column.reading or POINT).values
    spread = texts.spread(values)
    return spread, np.isnan(spread) & ~texts.missing


def _is_typed(cells: pd.Series) -> bool:
    """Return whether cells are numbers or times by their type; anything else is read as texts."""
    kinds = pd.api.types
    is_number = kinds.is_numeric_dtype(cells) and not kinds.is_complex_dtype(cells)
    return is_number or kinds.is_datetime64_any_dtype(cells) or kinds.is_timedelta64_dtype(cells)


def _write_texts(
    part: NDArray[np.float32], column: ColumnEncoding, cells: pd.Series, made: EncodedRows, first_row: int
) -> None:
    texts = TextCells.of(column.name, cells, is_missing_text=column.is_missing_text)
    if column.kind == "text":
        rows, places = word_hits(texts, word_sets(texts.texts), column.names)
    else:
        known = {name: place for place, name in enumerate(column.names)}
        place_of = np.array([*(known.get(text, -1) for text in texts.texts), -1], np.int64)
        rows = np.flatnonzero(place_of[texts.codes] >= 0)
        places = place_of[texts.codes][rows]
        unknown = [text for text in texts.texts if text not in known]
        if unknown:
            num = int((~texts.missing).sum()) - len(rows)
            many = "1 cell has a category" if num == 1 else f"{num:,} cells have categories"
            made.notes.append(
                f"column {column.name}: {many} that no training row had ({quoted(unknown)}), which counts as none of "
                "the known ones"
            )
    part[rows, places] = 1
    _write_missing(part, column, texts.missing, made, first_row)


def _write_missing(
    part: NDArray[np.float32],
    column: ColumnEncoding,
    missing: NDArray[np.bool_],
    made: EncodedRows,
    first_row: int,
) -> None:
    if column.has_missing:
        part[:, -1] = missing
        return
    told = [
        (row, "the value is missing, and no training row lacked it")
        for row in np.flatnonzero(missing).tolist()
    ]
    _tell(made, told, column, first_row)


def _tell(
    made: EncodedRows, mistakes: Sequence[tuple[int, str]], column: ColumnEncoding, first_row: int
) -> None:
    made.mistakes += [
        f"row {row + first_row}, column {column.name}: {what}" for row, what in mistakes[:MAX_MISTAKES]
    ]
    if len(mistakes) > MAX_MISTAKES:
        made.mistakes.append(f"column {column.name}: {len(mistakes) - MAX_MISTAKES:,} more such rows")


def typed_values(cells: pd.Series) -> NDArray[np.float64]:
    """Return typed cells as numbers: times in seconds, true as 1."""
    if pd.api.types.is_datetime64_any_dtype(cells):
        cells = cells - pd.Timestamp(0, tz=cells.dt.tz)
    if pd.api.types.is_timedelta64_dtype(cells):
        cells = pd.to_timedelta(cells).dt.total_seconds()
    return pd.to_numeric(cells, errors="coerce").to_numpy(np.float64, na_value=np.nan)


def word_sets(texts: Sequence[str]) -> list[list[str]]:
    """Return the distinct words of each text, in alphabetical order."""
    return [sorted(set(WORD.findall(text.lower()))) for text in texts]


def word_hits(
    cells: TextCells, found: Sequence[Sequence[str]], names: Sequence[str]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return pairs of rows and their words (indices into `names`), given the words of each text."""
    place = {name: index for index, name in enumerate(names)}
    of_text = [np.array([place[word] for word in words if word in place], np.int64) for words in found]
    rows = np.flatnonzero(~cells.missing)
    hits = [of_text[code] for code in cells.codes[rows]]
    lengths = [len(each) for each in hits]
    return np.repeat(rows, lengths), np.concatenate([*hits, np.zeros(0, np.int64)])
