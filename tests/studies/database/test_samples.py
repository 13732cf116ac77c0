"""Databases of every schema so far: refused with the command that upgrades them, and whole after it."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy
from alembic import command
from sqlalchemy import Engine, MetaData

from studies.base.errors import UsageError
from studies.base.states import TrialState
from studies.database.schema import migrate
from studies.database.schema.migrate import VERSION_TABLE
from studies.database.store import Store
from tests.studies.database.recorded import contents

SAMPLES = {path.stem.removeprefix("schema_"): path for path in Path(__file__).parent.glob("samples/*.sql")}

Rows = dict[str, list[dict[str, Any]]]


@pytest.fixture(params=sorted(SAMPLES))
def revision(request: pytest.FixtureRequest) -> str:
    """Return the revision of a sample."""
    return str(request.param)


@pytest.fixture
def sample(url: str, revision: str, tmp_path: Path) -> Rows:
    """Fill the storage with the sample and return its rows."""
    source = tmp_path / "sample.db"
    with closing(sqlite3.connect(source)) as connection:
        connection.executescript(SAMPLES[revision].read_text(encoding="utf-8"))
    rows = read(f"sqlite:///{source}")
    if url.startswith("sqlite"):
        source.rename(tmp_path / "studies.db")
    else:
        fill(url, revision, rows)
    return rows


@contextmanager
def engine_of(url: str) -> Iterator[Engine]:
    engine = sqlalchemy.create_engine(url)
    yield engine
    engine.dispose()


def read(url: str) -> Rows:
    """Return every row as the tables themselves are, whatever Studies thinks that they should be."""
    with engine_of(url) as engine, engine.connect() as connection:
        found = MetaData()
        found.reflect(connection)
        return {
            table.name: [
                {name: aware(value) for name, value in row.items()}
                for row in connection.execute(table.select().order_by(*table.primary_key)).mappings()
            ]
            for table in found.sorted_tables
            if table.name != VERSION_TABLE
        }


def aware(value: Any) -> Any:
    """Return a value with UTC as the zone of a time, which SQLite does not keep."""
    if not isinstance(value, datetime):
        return value
    return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


def fill(url: str, revision: str, rows: Rows) -> None:
    """Make the tables of a schema with the migrations up to it, and insert the rows."""
    with engine_of(url) as engine, engine.begin() as connection:
        command.upgrade(migrate._config(connection), revision)
        found = MetaData()
        found.reflect(connection)
        for table in found.sorted_tables:
            if rows.get(table.name):
                connection.execute(table.insert(), rows[table.name])


def test_every_earlier_schema_has_a_sample() -> None:
    known = sorted(migrate._known())
    assert sorted(SAMPLES) == [revision for revision in known if revision != migrate.head()]


class TestSamples:
    """The same for SQLite and PostgreSQL."""

    def test_it_is_refused_with_the_command_that_upgrades_it(
        self, url: str, revision: str, sample: Rows
    ) -> None:
        for create in (True, False):
            with pytest.raises(UsageError, match=f"has schema {revision}, older than") as caught:
                Store.open(url, create)
            assert "studies database upgrade" in caught.value.advice
        assert read(url) == sample

    def test_an_upgrade_keeps_every_row(self, url: str, sample: Rows) -> None:
        assert min(map(len, sample.values())) > 0, "a table of the sample is empty"
        migrate.upgrade(url)
        after = read(url)
        for table, rows in sample.items():
            kept = [{name: row[name] for name in rows[0]} for row in after[table]]
            assert kept == rows

    @pytest.mark.usefixtures("sample")
    def test_what_was_cut_off_goes_on_after_an_upgrade(self, url: str) -> None:
        migrate.upgrade(url)
        with Store.open(url, create=False) as store:
            study = store.find_study("cut_off")
            assert study is not None
            with store.hold(study.id) as lease:
                for trial in store.trials(study.id):
                    if trial.state is TrialState.RUNNING:
                        store.start_trial(
                            study.id, trial.number, worker="", started_at=study.created_at, versions={}
                        )
                store.add_event(study.id, "note", None, "upgraded")
            (event,) = (row for row in contents(store)["event"] if row["study_id"] == study.id)
            assert (event["fencing_token"], lease.token) == (1, 1)
            assert [trial.attempt for trial in store.trials(study.id)] == [1, 2, 0]
