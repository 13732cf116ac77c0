"""What is reported about a table: the kind and use of each column, and a line for each decision made on reading it."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

MAX_NAMED = 5
"""Most columns named in a line that holds for several."""


@dataclass(frozen=True, kw_only=True)
class ColumnFacts:
    """One column of a table as it was read: `becomes` says which features a network gets from it."""

    name: str
    kind: str
    num_missing: int
    examples: tuple[str, ...]
    becomes: str


@dataclass(kw_only=True)
class Findings:
    """Results of reading a table: mistakes, which make it unusable, facts about its columns, and notes."""

    mistakes: list[str] = field(default_factory=list)
    facts: list[ColumnFacts] = field(default_factory=list)
    lines: list[str] = field(default_factory=list)
    by_column: dict[str, list[str]] = field(default_factory=dict)

    def tell(self, what: str, column: str) -> None:
        """Add a note about a column; equal notes about several columns become one line."""
        self.by_column.setdefault(what, []).append(column)

    @property
    def notes(self) -> tuple[str, ...]:
        """One line for each note."""
        return (*self.lines, *(f"{_named(names)}: {what}" for what, names in self.by_column.items()))


def _named(columns: Sequence[str]) -> str:
    """Return the names of columns, cut to the first few.

    >>> _named(["size"]), _named(["size", "age"])
    ('column size', 'columns size, age')
    """
    rest = f" and {len(columns) - MAX_NAMED:,} more" if len(columns) > MAX_NAMED else ""
    return f"column{'s' if len(columns) > 1 else ''} {', '.join(columns[:MAX_NAMED])}{rest}"


def quoted(texts: Iterable[str], most: int = 3) -> str:
    """Return texts in quotes, each cut to 40 characters, and only the first few of many.

    >>> quoted(["yes", "yes "])
    "'yes', 'yes '"
    """
    texts = list(texts)
    told = ", ".join(repr(shortened(text)) for text in texts[:most])
    return f"{told}, ..." if len(texts) > most else told


def shortened(text: str) -> str:
    """Return a text cut to 40 characters."""
    return text if len(text) <= 40 else f"{text[:37]}..."
