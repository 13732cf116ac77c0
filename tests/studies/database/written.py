"""A writer under test, and what it told."""

from pathlib import Path

import pytest

from studies.database.rows import StudyRow
from studies.database.spool import SPOOLED, Spool
from studies.database.spool_lines import Origin
from studies.database.store import Store
from studies.database.writer import Writer

RETRIES = 0.2
"""Seconds that a caller waits for a write."""


class Run:
    """A writer, and what it told."""

    def __init__(self, store: Store, study: StudyRow, folder: Path, max_bytes: int = 10**6) -> None:
        self.store, self.study, self.path = store, study, folder / "spool.jsonl"
        origin = Origin(
            study=study.name,
            created_at=study.created_at,
            storage=store.address,
            token=store.token(study.id),
        )
        self.told: list[str] = []
        self.should_stop = False
        self.writer = Writer(
            store,
            study.id,
            Spool(self.path, origin, max_bytes=max_bytes),
            should_stop=lambda: self.should_stop,
            tell=self.told.append,
            max_seconds_of_retries=RETRIES,
        )

    def note(self, text: str) -> None:
        self.writer.add_event(self.study.id, "note", None, text)

    @property
    def notes(self) -> list[str]:
        return [event.detail for event in self.store.events(self.study.id) if event.kind == "note"]

    @property
    def spooled(self) -> int:
        return sum(event.kind == SPOOLED for event in self.store.events(self.study.id))


@pytest.fixture(name="url")
def sqlite_url(tmp_path: Path) -> str:
    """Return the URL of an empty storage in a file, for tests that one kind of database is enough for."""
    return f"sqlite:///{tmp_path}/studies.db"
