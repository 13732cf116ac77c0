"""The two databases that every test of the store's contract runs on."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from studies.database.rows import StudyRow
from studies.database.store import Store
from tests.studies.database.recorded import new_study


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Return the URL of an empty storage, once for each kind of database."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/studies.db"
    make: Callable[[], str] = request.getfixturevalue("make_postgres_database")
    return make()


@pytest.fixture
def store(url: str) -> Iterator[Store]:
    """Return an open, empty store."""
    with Store.open(url) as opened:
        yield opened


@pytest.fixture
def study(store: Store) -> StudyRow:
    """Return a study without trials."""
    return new_study(store)
