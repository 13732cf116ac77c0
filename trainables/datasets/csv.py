"""A table of one's own, as `csv:PATH`: each row an example, one column its class, the others its features."""

import csv
import difflib
import gzip
import hashlib
import warnings
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from trainables.data.columns import Column, column_of
from trainables.data.dataset_files import DatasetError
from trainables.datasets import Dataset

MAX_BYTES = 2 * 1024**3
"""What a table may take as float32: a worker has to hold it beside its networks."""

MAX_TOLD = 10
"""Mistakes told at once; a wrong separator makes thousands."""


def load(path: Path, target: str) -> Dataset:
    """Return the table in the file at `path` (.csv or .csv.gz; separated by commas, semicolons or tabs).

    A column of numbers is one feature, brought to zero mean and unit variance by each block's training part, whose
    median also stands for missing values. A column of texts has one feature for each of its texts, 1 where a row has
    it; one that a block's training part does not have is 0 everywhere in that block. A column with missing values
    has one more feature that is 1 where they are missing. Raises DatasetError that names row (counted from 1, below
    the header) and column of what cannot be used.
    """
    path = path.expanduser()
    table = _read(path, target)
    labels = table.pop(target)
    mistakes: list[str] = []
    targets, classes = _classes(labels, mistakes)
    columns: list[Column] = []
    for name in table.columns:
        column = column_of(name, table[name], mistakes)
        columns += [column] if column is not None else []
    _refuse(path, mistakes)
    num_features = sum(column.num_features for column in columns)
    _refuse(path, list(_too_large(columns, len(targets))))
    inputs = np.zeros((len(targets), num_features), np.float32)
    groups = np.full(num_features, -1)
    start = 0
    for column in columns:
        column.write(inputs[:, start : start + column.num_features])
        if column.is_number:
            groups[start] = start
        start += column.num_features
    return Dataset(
        name=f"csv:{path}",
        about=_about(path, columns, num_empty=len(table.columns) - len(columns), num_rows=len(targets)),
        licence="your own",
        inputs=inputs,
        targets=targets,
        classes=classes,
        groups=groups,
        source=_hash(path),
    )


def _read(path: Path, target: str) -> pd.DataFrame:
    """Return the table, the target's column as text."""
    if not path.is_file():
        what = "a folder" if path.is_dir() else "no such file"
        raise DatasetError(f"{path.absolute()}: {what}", "Give its path: --set dataset=csv:PATH.")
    try:
        separator, names = _header(path)
        _check_names(path, names, target)
        table = _parsed(path, separator, names, target)
    except pd.errors.EmptyDataError as error:
        raise DatasetError(f"{path}: the file is empty", "Its first line names the columns.") from error
    except (pd.errors.ParserError, pd.errors.ParserWarning) as error:
        raise DatasetError(
            f"{path}: {str(error).strip()}", "Give every row as many cells as the header."
        ) from error
    except UnicodeDecodeError as error:
        raise DatasetError(f"{path}: byte {error.start} is not UTF-8", "Save it as UTF-8.") from error
    except (OSError, EOFError) as error:
        raise DatasetError(f"{path} cannot be read ({error})", "Look at the file.") from error
    if len(table) and table.iloc[:, -1].isna().any():
        _refuse(path, list(_uneven_rows(path, separator, len(names))))
    return table


def _parsed(path: Path, separator: str, names: list[str], target: str) -> pd.DataFrame:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", pd.errors.ParserWarning)
            return pd.read_csv(
                path,
                sep=separator,
                header=0,
                names=names,
                index_col=False,
                dtype={target: str},
                low_memory=False,
                compression=_compression(path),
            )
    except (pd.errors.ParserError, pd.errors.ParserWarning):
        _refuse(path, list(_uneven_rows(path, separator, len(names))))
        raise


def _header(path: Path) -> tuple[str, list[str]]:
    """Return the separator that makes most of the first line, and the names it separates."""
    headers = {
        separator: [str(name) for name in _first_row(path, separator)] for separator in (",", ";", "\t")
    }
    return max(headers.items(), key=lambda item: len(item[1]))


def _first_row(path: Path, separator: str) -> Sequence[str]:
    first = pd.read_csv(
        path,
        sep=separator,
        header=None,
        nrows=1,
        dtype=str,
        keep_default_na=False,
        compression=_compression(path),
    )
    return list(first.iloc[0])


