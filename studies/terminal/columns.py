"""The columns of a user's own table, one line each: kind, missing values, examples, and the features made of it."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from trainables.data.column_facts import ColumnFacts

HEAD = ("column", "kind", "missing", "examples", "becomes")
MAX_NAME = 16
MIN_EXAMPLES, MAX_EXAMPLES = 8, 30
_GAPS = 2 * (len(HEAD) - 1)


def column_rows(columns: "Sequence[ColumnFacts]") -> list[dict[str, Any]]:
    """Return columns as plain data."""
    return [asdict(column) | {"examples": list(column.examples)} for column in columns]


def column_lines(
    rows: Sequence[Mapping[str, Any]], *, most: int | None = None, width: int = 120
) -> list[str]:
    """Return a heading and a line for each of the first `most` columns, then the number of others; empty for none.

    Names and examples are cut so that lines fit into `width` characters.

    >>> row = {"name": "size", "kind": "number", "num_missing": 2, "examples": ["1.5"], "becomes": "1 scaled feature"}
    >>> column_lines([row])
    ['column  kind    missing  examples  becomes', 'size    number        2  1.5       1 scaled feature']
    """
    if not rows:
        return []
    shown = [HEAD, *map(_cells, rows[:most])]
    widths = [max(len(cells[place]) for cells in shown) for place in range(len(HEAD))]
    widths[3] = min(
        widths[3], max(MIN_EXAMPLES, width - _GAPS - widths[0] - widths[1] - widths[2] - widths[4])
    )
    left = len(rows) - len(shown) + 1
    more = [f"and {left:,} more columns, which studies data shows"] if left else []
    return [*(_line(cells, widths) for cells in shown), *more]


def _line(cells: tuple[str, ...], widths: Sequence[int]) -> str:
    name, kind, missing, examples, becomes = cells
    examples = f"{_cut(examples, widths[3]):<{widths[3]}}"
    return f"{name:<{widths[0]}}  {kind:<{widths[1]}}  {missing:>{widths[2]}}  {examples}  {becomes}"


def _cells(row: Mapping[str, Any]) -> tuple[str, ...]:
    examples = ", ".join(" ".join(example.split()) for example in row["examples"])
    name, missing = _cut(row["name"], MAX_NAME), f"{row['num_missing']:,}"
    return name, row["kind"], missing, _cut(examples, MAX_EXAMPLES), row["becomes"]


def _cut(text: str, length: int) -> str:
    return text if len(text) <= length else f"{text[: length - 3]}..."
