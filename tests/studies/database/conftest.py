"""The two databases that every test of the store's contract runs on."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from studies.database import lease
from studies.database.rows import StudyRow
from studies.database.store import Store
from tests.studies.database.faulty import Fault
from tests.studies.database.recorded import new_study
from tests.studies.database.written import Run


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Return the URL of an empty storage, once for each kind of database."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/studies.db"
    make: Callable[[], str] = request.getfixturevalue("make_postgres_database")
    return make()


@pytest.fixture
def study(store: Store) -> StudyRow:
    """Return a study without trials."""
    return new_study(store)


@pytest.fixture
def quick_to_let_go(monkeypatch: pytest.MonkeyPatch) -> None:
    """Look more often, and give less grace: nobody is about to let go here."""
    monkeypatch.setattr(lease, "SECONDS_BETWEEN_LOOKS", 0.05)
    monkeypatch.setattr(lease, "SECONDS_OF_GRACE", 0.05)


@pytest.fixture
def other(url: str, store: Store) -> Iterator[Store]:
    """Return the same storage as another driver opens it."""
    with Store.open(url) as opened:
        yield opened


@pytest.fixture
def fault(monkeypatch: pytest.MonkeyPatch) -> Iterator[Fault]:
    """Return what can happen to writes."""
    made = Fault(monkeypatch)
    yield made
    made.end()


@pytest.fixture
def run(store: Store, study: StudyRow, tmp_path: Path, fault: Fault) -> Iterator[Run]:
    """Return a writer that works."""
    made = Run(store, study, tmp_path / "run")
    with made.writer:
        yield made
        fault.end()
