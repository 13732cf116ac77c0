"""Compares rows with the digests that were stored when they were written."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from math import nan
from typing import Any

import numpy as np
import pandas as pd

from studies.database.digests import digest, layout, sealed_row
from studies.database.frames.raw_rows import Damaged, Rows, Table, damaged_rows
from studies.database.schema import tables

CHANGED = "it is not what was written (its digest does not match)"
LOST = "its digest is missing"


@dataclass(frozen=True, kw_only=True)
class Digested:
    """How many rows of a study have a digest, how many have none, and those that do not match theirs (`faults`)."""

    num_with: int
    num_without: int
    faults: tuple[Damaged, ...]


def compare(rows: Rows) -> Digested:
    """Compare every row with its digest.

    A study from before digests has them only in rows written since; in any later study each row must have one.
    """
    study_id, faults = rows.study["id"], list(_of_study(rows.study))
    is_older = rows.study["digest"] is None
    num_with = 0
    for table, frame in rows.by_table.items():
        has_digest = frame["digest"].notna().to_numpy()
        num_with += int(has_digest.sum())
        stored = frame["digest"].fillna(-1).to_numpy(dtype=np.float64)
        changed = has_digest & (stored != digests_of(table, frame, study_id))
        faults += damaged_rows(table, frame, changed, CHANGED)
        faults += [] if is_older else damaged_rows(table, frame, ~has_digest, LOST)
    num_rows = sum(map(len, rows.by_table.values()))
    return Digested(num_with=num_with, num_without=num_rows - num_with, faults=tuple(faults))


def _of_study(row: Mapping[str, Any]) -> Iterator[Damaged]:
    """Yield the study's own row if it does not match its digest."""
    if row["digest"] is None:
        return
    times = {"created_at": pd.to_datetime(row["created_at"], utc=True, errors="coerce", format="ISO8601")}
    known = {
        **row,
        **{name: None if time is pd.NaT else time.to_pydatetime() for name, time in times.items()},
    }
    if sealed_row(tables.study, known)["digest"] != row["digest"]:
        yield Damaged(table="study", key=f"study {row['name']}", what=CHANGED)


def digests_of(table: Table, frame: pd.DataFrame, study_id: int) -> "np.ndarray[Any, np.dtype[np.int64]]":
    """Return the digests of a study's present rows, as read by `studies.database.frames.raw_rows`."""
    covered, num_rows = layout(table), len(frame)
    columns = [
        np.full(num_rows, float(study_id)) if column.name == "study_id" else _numbers(frame[column.name])
        for column in covered.numbers
    ]
    numbers = np.column_stack(columns) + 0.0
    numbers[np.isnan(numbers)] = nan
    content = np.ascontiguousarray(numbers, dtype="<f8").tobytes()
    size = 8 * len(columns)
    packed = (content[start : start + size] for start in range(0, size * num_rows, size))
    if not covered.texts:
        return np.fromiter(map(digest, packed), dtype=np.int64, count=num_rows)
    texts = zip(*(frame[column.name] for column in covered.texts), strict=True)
    return np.fromiter(map(digest, packed, texts), dtype=np.int64, count=num_rows)


def _numbers(column: "pd.Series[Any]") -> "np.ndarray[Any, np.dtype[np.float64]]":
    """Return numbers as floats, times as microseconds since 1970, and NaN for missing values."""
    if column.dtype.kind != "M":
        return np.asarray(column, dtype=np.float64)
    values: np.ndarray[Any, np.dtype[np.float64]] = (
        column.dt.as_unit("us").astype("int64").to_numpy(dtype=np.float64, copy=True)
    )
    values[column.isna().to_numpy()] = nan
    return values
