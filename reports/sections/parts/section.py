"""What a section is: a heading, a template and what it is filled with; and what every section is made from."""

import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pandas as pd

from reports.inputs.cube import plain
from reports.inputs.inputs import ReportInputs
from reports.plots.style.figure import Figure
from reports.plots.style.marks import Of
from reports.plots.style.theme import Theme
from reports.results.results import Results
from reports.wording.words import level_phrase


@dataclass(frozen=True, kw_only=True)
class ReportContext:
    """What a section may use: the inputs, the statistics, the JSON report (every number of the text), the inks.

    The inputs are those of the first look (`reports.results.looks.first_look`), which is what sections describe; the
    statistics and the JSON report hold what later looks add to comparisons at best, and what they cost.
    """

    inputs: ReportInputs
    results: Results
    report: Mapping[str, Any]
    theme: Theme

    @property
    def is_brief(self) -> bool:
        """Whether too few blocks are there to claim anything: the page then folds all but the first evidence."""
        look = self.results.look
        return look.num_blocks < look.rules.min_blocks


@dataclass(frozen=True, kw_only=True)
class Column:
    """The head of a column: name, unit (never repeated in the cells), whether it holds numbers."""

    name: str
    unit: str = ""
    is_number: bool = True


@dataclass(frozen=True, kw_only=True)
class Cell:
    """One cell: its text, the value it is sorted by (the text itself if None), the page that it leads to."""

    text: str
    value: float | None = None
    link: str = ""


@dataclass(frozen=True, kw_only=True)
class Table:
    """A table; `folded` ones are closed at first, long ones can be sorted and filtered where scripts run.

    `of` is whose each row is, if it is anybody's.
    """

    caption: str
    columns: Sequence[Column]
    rows: Sequence[Sequence[Cell]]
    folded: bool = False
    of: Sequence[Of] = ()

    @property
    def is_long(self) -> bool:
        """Whether a filter is worth its place."""
        return len(self.rows) > 12


@dataclass(frozen=True, kw_only=True)
class Section:
    """A section of the page: `slug` is its anchor and names its template `section_<slug>.html.j2`.

    A `folded` one is closed at first; its `hint` says beside its title what is in it.
    """

    slug: str
    title: str
    folded: bool = False
    hint: str = ""
    context: Mapping[str, Any] = field(default_factory=dict)
    figures: Sequence[Figure] = ()


def several(factors: Mapping[str, Sequence[Any]]) -> dict[str, Sequence[Any]]:
    """The factors of two levels or more, which alone compare anything; all of them where none has two."""
    compared = {name: levels for name, levels in factors.items() if len(levels) > 1}
    return compared or dict(factors)


def of_several(rows: pd.DataFrame, factors: Mapping[str, Sequence[Any]]) -> pd.DataFrame:
    """The rows, each about a level of the factor in column `factor`, that are about one of these factors."""
    return rows[rows["factor"].isin([*factors])] if len(rows) else rows


def settings_of(factors: Mapping[str, Sequence[Any]], names: Sequence[str]) -> Iterator[dict[str, Any]]:
    """Every combination of the levels of the factors named, in plan order; one empty one of no factors."""
    for levels in itertools.product(*(factors[name] for name in names)):
        yield dict(zip(names, levels, strict=True))


def matches(frame: pd.DataFrame, setting: Mapping[str, Any]) -> pd.Series:
    """Which rows have these levels."""
    match = pd.Series(True, index=frame.index)
    for name, level in setting.items():
        wanted = plain(level)
        kind = type(wanted)
        # Most values are plain already, and long frames have many.
        same = [(value if type(value) is kind else plain(value)) == wanted for value in frame[name]]
        match &= pd.Series(same, index=frame.index, dtype=bool)
    return match


def setting_name(setting: Mapping[str, Any]) -> str:
    """A combination as a heading: "Batch norm off, dropout 0.1"; of no factors "All networks"."""
    text = ", ".join(level_phrase(name, level) for name, level in setting.items())
    return text[:1].upper() + text[1:] if text else "All networks"
