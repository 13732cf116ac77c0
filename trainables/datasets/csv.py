"""A user's own table, `csv:PATH` or `parquet:PATH`: each row is an example, one column its class."""

import difflib
import hashlib
import os
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from trainables.data.column_facts import Findings
from trainables.data.dataset import Dataset
from trainables.data.dataset_files import DatasetError
from trainables.data.tables.column_kinds import column_of
from trainables.data.tables.columns import Column
from trainables.data.tables.csv_files import NAMELESS, UnevenRowsError, read_csv
from trainables.data.tables.labels import labels_of
from trainables.data.tables.parquet_files import read_parquet
from trainables.data.tables.table_options import TableOptions

MAX_BYTES = 2 * 1024**3
"""Largest size of a table as float32: a worker holds it beside its networks."""

MAX_TOLD = 10
"""Most mistakes reported at a time; a wrong separator makes thousands."""

MAX_COMPARED = 10_000
"""Names among which one that is nearly alike is looked for; among a million that takes a minute."""

_READERS = {"csv": read_csv, "parquet": read_parquet}


def load(name: str, options: TableOptions) -> Dataset:
    """Return the table of the file that `name` names: `csv:PATH` (.csv or .csv.gz; separated by commas, semicolons or
    tabs) or `parquet:PATH`. `options` names the target.

    A column of numbers is one feature, scaled to zero mean and unit variance by each block's training part, whose
    median replaces missing values. A column of texts has one feature for each distinct text, 1 in rows with that text;
    a text missing from a block's training part is 0 everywhere in that block. A column with missing values has one more
    feature, 1 where they are missing. Decisions are listed in the dataset's `notes`. Raises DatasetError that names row
    (from 1, below the header) and column of what cannot be used.
    """
    assert options.target is not None
    findings = Findings()
    path, labels, columns = _columns(name, options, findings)
    assert labels is not None
    targets, classes = _classes(labels, findings.mistakes)
    if not columns and not findings.mistakes:
        findings.mistakes.append("no column is left to learn from beside the target")
    _refuse(path, findings)
    findings.mistakes += _too_large(columns, len(targets))
    _refuse(path, findings)
    inputs, groups = _features(columns, len(targets))
    return Dataset(
        name=f"{name.partition(':')[0]}:{path}",
        about=_about(path, columns, findings, num_rows=len(targets)),
        licence="your own",
        inputs=inputs,
        targets=targets,
        classes=classes,
        groups=groups,
        source=_hash(path),
        notes=findings.notes,
        columns=tuple(findings.facts),
        encodings=tuple(column.encoding for column in columns),
    )


def look(name: str, options: TableOptions) -> Findings:
    """Return what is found in a table's columns, including mistakes; a target is not needed."""
    findings = Findings()
    _columns(name, options, findings)
    return findings


def _columns(
    name: str, options: TableOptions, findings: Findings
) -> tuple[Path, pd.Series | None, list[Column]]:
    """Return the file's path, its labels if a target is named, and the columns that are not left out."""
    kind, _, place = name.partition(":")
    path = Path(os.fsdecode(place.encode("utf-8", "surrogateescape"))).expanduser()
    table = _read(path, kind, options, findings)
    labels = None
    if options.target is not None:
        labels = labels_of(
            table.pop(options.target),
            kind=options.columns.get(options.target),
            join=options.join_labels,
            findings=findings,
        )
    columns = [column_of(each, table[each], options.columns.get(each), findings) for each in table.columns]
    return path, labels, [column for column in columns if column is not None]


def _features(columns: Sequence[Column], num_rows: int) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """Return the inputs and their groups for scaling: each column of numbers is its own group."""
    num_features = sum(column.num_features for column in columns)
    inputs = np.zeros((num_rows, num_features), np.float32)
    groups = np.full(num_features, -1)
    start = 0
    for column in columns:
        column.write(inputs[:, start : start + column.num_features])
        if column.is_number:
            groups[start] = start
        start += column.num_features
    return inputs, groups


