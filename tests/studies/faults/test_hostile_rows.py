"""A storage that others write to as well: whatever they call a study or write into it, every door stays whole."""

import json
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from studies.__main__ import main
from studies.database.store import Store
from tests.browser import browser
from tests.studies.faults.hostile import CONTROLS, EVERYTHING, MARKUP, PATH, SQL, TERMINAL
from tests.studies.faults.light_run import LightRun
from tests.studies.faults.watched_run import NAME
from tests.studies.terminal import recorded
from tests.studies.verification.sound import reseal_rows

SCRIPT = "javascript:window.owned=1"
HOSTILE_NAMES = (EVERYTHING, SQL, PATH, SCRIPT, TERMINAL)
NAMES = (NAME, *HOSTILE_NAMES)
TEXTS = {"study": ("question",), "trial": ("stop_reason", "error", "worker")}
IDS = ["small", "everything", "sql", "path", "script", "terminal"]


@pytest.fixture(scope="module")
def folder(undisturbed_run: LightRun, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Return a folder whose storage holds a finished study under each name, with hostile texts everywhere."""
    folder = tmp_path_factory.mktemp("rows")
    (folder / "runs").mkdir()
    shutil.copy(undisturbed_run.folder / "studies.db", folder / "runs")
    with pytest.MonkeyPatch.context() as environment:
        environment.chdir(folder)
        for name in ("STUDIES_STORAGE", "STUDIES_OUTPUT", "COLUMNS"):
            environment.delenv(name, raising=False)
        with Store.open("sqlite:///runs/studies.db") as store:
            for name in HOSTILE_NAMES:
                study = recorded.add_study(store, name=name)
                recorded.record_search(store, study)
                recorded.record_confirm(store, study)
                store.add_event(study.id, EVERYTHING, None, EVERYTHING)
        with closing(sqlite3.connect(folder / "runs" / "studies.db")) as connection, connection:
            for table, columns in TEXTS.items():
                for column in columns:
                    connection.execute(f"UPDATE {table} SET {column} = ?", (EVERYTHING,))
            connection.execute("UPDATE artifact SET path = ? || rowid", (EVERYTHING,))
        with Store.open("sqlite:///runs/studies.db") as store:
            for name in NAMES:
                reseal_rows(store, name)
        yield folder


def said(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str]:
    """Go through a door; return its exit code and what it printed, of which nothing may move a cursor."""
    code = main(words)
    told = capsys.readouterr()
    for stream in told:
        assert not any(control in stream for control in CONTROLS), ascii(stream)
        assert "Traceback" not in stream
    return code, told.out + told.err


@pytest.mark.parametrize("name", NAMES, ids=IDS)
def test_every_door_prints_it_as_text(folder: Path, capsys: pytest.CaptureFixture[str], name: str) -> None:
    for words in (("list",), ("status", name), ("show", name), ("show", name, "--trial", "4")):
        code, text = said(capsys, *words)
        assert code == 0, text
    for door in ("status", "show"):
        code, text = said(capsys, door, name, "--json")
        assert json.loads(text)["study"] == name
    # One has files that are gone; of the others not even where they would lie can be said.
    assert said(capsys, "verify", name)[0] == (1 if name == NAME else 2)
    assert name == NAME or "no run" in said(capsys, "stop", name)[1]
    for words in (("show",), ("status",), ("stop",), ("delete", "--yes")):
        code, text = said(capsys, *words, name + "x")
        assert code == 2
        assert "no such study" in text
    with Store.open("sqlite:///runs/studies.db", create=False) as store:
        assert {study.name for study in store.studies()} == set(NAMES), "something was run as SQL"


@pytest.mark.parametrize("name", HOSTILE_NAMES, ids=IDS[1:])
def test_a_name_that_no_study_may_have_gets_no_folder(
    folder: Path, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    before = {*folder.parent.iterdir(), *folder.rglob("*")}
    for words in (("report", name), ("report", name, NAME), ("report", name, "--trial", "1")):
        code, text = said(capsys, *words)
        assert code == 2, text
        assert "name" in text
    assert {*folder.parent.iterdir(), *folder.rglob("*")} == before


def test_other_studies_names_do_not_spoil_a_report(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, text = said(capsys, "report", NAME, "--output", "runs")  # its run wrote elsewhere
    assert code == 0, text
    assert {path.name for path in (folder / "runs").iterdir()} == {
        "studies.db",
        NAME,
        "index.html",
    }
    with browser(folder) as chromium:
        for page in (folder / "runs" / "index.html", folder / "runs" / NAME / "report.html"):
            chromium.open(page)
            assert chromium.evaluate("window.owned") is None
            assert MARKUP in chromium.text
            schemes = chromium.evaluate("[...document.querySelectorAll('a')].map(a => a.protocol).join()")
            assert set(schemes.split(",")) == {"file:"}
            assert chromium.complaints == []
