"""Storages that hold the tiny study, as far as a test needs it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from studies.database.rows import StudyRow
from studies.database.store import Store
from tests.studies.terminal import recorded


@pytest.fixture
def url(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """Return the URL of a storage that the doors use too; nothing is in it yet."""
    storage = f"sqlite:///{tmp_path}/studies.db"
    monkeypatch.setenv("STUDIES_STORAGE", storage)
    monkeypatch.setenv("STUDIES_OUTPUT", str(tmp_path / "runs"))
    monkeypatch.delenv("COLUMNS", raising=False)
    return storage


@pytest.fixture
def store(url: str) -> Iterator[Store]:
    """Return the storage, open and empty."""
    with Store.open(url) as opened:
        yield opened


@pytest.fixture
def begun(store: Store) -> StudyRow:
    """Return the tiny study before its first trial."""
    return recorded.add_study(store)


@pytest.fixture
def searched(store: Store, begun: StudyRow) -> StudyRow:
    """Return the tiny study after its search phase."""
    recorded.record_search(store, begun)
    return begun


@pytest.fixture
def complete(store: Store, searched: StudyRow) -> StudyRow:
    """Return the tiny study, complete."""
    recorded.record_confirm(store, searched)
    return searched