def _read(path: Path, kind: str, options: TableOptions, findings: Findings) -> pd.DataFrame:
    """Return the table without empty columns that have no name."""
    if not path.is_file():
        what = "a folder" if path.is_dir() else "no such file"
        raise DatasetError(f"{path.absolute()}: {what}", f"Give its path: --set dataset={kind}:PATH.")

    def check(names: Sequence[str]) -> None:
        if options.header and kind == "csv":
            findings.lines += _header_of_data(names)
        findings.mistakes += _wrong_names(names, options)
        _refuse(path, findings)

    try:
        table = _READERS[kind](path, options, check)
    except UnevenRowsError as error:
        findings.mistakes += error.mistakes
        _refuse(path, findings)
        raise
    except DatasetError as error:
        raise DatasetError(f"{path}: {error.message.removeprefix(f'{path}: ')}", error.advice) from error
    except (OSError, EOFError) as error:
        raise DatasetError(f"{path} cannot be read ({error})", "Look at the file.") from error
    return _without_empty_ends(path, table, findings)


def _without_empty_ends(path: Path, table: pd.DataFrame, findings: Findings) -> pd.DataFrame:
    nameless = [name for name in table.columns if name.startswith(NAMELESS)]
    empty = [name for name in nameless if table[name].isna().all()]
    findings.mistakes += [
        f"column {name.removeprefix(NAMELESS)} has no name; if it numbers the rows, leave it out (pandas: "
        "to_csv(index=False))"
        for name in nameless
        if name not in empty
    ]
    _refuse(path, findings)
    if empty:
        findings.lines.append(f"{len(empty):,} empty columns without a name are left out")
    return table.drop(columns=empty)


def _header_of_data(names: Sequence[str]) -> Iterator[str]:
    """Yield a line if most of the names are numbers."""
    named = [name for name in names if not name.startswith(NAMELESS)]
    numbers = pd.to_numeric(pd.Series(named, dtype="str"), errors="coerce").notna()
    if numbers.mean() > 0.5:
        shown = ", ".join(names[:5]) + (", ..." if len(names) > 5 else "")
        yield (
            f"the first row looks like data ({shown}): if it does not name the columns, --set header=false calls them "
            f"column_1 to column_{len(names)}"
        )


def _wrong_names(names: Sequence[str], options: TableOptions) -> Iterator[str]:
    yield from (
        f"several columns are called {name}"
        for name in sorted({name for name in names if names.count(name) > 1})
    )
    known = [name for name in names if not name.startswith(NAMELESS)]
    listed = ", ".join(known[:20]) + (", ..." if len(known) > 20 else "")
    if options.target is not None and options.target not in names:
        yield f"no column is called {options.target}{_close(options.target, known)}; columns: {listed}"
    for name in options.columns:
        if name not in names:
            yield f"columns.{name}: no column is called {name}{_close(name, known)}; columns: {listed}"
    if len(names) == 1:
        yield "there is one column only, and features are needed beside the target"


def _close(name: str, names: Sequence[str]) -> str:
    close = difflib.get_close_matches(name, names, n=1) if len(names) <= MAX_COMPARED else ()
    return f" (did you mean {close[0]}?)" if close else ""


def _classes(labels: pd.Series, mistakes: list[str]) -> tuple[NDArray[np.int64], tuple[str, ...]]:
    """Return each row's class, and the classes, sorted by number if all of them are numbers, else alphabetically."""
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


def _about(path: Path, columns: Sequence[Column], findings: Findings, *, num_rows: int) -> str:
    numbers = sum(column.is_number for column in columns)
    missing = sum(column.has_missing for column in columns)
    empty = sum(facts.kind == "empty" for facts in findings.facts)
    left_out = sum(facts.becomes.startswith("left out") for facts in findings.facts) - empty
    return (
        f"{path.name}: {num_rows:,} rows, {numbers} columns of numbers and {len(columns) - numbers} of texts, "
        f"missing values in {missing}"
        f"{f', {empty} empty columns left out' if empty else ''}"
        f"{f', {left_out} other columns left out' if left_out else ''}"
    )


def _refuse(path: Path, findings: Findings) -> None:
    """Raise DatasetError if there are mistakes; it also lists notes, which may explain them."""
    mistakes = findings.mistakes
    if not mistakes:
        return
    told = list(mistakes[:MAX_TOLD])
    if len(mistakes) > MAX_TOLD:
        told.append(f"and {len(mistakes) - MAX_TOLD:,} more")
    told += [f"({note})" for note in findings.notes[:MAX_TOLD]]
    lines = told[0] if len(told) == 1 else "".join(f"\n- {mistake}" for mistake in told)
    raise DatasetError(
        f"{path}: {lines}",
        "Correct the file, name another target with --set target=COLUMN, or say what a column is: "
        "--set columns.NAME=number, category, text or ignore.",
    )


def _hash(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
