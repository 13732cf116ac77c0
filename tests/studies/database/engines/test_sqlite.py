"""SQLite: how the file is opened, and which files are refused."""

import os
import sqlite3
import stat
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from sqlalchemy import text

from studies.base.errors import UsageError
from studies.database.engines.address import parse
from studies.database.engines.problems import StorageError
from studies.database.engines.sqlite import SQLite
from studies.database.store import Store
from tests.studies.database.recorded import add_trial, at_rung, new_study
from tests.studies.database.schema.test_migrate import files


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Return the path of a database with one study."""
    path = tmp_path / "studies.db"
    with Store.open(f"sqlite:///{path}") as store:
        study = new_study(store)
        for number in range(1, 40):
            add_trial(store, study, number)
            store.record_result(study.id, number, at_rung(3, range(4)))
    return path


def refused(path: Path, match: str) -> None:
    """Check that a file is refused with and without leave to create, and that nothing changes."""
    before = files(path.parent) if path.parent.is_dir() else {}
    for create in (True, False):
        with pytest.raises(UsageError, match=match) as caught:
            Store.open(f"sqlite:///{path}", create)
        assert str(path) in str(caught.value)
        assert caught.value.advice
    assert (files(path.parent) if path.parent.is_dir() else {}) == before


def test_files_are_readable_by_their_owner_alone(tmp_path: Path) -> None:
    mask = os.umask(0)
    try:
        with Store.open(f"sqlite:///{tmp_path}/studies.db") as store:
            new_study(store)
            modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in tmp_path.iterdir()}
    finally:
        os.umask(mask)
    assert modes == {"studies.db": 0o600, "studies.db-wal": 0o600, "studies.db-shm": 0o600}


def test_connections_that_open_a_new_file_at_the_same_time_wait_for_each_other(tmp_path: Path) -> None:
    # Without a wait of our own some fail at once: "database is locked".
    num_files, num_threads = 50, 4
    begin = threading.Barrier(num_threads)

    def open_all() -> list[int]:
        found = []
        for number in range(num_files):
            database = SQLite(parse(f"sqlite:///{tmp_path}/{number}.db"))
            begin.wait(timeout=60)
            engine = database.engine()
            with engine.begin() as connection:
                connection.execute(text("CREATE TABLE IF NOT EXISTS opened (at INTEGER)"))
                connection.execute(text("INSERT INTO opened VALUES (1)"))
            engine.dispose()
            begin.wait(timeout=60)
            with engine.begin() as connection:
                found.append(connection.execute(text("SELECT count(*) FROM opened")).scalar_one())
            engine.dispose()
        return found

    with ThreadPoolExecutor(num_threads) as pool:
        openings = [pool.submit(open_all) for _ in range(num_threads)]
    assert [opening.result() for opening in openings] == [[num_threads] * num_files] * num_threads


def test_connections_are_durable_and_checked(path: Path) -> None:
    engine = SQLite(parse(f"sqlite:///{path}")).engine()
    names = ("journal_mode", "synchronous", "foreign_keys", "busy_timeout")
    with engine.connect() as connection:
        found = [connection.execute(text(f"PRAGMA {name}")).scalar() for name in names]
    engine.dispose()
    assert found == ["wal", 2, 1, 30_000]


def test_a_writer_takes_the_lock_before_it_reads(path: Path) -> None:
    engine = SQLite(parse(f"sqlite:///{path}")).engine()
    with engine.begin():
        other = sqlite3.connect(path, timeout=0)
        with pytest.raises(sqlite3.OperationalError, match="locked"):
            other.execute("BEGIN IMMEDIATE")
        assert other.execute("SELECT count(*) FROM study").fetchone() == (1,)
        other.close()
    engine.dispose()


def test_a_relative_path_stays_where_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with Store.open("sqlite:///studies.db") as store:
        (tmp_path / "elsewhere").mkdir()
        monkeypatch.chdir(tmp_path / "elsewhere")
        store.close()
        new_study(store)
    assert list(tmp_path.glob("**/*.db")) == [tmp_path / "studies.db"]


def test_a_folder_that_does_not_exist_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="folder that does not exist") as caught:
        Store.open(f"sqlite:///{tmp_path}/runs/studies.db")
    assert f"mkdir -p '{tmp_path}/runs'" in str(caught.value)
    assert files(tmp_path) == {}


def test_a_folder_that_cannot_be_written_is_refused(tmp_path: Path) -> None:
    folder = tmp_path / "runs"
    folder.mkdir(mode=0o500)
    with pytest.raises(UsageError, match="folder that is not writable"):
        Store.open(f"sqlite:///{folder}/studies.db")
    assert files(folder) == {}
    folder.chmod(0o700)
    Store.open(f"sqlite:///{folder}/studies.db").close()
    folder.chmod(0o500)
    refused(folder / "studies.db", "folder that is not writable")


def test_a_file_marked_read_only_is_refused(path: Path) -> None:
    path.chmod(0o400)
    refused(path, "is read-only")


def test_a_folder_in_place_of_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "studies.db").mkdir()
    refused(tmp_path / "studies.db", "is not a file")


def test_a_path_that_no_system_takes_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot be created: File name too long"):
        Store.open(f"sqlite:///{tmp_path}/{'x' * 300}.db")
    assert files(tmp_path) == {}


@pytest.mark.parametrize("content", [b"hello", b"PK\3\4" + bytes(5000), b"SQLite format 2\0" + bytes(4080)])
def test_what_is_not_a_database_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "studies.db").write_bytes(content)
    refused(tmp_path / "studies.db", "is not a database")


def test_an_empty_file_is_taken_as_new(tmp_path: Path) -> None:
    (tmp_path / "studies.db").touch()
    with pytest.raises(UsageError, match="none have been run yet"):
        Store.open(f"sqlite:///{tmp_path}/studies.db", create=False)
    with Store.open(f"sqlite:///{tmp_path}/studies.db") as store:
        assert store.studies() == []


@pytest.mark.parametrize("share", [0.2, 0.5, 0.99])
def test_a_truncated_file_is_refused(path: Path, share: float) -> None:
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * share)])
    refused(path, "is damaged: ")


@pytest.mark.parametrize("page", [1, 2, 10, -1])
def test_a_file_with_a_broken_page_is_refused(path: Path, page: int) -> None:
    content = bytearray(path.read_bytes())
    at = page * 4096 if page > 0 else len(content) - 4096
    content[at : at + 4096] = b"\xff" * 4096
    path.write_bytes(content)
    refused(path, "damaged|malformed")


def test_what_a_killed_driver_left_in_the_log_is_read(path: Path) -> None:
    with Store.open(f"sqlite:///{path}") as store:
        new_study(store, "only in the log")
        # What a kill leaves: a database, its log, and nobody who has them open.
        copy = path.parent / "killed"
        copy.mkdir()
        for each in path.parent.glob("studies.db*"):
            (copy / each.name).write_bytes(each.read_bytes())
    with Store.open(f"sqlite:///{copy}/studies.db", create=False) as store:
        assert [study.name for study in store.studies()] == ["depth_study", "only in the log"]


def test_a_second_store_in_the_process_takes_no_locks_from_the_first(path: Path) -> None:
    """Without its locks, the next process that closes the file would remove the log that the first still writes."""
    url = f"sqlite:///{path}"
    look = (
        "from studies.database.store import Store\nwith Store.open(sys.argv[1]) as s: print(len(s.events(1)))"
    )
    command = [sys.executable, "-c", f"import sys\n{look}", url]
    with Store.open(url) as store:
        store.add_event(1, "note", None, "first")
        Store.open(url).close()
        SQLite(parse(url)).create()
        for number in (1, 2):
            seen = subprocess.run(command, capture_output=True, text=True, check=True)
            assert int(seen.stdout) == number
            store.add_event(1, "note", None, "acknowledged")


def test_a_lock_held_for_too_long_is_an_error_that_can_be_tried_again(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("studies.database.engines.sqlite.BUSY_SECONDS", 0.1)
    with Store.open(f"sqlite:///{path}") as store:
        other = sqlite3.connect(path)
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(StorageError, match="is locked by this process"):
            new_study(store, "other")
        other.rollback()
        other.close()
        new_study(store, "other")
