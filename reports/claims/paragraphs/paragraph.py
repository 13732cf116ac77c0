"""A paragraph: lines of text with the numbers that they print."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from reports.wording.phrases import Sentence


@dataclass(frozen=True, kw_only=True)
class Line:
    """One or more sentences, and every number in them as computed (any nesting; texts count with theirs)."""

    text: str
    numbers: Any = ()


@dataclass(frozen=True, kw_only=True)
class Paragraph:
    """The text of a paragraph, and the numbers that report.json has to hold for it."""

    text: str
    numbers: Sequence[Any]


def paragraph(lines: Iterable[Line | None]) -> Paragraph:
    """Lines joined into one text; None is left out."""
    present = [line for line in lines if line is not None]
    return Paragraph(
        text=" ".join(line.text for line in present),
        numbers=[line.numbers for line in present if line.numbers],
    )


def line_of(sentences: Iterable[Sentence]) -> Line | None:
    """Gated sentences as a line; None without any."""
    said = list(sentences)
    if not said:
        return None
    numbers: list[Mapping[str, float]] = [dict(sentence.numbers) for sentence in said]
    return Line(text=" ".join(sentence.text for sentence in said), numbers=numbers)
