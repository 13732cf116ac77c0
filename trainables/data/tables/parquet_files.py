"""Reads Parquet files as frames with the column types of the file."""

import datetime
from collections.abc import Callable, Sequence
from decimal import Decimal
from pathlib import Path

import pandas as pd

from trainables.data.dataset_files import DatasetError
from trainables.data.tables.table_options import TableOptions


def read_parquet(path: Path, options: TableOptions, check: Callable[[Sequence[str]], None]) -> pd.DataFrame:
    """Return the table; `check` is called with its column names. Columns keep their types; the row index is dropped.

    Raises DatasetError for other files, and for columns of lists, bytes and the like that are not ignored.
    """
    try:
        table = pd.read_parquet(path).reset_index(drop=True)
    except (ValueError, OSError) as error:
        said = str(error).splitlines()[0]
        raise DatasetError(f"it is no Parquet file ({said})", "Give a table of text as csv:PATH.") from error
    table.columns = pd.Index([str(name) for name in table.columns])
    check(list(table.columns))
    for name in table.columns:
        if table[name].dtype == object and options.columns.get(name) != "ignore":
            table[name] = _typed(name, table[name])
    return table


def _typed(name: str, cells: pd.Series) -> pd.Series:
    found = {type(value) for value in cells.dropna()}
    if found <= {bool} or not found:
        return cells
    if found == {Decimal}:
        return cells.astype("float64")
    if found == {datetime.date}:
        return cells.astype("datetime64[s]")
    if found == {str}:
        return cells.astype("str")
    kinds = ", ".join(sorted(kind.__name__ for kind in found))
    raise DatasetError(
        f"column {name} holds values of kind {kinds}, and numbers, texts and times can be used",
        f"Leave it out: --set columns.{name}=ignore.",
    )
