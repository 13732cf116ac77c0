"""The columns of a user's own table, a line each: kind, missing values, examples, and what becomes of it."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from trainables.data.column_facts import ColumnFacts

MAX_NAME = 24
MAX_EXAMPLES = 30


def column_rows(columns: "Sequence[ColumnFacts]") -> list[dict[str, Any]]:
    """Return columns as plain data."""
    return [asdict(column) | {"examples": list(column.examples)} for column in columns]


def column_lines(rows: Sequence[Mapping[str, Any]], *, most: int | None = None) -> list[str]:
    """Return a head and a line for each column, and how many more there are than `most`; nothing for no columns.

    >>> row = {"name": "size", "kind": "number", "num_missing": 2, "examples": ["1.5"], "becomes": "1 scaled feature"}
    >>> column_lines([row])
    ['column  kind    missing  examples  becomes', 'size    number        2  1.5       1 scaled feature']
    """
    if not rows:
        return []
    head = ("column", "kind", "missing", "examples", "becomes")
    shown = [head, *(_cells(row) for row in rows[:most])]
    widths = [max(len(cells[place]) for cells in shown) for place in range(len(head) - 1)]
    lines = [
        "  ".join(
            [
                *(
                    f"{cell:>{width}}" if place == 2 else f"{cell:<{width}}"
                    for place, (cell, width) in enumerate(zip(cells[:-1], widths, strict=True))
                ),
                cells[-1],
            ]
        )
        for cells in shown
    ]
    left = len(rows) - len(shown) + 1
    return [
        *lines,
        *([f"and {left:,} more columns: python -m studies.data csv:PATH shows all"] if left else []),
    ]


def _cells(row: Mapping[str, Any]) -> tuple[str, str, str, str, str]:
    examples = ", ".join(" ".join(example.split()) for example in row["examples"])
    return (
        _cut(row["name"], MAX_NAME),
        row["kind"],
        f"{row['num_missing']:,}",
        _cut(examples, MAX_EXAMPLES),
        row["becomes"],
    )


def _cut(text: str, length: int) -> str:
    return text if len(text) <= length else f"{text[: length - 3]}..."
