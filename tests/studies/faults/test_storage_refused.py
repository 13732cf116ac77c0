"""A storage that cannot be used: every door says why and what to do, exits with 2, and leaves all as it was."""

import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from studies.__main__ import main
from studies.cluster import cluster
from tests.studies.command import STUDY
from tests.studies.faults.light_run import LightRun
from tests.studies.faults.servers import Server

RUN = ("run", "./small.py", "--no-dashboard")
PLAN = ("plan", "./small.py")
OF_ONE_STUDY = ("status", "show", "report", "stop", "verify")
READERS = (
    *((door, "small") for door in OF_ONE_STUDY),
    ("delete", "small", "--yes"),
    ("list",),
    ("database", "upgrade"),
)
CANARY = "canary-c91d"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Return a folder with a study file, in which no door may start Ray."""
    (tmp_path / "small.py").write_text(STUDY)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("STUDIES_STORAGE", "sqlite:///own/studies.db")
    monkeypatch.setenv("STUDIES_OUTPUT", "out")
    monkeypatch.setattr(cluster, "starting_cluster", lambda *_, **__: pytest.fail("Ray was started"))
    yield tmp_path
    for path in tmp_path.rglob("*"):
        path.chmod(0o700)


@pytest.fixture
def database(folder: Path, undisturbed_run: LightRun) -> Path:
    """Return the file of a storage with a finished study."""
    (folder / "own").mkdir()
    return Path(shutil.copy(undisturbed_run.folder / "studies.db", folder / "own"))


def content(folder: Path) -> dict[str, tuple[int, bytes | None]]:
    """Return what lies in a folder, with its modes."""
    return {
        str(path.relative_to(folder)): (path.stat().st_mode, path.read_bytes() if path.is_file() else None)
        for path in folder.rglob("*")
    }


def check_refused(folder: Path, capsys: pytest.CaptureFixture[str], *said: str) -> None:
    """Check that a run and every reader are refused in two lines, and that nothing is written anywhere."""
    before = content(folder)
    for words in (RUN, PLAN, *READERS):
        assert main(words) == 2, words
        told = capsys.readouterr()
        assert told.out == "", words
        what, advice = told.err.splitlines()
        assert what.startswith("error: storage: "), what
        assert all(word in told.err for word in said), told.err
        assert len(advice) > 20
        assert CANARY not in told.err
        assert content(folder) == before, words


def mark_read_only(database: Path) -> None:
    database.chmod(0o400)


def truncate(database: Path) -> None:
    database.write_bytes(database.read_bytes()[: database.stat().st_size // 2])


def damage_a_page(database: Path) -> None:
    whole = bytearray(database.read_bytes())
    whole[5 * 4096 : 6 * 4096] = b"\xff" * 4096
    database.write_bytes(whole)


def date_forward(database: Path) -> None:
    with closing(sqlite3.connect(database)) as connection, connection:
        connection.execute("UPDATE studies_version SET version_num = '9999'")
    for log in database.parent.glob("*-*"):
        log.unlink()


def put_a_folder_in_its_place(database: Path) -> None:
    database.unlink()
    database.mkdir()


def write_something_else(database: Path) -> None:
    database.write_bytes(b"PK\3\4 this is a spreadsheet")


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (mark_read_only, ("is read-only", "Make it writable")),
        (truncate, ("is damaged", "Restore it from a backup")),
        (damage_a_page, ("is damaged", "Restore it from a backup")),
        (date_forward, ("has schema 9999, newer than", "Upgrade Studies")),
        (put_a_folder_in_its_place, ("is not a file", "Give the path of a file")),
        (write_something_else, ("is not a database", "Give another --storage")),
    ],
)
def test_a_spoilt_file_is_named_and_left_as_it_is(
    database: Path,
    folder: Path,
    capsys: pytest.CaptureFixture[str],
    spoil: Callable[[Path], None],
    said: tuple[str, ...],
) -> None:
    spoil(database)
    check_refused(folder, capsys, "own/studies.db", *said)


def test_a_folder_that_is_not_there_is_not_made(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = content(folder)
    assert main(RUN) == 2
    what, advice = capsys.readouterr().err.splitlines()
    assert "lies in a folder that does not exist" in what
    assert "mkdir -p" in advice
    assert content(folder) == before


def test_a_wrong_password_is_told_without_it(
    folder: Path, guarded: Server, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STUDIES_STORAGE", guarded.url(password=CANARY))
    check_refused(folder, capsys, "driver:***@", "password authentication failed", "Check the address")


def test_a_password_that_is_missing_is_asked_for(
    folder: Path, guarded: Server, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STUDIES_STORAGE", guarded.without_password("postgres"))
    monkeypatch.delenv("PGPASSWORD", raising=False)
    check_refused(folder, capsys, "no password supplied", "Check the address")


def test_a_database_that_is_missing_is_told(
    folder: Path, guarded: Server, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STUDIES_STORAGE", guarded.url("nowhere"))
    check_refused(folder, capsys, 'database "nowhere" does not exist', "Check the address")


def test_a_server_that_is_not_there_is_told(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STUDIES_STORAGE", f"postgresql://driver:{CANARY}@127.0.0.1:9/studies")
    check_refused(folder, capsys, "cannot be opened", "Check the address")