def _compression(path: Path) -> Literal["gzip"] | None:
    return "gzip" if path.suffix == ".gz" else None


def _check_names(path: Path, names: Sequence[str], target: str) -> None:
    mistakes = [
        f"column {number} has no name; if it numbers the rows, leave it out (pandas: to_csv(index=False))"
        for number, name in enumerate(names, start=1)
        if not name.strip()
    ]
    twice = (
        {name for name in names if name.strip() and names.count(name) > 1}
        if len(set(names)) < len(names)
        else ()
    )
    mistakes += [f"several columns are called {name}" for name in sorted(twice)]
    if target not in names:
        close = difflib.get_close_matches(target, names, n=1)
        hint = f" (did you mean {close[0]}?)" if close else ""
        known = ", ".join(names[:20]) + (", ..." if len(names) > 20 else "")
        mistakes.append(f"no column is called {target}{hint}; columns: {known}")
    if len(names) == 1:
        mistakes.append("there is one column only, and features are needed beside the target")
    _refuse(path, mistakes)


def _uneven_rows(path: Path, separator: str, num_names: int) -> Iterator[str]:
    """Yield a mistake for each row with fewer cells than the header, which pandas fills up without a word, or more."""
    with gzip.open(path, "rt", newline="") if path.suffix == ".gz" else path.open(newline="") as file:
        rows = (cells for cells in csv.reader(file, delimiter=separator) if cells)
        for number, cells in enumerate(rows):
            if len(cells) != num_names:
                yield f"row {number} has {len(cells)} cells, the header {num_names}"


def _classes(labels: pd.Series, mistakes: list[str]) -> tuple[NDArray[np.int64], tuple[str, ...]]:
    """Return each row's class, and the classes: in numerical order if all of them are numbers, else alphabetical."""
    name = labels.name
    mistakes += [
        f"row {row + 1}, column {name}: the target is missing" for row in np.flatnonzero(labels.isna())
    ]
    codes, found = pd.factorize(labels)
    classes = [str(each) for each in found]
    if len(classes) < 2:
        mistakes.append(
            f"column {name} has {len(classes)} {'class' if len(classes) == 1 else 'classes'}, and at least 2 are needed"
        )
    numbers = pd.to_numeric(pd.Series(classes, dtype=str), errors="coerce")
    order = np.argsort(np.array(classes) if numbers.isna().any() else numbers.to_numpy(), kind="stable")
    place = np.empty_like(order)
    place[order] = np.arange(len(order))
    targets = place[codes] if len(classes) else codes
    return targets.astype(np.int64), tuple(classes[index] for index in order)


def _too_large(columns: Sequence[Column], num_rows: int) -> Iterator[str]:
    num_bytes = 4 * num_rows * sum(column.num_features for column in columns)
    if num_bytes > MAX_BYTES:
        widest = sorted(columns, key=lambda column: -column.num_features)[:3]
        told = ", ".join(f"{column.name} ({column.num_features})" for column in widest)
        yield (
            f"{num_rows:,} rows with {num_bytes // (4 * num_rows):,} features take {num_bytes / 1e9:.1f} GB, "
            f"and {MAX_BYTES / 1e9:.1f} are allowed; the columns with most features: {told}"
        )


def _about(path: Path, columns: Sequence[Column], *, num_empty: int, num_rows: int) -> str:
    numbers = sum(column.is_number for column in columns)
    missing = sum(column.has_missing for column in columns)
    empty = f", {num_empty} empty columns left out" if num_empty else ""
    return (
        f"{path.name}: {num_rows:,} rows, {numbers} columns of numbers and {len(columns) - numbers} of texts, "
        f"missing values in {missing}{empty}"
    )


def _refuse(path: Path, mistakes: Sequence[str]) -> None:
    if not mistakes:
        return
    told = list(mistakes[:MAX_TOLD])
    if len(mistakes) > MAX_TOLD:
        told.append(f"and {len(mistakes) - MAX_TOLD:,} more")
    lines = told[0] if len(told) == 1 else "".join(f"\n- {mistake}" for mistake in told)
    raise DatasetError(
        f"{path}: {lines}", "Correct the file, or name another target with --set target=COLUMN."
    )


def _hash(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
