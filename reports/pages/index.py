"""OUTPUT/index.html: every study with its question, its verdict and its progress, as one self-contained page."""

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from pathlib import Path

from reports.pages.rendering import environment, page_parts, write_page
from reports.plots.style.theme import Theme


class Standing(StrEnum):
    """How a study stands, in the words of the page."""

    RUNNING = "running"
    BROKEN_OFF = "broken off"
    INTERRUPTED = "interrupted"
    FAILED = "failed"
    COMPLETE = "complete"


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One study in the index.

    `progress` counts the trials that have ended and those that are planned, None where the record cannot be read.
    `verdict` is "" where there is none. `picture` is an SVG file's content.
    `page` is the report's address relative to the index, `reported_at` when it was made; None where there is none.
    `live` is the address of the page that the run of a running study keeps up to date, None where it keeps none.
    """

    study: str
    question: str
    standing: Standing
    progress: tuple[int, int] | None
    created_at: datetime
    verdict: str = ""
    picture: bytes | None = None
    reported_at: datetime | None = None
    page: str | None = None
    live: str | None = None

    @property
    def is_complete(self) -> bool:
        """Whether nothing is left to train."""
        return self.standing is Standing.COMPLETE

    @property
    def picture_address(self) -> str | None:
        """The picture as an address that holds it: as an image it can neither run nor fetch anything."""
        if self.picture is None:
            return None
        return f"data:image/svg+xml;base64,{base64.b64encode(self.picture).decode()}"


def write_index(entries: Sequence[Entry], path: Path, *, as_of: datetime) -> None:
    """Write the index, running studies first, then the newest; the file appears whole or not at all. Raises OSError.

    `as_of` is the moment at which the studies stood as the entries say.
    """
    ordered = sorted(
        entries,
        key=lambda entry: (
            entry.standing is not Standing.RUNNING,
            -entry.created_at.timestamp(),
            entry.study,
        ),
    )
    parts = page_parts(Theme(), {}, style="index.css", script="index.js")
    page = environment().get_template("index.html.j2").render(entries=ordered, as_of=as_of, **parts)
    write_page(path, page.encode())
