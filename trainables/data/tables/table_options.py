"""How a table of one's own is to be read: what columns are, whether the first row names them, which labels agree."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

FORMATS = ("csv:", "parquet:")
"""What the name of a file of one's own begins with."""

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
"""What a user may say that a column is."""


@dataclass(frozen=True, kw_only=True)
class TableOptions:
    """The column of the classes, and what is said of a table beyond what its file says.

    Without a `target` a table can be looked at only. `columns` maps a column to its kind, one of KINDS; the others'
    kinds follow from their cells. Without a `header` the columns are called column_1, column_2 and so on. With
    `join_labels` labels that differ by spaces, case or the form of a number are one class.
    """

    target: str | None = None
    columns: Mapping[str, str] = field(default_factory=dict)
    header: bool = True
    join_labels: bool = False


def is_own_file(name: str) -> bool:
    """Say whether a dataset's name has the form of a file of one's own, `csv:PATH` or `parquet:PATH`.

    >>> is_own_file("csv:flowers.csv"), is_own_file("digits"), is_own_file("csv:")
    (True, False, False)
    """
    return name.startswith(FORMATS) and name not in FORMATS
