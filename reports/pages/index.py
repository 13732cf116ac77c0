"""OUTPUT/index.html: every study with its question, its answer and its date, as one self-contained page."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from reports.pages.rendering import environment, page_parts, write_page
from reports.plots.style.theme import Theme


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One study in the index; `page` is the report's address relative to the index, None where there is none."""

    study: str
    question: str
    state: str
    answer: str
    created_at: datetime
    page: str | None

    @classmethod
    def of(cls, report: Mapping[str, Any], page: str | None) -> "Entry":
        """The entry of a study from its report.json; one of an earlier version may lack the answer."""
        return cls(
            study=report["study"],
            question=report["question"],
            state=report["state"],
            answer=" ".join(said["sentence"] for said in report.get("answer", [])) or report.get("found", ""),
            created_at=datetime.fromisoformat(report["created_at"]),
            page=page,
        )


def write_index(entries: Sequence[Entry], path: Path) -> None:
    """Write the index, the newest study first; the file appears whole or not at all. Raises OSError."""
    ordered = sorted(entries, key=lambda entry: (-entry.created_at.timestamp(), entry.study))
    parts = page_parts(Theme(), {})
    write_page(path, environment().get_template("index.html.j2").render(entries=ordered, **parts).encode())
