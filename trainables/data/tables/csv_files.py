"""Reads CSV files as frames; rows with too many or too few cells are refused by number."""

import csv
import gzip
import itertools
import sys
import warnings
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Literal, TextIO

import pandas as pd

from trainables.base.errors import TrainableError
from trainables.data.dataset_files import DatasetError
from trainables.data.tables.table_options import TableOptions

SEPARATORS = (",", ";", "\t")
ROWS_LOOKED_AT = 20
"""Number of rows from which the separator of a file without a header is found."""

NAMELESS = "\0column "
"""Prefix of the name of a column without one in the file; its number follows."""


def read_csv(path: Path, options: TableOptions, check: Callable[[Sequence[str]], None]) -> pd.DataFrame:
    """Return the table; `check` is called with its column names before the rows are parsed.

    Only empty cells are missing. A column with any cell that is not a number has type text; so have the target and
    columns of kinds category and text. Names are stripped of spaces; a column without a name is called NAMELESS and its
    number. Raises DatasetError for a file that cannot be read.
    """
    with _explained(path):
        separator, names = _header(path) if options.header else _without_header(path)
        check(names)
        return _parsed(path, separator, names, options)


@contextmanager
def _explained(path: Path) -> Iterator[None]:
    """Turn what pandas raises for a file that it cannot read into a DatasetError."""
    try:
        yield
    except pd.errors.EmptyDataError as error:
        raise DatasetError("the file is empty", "Its first line names the columns.") from error
    except (pd.errors.ParserError, pd.errors.ParserWarning, csv.Error) as error:
        raise DatasetError(str(error).strip(), "Give every row as many cells as the header.") from error
    except UnicodeDecodeError as error:
        advice = "Give it as parquet:PATH." if path.suffix == ".parquet" else "Save it as UTF-8."
        raise DatasetError(f"byte {error.start} is not UTF-8", advice) from error


def _header(path: Path) -> tuple[str, list[str]]:
    """Return the separator that gives the first line the most names, and these names."""
    headers = {separator: _first_row(path, separator) for separator in SEPARATORS}
    separator, names = max(headers.items(), key=lambda item: len(item[1]))
    return separator, _named(name.strip() for name in names)


def _without_header(path: Path) -> tuple[str, list[str]]:
    """Return the separator, and the names column_1, column_2, ..."""
    widths = {}
    for separator in (";", "\t", ","):  # a comma may be a decimal comma
        rows = itertools.islice(_rows(path, separator), ROWS_LOOKED_AT)
        lengths = [len(cells) for cells in rows]
        widths[separator] = (len(set(lengths)) == 1, max(lengths, default=0))
    if not max(width for _, width in widths.values()):
        raise pd.errors.EmptyDataError
    separator = max(widths, key=lambda each: (widths[each][1] > 1, *widths[each]))
    return separator, [f"column_{number}" for number in range(1, widths[separator][1] + 1)]


def _named(names: Iterator[str]) -> list[str]:
    return [name or f"{NAMELESS}{number}" for number, name in enumerate(names, start=1)]


def _first_row(path: Path, separator: str) -> list[str]:
    """Return the cells of the first line that has any; pandas takes minutes for a million of them."""
    first = next(_rows(path, separator), None)
    if first is None:
        raise pd.errors.EmptyDataError
    return first


def _parsed(path: Path, separator: str, names: list[str], options: TableOptions) -> pd.DataFrame:
    try:
        table = _frame(path, separator, names, options)
    except (pd.errors.ParserError, pd.errors.ParserWarning):
        wider = _widened(path, separator, names, options)
        if wider is None:
            raise
        table = _frame(path, separator, wider, options)
    if len(table) and table.iloc[:, -1].isna().any():
        _refuse_uneven_rows(path, separator, len(names), options)
    return table


def _frame(path: Path, separator: str, names: list[str], options: TableOptions) -> pd.DataFrame:
    kept = [name for name, kind in options.columns.items() if kind in ("category", "text")]
    as_texts: Mapping[str, type] = dict.fromkeys([*kept, *([options.target] if options.target else [])], str)
    with warnings.catch_warnings():
        warnings.simplefilter("error", pd.errors.ParserWarning)
        return pd.read_csv(
            path,
            sep=separator,
            header=0 if options.header else None,
            names=names,
            index_col=False,
            dtype=as_texts,
            keep_default_na=False,
            na_values=[""],
            low_memory=False,
            compression=_compression(path),
        )


