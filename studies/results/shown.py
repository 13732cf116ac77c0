"""A study and its result in a notebook: a few lines of text, a small card of HTML, contrasts and figures."""

import base64
import html
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, final
from urllib.parse import quote

from reports.pages.told_verdict import ToldVerdict
from studies.base.html_rows import html_row
from studies.base.wording import printable

if TYPE_CHECKING:
    import pandas as pd

    from reports.plots.style.figure import EditableFigure, Figure

COLUMNS: Final = (
    *("outcome", "factor", "level_a", "level_b", "estimate", "ci_low", "ci_high", "simultaneous_low"),
    *("simultaneous_high", "smallest_effect", "look", "p_sign_flip", "num_blocks", "gate", "sentence"),
)
"""The columns of a frame of contrasts: those of report.json that are public."""
MOST_BYTES: Final = 600_000
"""A larger picture is left to the page."""


def contrasts_frame(report: Mapping[str, Any], *, at_best: bool) -> "pd.DataFrame":
    """Return a report's contrasts, one row each, or those of levels at their best cells."""
    import pandas as pd

    rows = report["at_best" if at_best else "contrasts"]
    return pd.DataFrame([{name: row.get(name) for name in COLUMNS} for row in rows], columns=list(COLUMNS))


@final
class StudyFigures(Mapping[str, "EditableFigure"]):
    """The figures of a study's page by their slugs: each access makes a fresh matplotlib figure that may be changed."""

    def __init__(self, figures: "Mapping[str, Figure]") -> None:
        """Make matplotlib figures of these figures of a report."""
        self._figures = figures

    def __getitem__(self, slug: str) -> "EditableFigure":
        if slug not in self._figures:
            raise KeyError(f"{slug}: no such figure; there are {', '.join(self._figures)}")
        return self._figures[slug].editable()

    def __iter__(self) -> Iterator[str]:
        return iter(self._figures)

    def __len__(self) -> int:
        return len(self._figures)

    def __repr__(self) -> str:
        return "\n".join(f"{slug}: {printable(figure.title)}" for slug, figure in self._figures.items())


@dataclass(frozen=True, kw_only=True)
class Card:
    """What is shown of a study: name, state, question, verdict, further lines, and its folder.

    `folder` is None where nothing was written yet; `rows` are labels and contents.
    """

    name: str
    state: str
    question: str
    verdict: ToldVerdict | None
    rows: Sequence[tuple[str, str]]
    folder: Path | None

    def text(self, kind: str) -> str:
        """Return it in two or three lines."""
        lines = [f"{kind} {self.name} ({self.state}): {self.question}"]
        if self.verdict is not None and self.verdict.sentence:
            lines.append(self.verdict.sentence)
        if self.folder is not None:
            lines.append(f"page: {self.folder / 'report.html'}")
        return printable("\n".join(lines))

    def html(self) -> str:
        """Return it as HTML without script or style sheet, escaped, for light and dark themes."""
        parts = [
            f'<div style="opacity:.65">{_escaped(self.name)}, {_escaped(self.state)}</div>',
            f'<div style="font-weight:600">{_escaped(self.question)}</div>',
        ]
        if self.verdict is not None:
            facts = "".join(f"<li>{_escaped(fact)}</li>" for fact in self.verdict.facts)
            parts.append(f'<p style="margin:.5em 0;font-size:1.1em">{_escaped(self.verdict.sentence)}</p>')
            parts.append(f'<ul style="margin:.25em 0">{facts}</ul>' if facts else "")
            parts.append(self._picture(self.verdict.picture))
        parts += [html_row(printable(label), _escaped(content)) for label, content in self.rows]
        parts += [html_row(label, _link(place)) for label, place in self._places()]
        return f'<div style="max-width:52em;line-height:1.5">{"".join(parts)}</div>'

    def _places(self) -> Iterable[tuple[str, Path]]:
        if self.folder is not None:
            places = {"page": "report.html", "record": "report.json", "model": os.path.join("models", "best")}
            found = ((label, self.folder / place) for label, place in places.items())
            yield from ((label, place) for label, place in found if place.exists())

    def _picture(self, slug: str | None) -> str:
        """Return the verdict's figure on white ground, as its inks are those for light; nothing without one."""
        if slug is None or self.folder is None:
            return ""
        try:
            content = (self.folder / "figures" / f"{slug}.svg").read_bytes()
        except OSError:  # the folder may lie on another machine
            return ""
        if len(content) > MOST_BYTES:
            return ""
        # As an image it can neither run a script nor fetch anything.
        data = base64.b64encode(content).decode()
        return (
            f'<img alt="{_escaped(slug)}" src="data:image/svg+xml;base64,{data}" '
            'style="display:block;margin:.5em 0;padding:.6em;background:#fff;border-radius:.4em;max-width:100%">'
        )


def _escaped(text: str) -> str:
    return html.escape(printable(text), quote=True)


def _link(path: Path) -> str:
    """Return a link for a place below the current folder, which a notebook can follow, else its path."""
    try:
        below = path.resolve().relative_to(Path.cwd())
    except (ValueError, OSError):
        return f"<code>{_escaped(str(path))}</code>"
    place = quote(below.as_posix()) + ("/" if path.is_dir() else "")
    return f'<a href="{place}" target="_blank">{_escaped(str(path))}</a>'
