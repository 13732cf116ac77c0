"""Options for reading a user's own table: target, kinds of columns, header, and labels to join."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

FORMATS = ("csv:", "parquet:")
"""Prefixes of the names of user's own files."""

KINDS = MappingProxyType(
    {
        "number": "one number each; cells that are none count as missing",
        "number:decimal_comma": "numbers, of which 1,234 is one and a bit and 1.234 more than a thousand",
        "number:decimal_point": "numbers, of which 1.234 is one and a bit and 1,234 more than a thousand",
        "category": "one feature for each different text, however it is spelled",
        "text": "one feature for each of its words",
        "ignore": "left out",
    }
)
"""The kinds that a user may state for a column."""


@dataclass(frozen=True, kw_only=True)
class TableOptions:
    """The target column, and what the user states about the table.

    Without a `target` a table can only be looked at. `columns` maps columns to kinds, keys of KINDS; the kinds of other
    columns follow from their cells. Without a `header` the columns are called column_1, column_2 and so on. With
    `join_labels`, labels that differ by spaces, case or the form of a number are one class.
    """

    target: str | None = None
    columns: Mapping[str, str] = field(default_factory=dict)
    header: bool = True
    join_labels: bool = False


def is_user_file(name: str) -> bool:
    """Return whether a dataset's name is that of a user's own file, `csv:PATH` or `parquet:PATH`.

    >>> is_user_file("csv:flowers.csv"), is_user_file("digits"), is_user_file("csv:")
    (True, False, False)
    """
    return name.startswith(FORMATS) and name not in FORMATS
