"""Which errors of a storage may pass, and which never will: with errors that the databases themselves raise."""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import text

from studies.database.engines.problems import OutageError, StorageError
from studies.database.store import Store
from tests.studies.database.recorded import new_study

RAISED = "DO $$ BEGIN RAISE EXCEPTION 'no' USING ERRCODE = '{}'; END $$"
PASSING = {
    "disk full": "53100",
    "too many connections": "53300",
    "deadlock": "40P01",
    "serialization": "40001",
    "lock timeout": "55P03",
    "cancelled": "57014",
    "shutting down": "57P01",
    "crashed": "57P02",
    "starting up": "57P03",
    "disk error": "58030",
    "connection": "08006",
    "read-only": "25006",
}
LASTING = {
    "a row that is there": "23505",
    "a row without its parent": "23503",
    "a text too long": "22001",
    "a row too wide": "54011",
    "no such table": "42P01",
    "no permission": "42501",
    "an aborted transaction": "25P02",
    "a damaged page": "XX001",
}


@pytest.fixture(scope="module")
def postgres(make_postgres_database: Callable[[], str]) -> Iterator[Store]:
    """Return a store in PostgreSQL."""
    with Store.open(make_postgres_database()) as store:
        yield store


def outcome(store: Store, statement: str) -> type[Exception]:
    """Return the kind of error that a statement ends in."""
    with pytest.raises(StorageError) as caught, store.reading() as connection:
        connection.execute(text(statement))
    return caught.type


@pytest.mark.parametrize("code", PASSING.values(), ids=PASSING)
def test_postgresql_may_answer_later(postgres: Store, code: str) -> None:
    assert outcome(postgres, RAISED.format(code)) is OutageError


@pytest.mark.parametrize("code", LASTING.values(), ids=LASTING)
def test_postgresql_will_always_refuse(postgres: Store, code: str) -> None:
    assert outcome(postgres, RAISED.format(code)) is StorageError


def test_a_connection_that_is_cut_may_be_made_again(postgres: Store) -> None:
    assert outcome(postgres, "SELECT pg_terminate_backend(pg_backend_pid())") is OutageError
    assert postgres.studies() == []


@pytest.fixture
def sqlite(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Store]:
    """Return a store in a file that is not waited for long."""
    monkeypatch.setattr("studies.database.engines.sqlite.BUSY_SECONDS", 0.05)
    (tmp_path / "folder").mkdir()
    with Store.open(f"sqlite:///{tmp_path}/folder/studies.db") as store:
        new_study(store)
        yield store


def test_a_locked_file_may_be_unlocked(sqlite: Store, tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "folder" / "studies.db")) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(OutageError, match="is locked by this process"):
            sqlite.add_event(1, "note", None, "x")
    sqlite.add_event(1, "note", None, "x")


@pytest.mark.parametrize(
    ("pragma", "message"),
    [("max_page_count = 1", "database or disk is full"), ("query_only = ON", "attempt to write a readonly")],
)
def test_a_file_without_room_or_permission_may_get_it(sqlite: Store, pragma: str, message: str) -> None:
    with sqlite.reading() as connection:
        connection.exec_driver_sql(f"PRAGMA {pragma}")  # the next transaction has the same connection
    with pytest.raises(OutageError, match=message):
        sqlite.add_event(1, "note", None, "x" * 1_000_000)


def test_a_folder_that_went_away_may_come_back(sqlite: Store, tmp_path: Path) -> None:
    sqlite.close()
    (tmp_path / "folder").rename(tmp_path / "elsewhere")
    with pytest.raises(OutageError, match="unable to open database file"):
        sqlite.studies()
    (tmp_path / "elsewhere").rename(tmp_path / "folder")
    assert len(sqlite.studies()) == 1


@pytest.mark.parametrize(
    "statement",
    [
        "SELECT * FROM nowhere",
        "INSERT INTO study SELECT * FROM study",
        "INSERT INTO trial (study_id, number) VALUES (1, 1)",
    ],
)
def test_sqlite_will_always_refuse(sqlite: Store, statement: str) -> None:
    with pytest.raises(StorageError) as caught, sqlite.writing(1) as connection:
        connection.exec_driver_sql(statement)
    assert caught.type is StorageError


def test_a_value_of_no_sql_type_is_a_mistake_of_ours(sqlite: Store) -> None:
    with pytest.raises(StorageError) as caught, sqlite.writing(1) as connection:
        connection.exec_driver_sql("UPDATE study SET question = ?", (object(),))
    assert caught.type is StorageError
