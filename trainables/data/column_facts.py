"""What is told of a table: each column's kind and what becomes of it, and a line for everything that was decided."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

MAX_NAMED = 5
"""Columns named in a line that holds for many."""


@dataclass(frozen=True, kw_only=True)
class ColumnFacts:
    """One column of a table as its reader took it: `becomes` says what a network sees of it."""

    name: str
    kind: str
    num_missing: int
    examples: tuple[str, ...]
    becomes: str


@dataclass(kw_only=True)
class Findings:
    """What was found while a table was read: mistakes, with which it cannot be used, and what is told of it."""

    mistakes: list[str] = field(default_factory=list)
    facts: list[ColumnFacts] = field(default_factory=list)
    lines: list[str] = field(default_factory=list)
    by_column: dict[str, list[str]] = field(default_factory=dict)

    def tell(self, what: str, column: str) -> None:
        """Tell something of a column; of many columns it is told once."""
        self.by_column.setdefault(what, []).append(column)

    @property
    def notes(self) -> tuple[str, ...]:
        """One line for each thing that is told."""
        return (*self.lines, *(f"{_named(names)}: {what}" for what, names in self.by_column.items()))


def _named(columns: Sequence[str]) -> str:
    """Return the names of columns, the first few of many.

    >>> _named(["size"]), _named(["size", "age"])
    ('column size', 'columns size, age')
    """
    rest = f" and {len(columns) - MAX_NAMED:,} more" if len(columns) > MAX_NAMED else ""
    return f"column{'s' if len(columns) > 1 else ''} {', '.join(columns[:MAX_NAMED])}{rest}"


def quoted(texts: Iterable[str], most: int = 3) -> str:
    """Return texts as they are told, each cut to 40 characters and in quotes, the first few of many.

    >>> quoted(["yes", "yes "])
    "'yes', 'yes '"
    """
    texts = list(texts)
    told = ", ".join(repr(shortened(text)) for text in texts[:most])
    return f"{told}, ..." if len(texts) > most else told


def shortened(text: str) -> str:
    """Return a text cut to 40 characters."""
    return text if len(text) <= 40 else f"{text[:37]}..."
