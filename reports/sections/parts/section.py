"""What a section is: a heading, a template and what it is filled with; and what every section is made from."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from reports.inputs.inputs import ReportInputs
from reports.plots.style.figure import Figure
from reports.plots.style.theme import Theme
from reports.results.results import Results


@dataclass(frozen=True, kw_only=True)
class Material:
    """What a section may use: the inputs, the statistics, the JSON report (every number of the text), the inks."""

    inputs: ReportInputs
    results: Results
    report: Mapping[str, Any]
    theme: Theme


@dataclass(frozen=True, kw_only=True)
class Column:
    """The head of a column: name, unit (never repeated in the cells), whether it holds numbers."""

    name: str
    unit: str = ""
    is_number: bool = True


@dataclass(frozen=True, kw_only=True)
class Cell:
    """One cell: its text, and the value it is sorted by (the text itself if None)."""

    text: str
    value: float | None = None


@dataclass(frozen=True, kw_only=True)
class Table:
    """A table; `folded` ones are closed at first, long ones can be sorted and filtered where scripts run."""

    caption: str
    columns: Sequence[Column]
    rows: Sequence[Sequence[Cell]]
    folded: bool = False

    @property
    def is_long(self) -> bool:
        """Whether a filter is worth its place."""
        return len(self.rows) > 12


@dataclass(frozen=True, kw_only=True)
class Section:
    """A section of the page: `slug` is its anchor and names its template `section_<slug>.html.j2`."""

    slug: str
    title: str
    context: Mapping[str, Any] = field(default_factory=dict)
    figures: Sequence[Figure] = ()
