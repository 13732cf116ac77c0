"""Datasets, one file each, with a function `load()`; the file's name is the dataset's."""

import sys
from typing import Any, cast

from trainables.base import registry
from trainables.data.column_facts import Findings
from trainables.data.dataset import Dataset as Dataset
from trainables.data.dataset_files import Publication
from trainables.data.tables.table_options import TableOptions, is_user_file


def names() -> tuple[str, ...]:
    """Return the names of all published datasets; a user's own file is called `csv:PATH` or `parquet:PATH`."""
    return tuple(name for name in registry.module_names(sys.modules[__name__]) if name != "csv")


def load(name: str, *, table: TableOptions | None = None) -> Dataset:
    """Load a dataset by name; raise ValueError that lists the names if there is none of that name.

    For a user's own file, `table` names the column of the classes and says how the file is read.

    >>> load("digits").inputs.shape
    (1797, 64)
    """
    if is_user_file(name) and table is not None and table.target is not None:
        return cast(Dataset, _module("csv").load(name, table))
    return cast(Dataset, _module(name).load())


def look(name: str, *, table: TableOptions) -> Findings:
    """Return what is found in a user's own file, column by column; a target is not needed.

    Raises DatasetError if the file cannot be read.
    """
    return cast(Findings, _module("csv").look(name, table))


def _module(name: str) -> Any:
    return registry.find_module(sys.modules[__name__], name, "dataset")


def publication(name: str) -> Publication | None:
    """Return how a dataset's files are published, None if it has none; raise ValueError as `load` does."""
    return cast(Publication | None, getattr(_module(name), "PUBLICATION", None))