def _compression(path: Path) -> Literal["gzip"] | None:
    return "gzip" if path.suffix == ".gz" else None


def _widened(path: Path, separator: str, names: list[str], options: TableOptions) -> list[str] | None:
    """Return names for as many columns as the longest row has, None if no row has too many cells.

    Raises DatasetError if a surplus cell is not empty.
    """
    _refuse_uneven_rows(path, separator, len(names), options)
    width = max((len(cells) for cells in _rows(path, separator)), default=0)
    if width <= len(names):
        return None
    return [*names, *(f"{NAMELESS}{number}" for number in range(len(names) + 1, width + 1))]


def _refuse_uneven_rows(path: Path, separator: str, num_names: int, options: TableOptions) -> None:
    """Raise UnevenRowsError for rows with fewer cells than names, which pandas would fill up silently, or more."""
    mistakes = [
        f"row {number} has {len(cells)} cells, the header {num_names}"
        for number, cells in enumerate(_rows(path, separator), start=0 if options.header else 1)
        if len(cells) < num_names or any(cell.strip() for cell in cells[num_names:])
    ]
    if mistakes:
        raise UnevenRowsError(mistakes)


class UnevenRowsError(TrainableError, ValueError):
    """Rows have fewer or more cells than the header; `mistakes` has one line for each."""

    def __init__(self, mistakes: Sequence[str]) -> None:
        super().__init__(*mistakes)
        self.mistakes = mistakes


def _rows(path: Path, separator: str) -> Iterator[list[str]]:
    with _opened(path) as file, _cells_of_any_length():
        for cells in csv.reader(file, delimiter=separator):
            if cells:
                yield cells


def _opened(path: Path) -> TextIO:
    if path.suffix == ".gz":
        return gzip.open(path, "rt", newline="", encoding="utf-8-sig")
    return path.open(newline="", encoding="utf-8-sig")


@contextmanager
def _cells_of_any_length() -> Iterator[None]:
    before = csv.field_size_limit(sys.maxsize)
    try:
        yield
    finally:
        csv.field_size_limit(before)


def header_of(path: Path) -> tuple[str, list[str]]:
    """Return the separator and the names in the first line; raise DatasetError for a file that cannot be read."""
    with _explained(path):
        return _header(path)


def read_chunks(
    path: Path,
    separator: str,
    names: Sequence[str],
    *,
    as_texts: Collection[str],
    num_rows: int,
    everything: bool,
) -> Iterator[pd.DataFrame]:
    """Yield the table in parts of `num_rows`; columns in `as_texts`, or `everything`, are read as texts.

    Only empty cells are missing. Raises UnevenRowsError for rows with more or fewer cells than the header, and
    DatasetError for a file that cannot be read.
    """
    options = TableOptions()
    was_checked = False
    with _explained(path):
        try:
            with pd.read_csv(
                path,
                sep=separator,
                header=0,
                names=list(names),
                index_col=False,
                dtype=str if everything else {name: str for name in as_texts if name in names},
                keep_default_na=False,
                na_values=[""],
                low_memory=False,
                compression=_compression(path),
                chunksize=num_rows,
            ) as tables:
                while (table := _next(tables)) is not None:
                    if not was_checked and len(table) and table.iloc[:, -1].isna().any():
                        _refuse_uneven_rows(path, separator, len(names), options)
                        was_checked = True
                    yield table.reset_index(drop=True)
        except (pd.errors.ParserError, pd.errors.ParserWarning):
            _refuse_uneven_rows(path, separator, len(names), options)
            raise


def _next(tables: Iterator[pd.DataFrame]) -> pd.DataFrame | None:
    """Return the next part, None after the last; pandas' warning that cells are lost is raised."""
    with warnings.catch_warnings():
        warnings.simplefilter("error", pd.errors.ParserWarning)
        return next(tables, None)
