"""The door to a storage's schema."""

import subprocess
import sys
from pathlib import Path

import pytest

from studies.database.__main__ import main
from studies.database.schema.migrate import current
from studies.database.store import Store
from tests.studies.database.recorded import new_study
from tests.studies.database.schema.test_migrate import HEAD, add_next_schema

SECRET = "canary-5f1e"


@pytest.fixture
def url(tmp_path: Path) -> str:
    """Return the URL of a SQLite storage with one study."""
    url = f"sqlite:///{tmp_path}/studies.db"
    with Store.open(url) as store:
        new_study(store)
    return url


def test_it_says_which_schema_there_is(url: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["current", "--storage", url]) == 0
    assert capsys.readouterr().out == f"schema {HEAD} (current); the newest is {HEAD}\n"


def test_it_says_that_there_is_none(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["current", "--storage", f"sqlite:///{tmp_path}/none.db"]) == 0
    assert capsys.readouterr().out == f"no schema of Studies (empty); the newest is {HEAD}\n"
    assert list(tmp_path.iterdir()) == []


def test_it_upgrades_and_names_the_copy(
    url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("STUDIES_STORAGE", url)
    add_next_schema(tmp_path, monkeypatch)
    assert main(["upgrade"]) == 0
    (copied,) = tmp_path.glob("*.backup")
    assert capsys.readouterr().out == f"schema next; the database as it was: {copied}\n"
    assert main(["upgrade"]) == 0
    assert capsys.readouterr().out == "schema next\n"


def test_it_copies_a_database(url: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["backup", "--storage", url]) == 0
    (copied,) = tmp_path.glob("*.backup")
    assert capsys.readouterr().out == f"copied to {copied}\n"
    with Store.open(f"sqlite:///{copied}", create=False) as store:
        assert [study.name for study in store.studies()] == ["depth_study"]
    assert current(url) == current(f"sqlite:///{copied}")


@pytest.mark.parametrize("command", ["upgrade", "backup"])
def test_it_refuses_where_nothing_is(
    tmp_path: Path, command: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([command, "--storage", f"sqlite:///{tmp_path}/none.db"]) == 2
    assert "none have been run yet" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_a_password_in_an_argument_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["current", "--storage", f"postgresql://ann:{SECRET}@127.0.0.1:1/x"]) == 2
    shown = capsys.readouterr()
    assert "PGPASSFILE" in shown.err
    assert SECRET not in shown.out + shown.err


def test_a_password_in_the_environment_is_not_shown(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("STUDIES_STORAGE", f"postgresql://ann:{SECRET}@127.0.0.1:1/x")
    assert main(["current"]) == 2
    shown = capsys.readouterr()
    assert "ann:***@127.0.0.1" in shown.err
    assert SECRET not in shown.out + shown.err


def test_it_runs_as_a_module(url: str) -> None:
    command = [sys.executable, "-m", "studies.database", "current", "--storage", url]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout.startswith(f"schema {HEAD}")
