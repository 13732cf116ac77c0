"""`studies list` shows what was recorded, and with --catalog what can be run."""

import re
from pathlib import Path

import pytest

from studies import catalog
from studies.base.states import StudyState
from studies.database.rows import StudyRow
from studies.database.store import Store
from studies.list import main
from studies.user_files.loader import load_definition
from tests.studies.terminal import recorded


def test_every_study_has_a_line_and_its_question(
    store: Store, complete: StudyRow, capsys: pytest.CaptureFixture[str]
) -> None:
    other = recorded.add_study(store, name="another")
    store.set_study_state(other.id, StudyState.INTERRUPTED)
    assert main([]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split() == ["name", "state", "trials", "ended", "started"]
    assert re.fullmatch(r"another +interrupted +0 of 6 +\d{4}-\d\d-\d\d \d\d:\d\d", lines[1]), "newest first"
    assert lines[2] == "  Does depth help?"
    assert re.match(r"tiny_study +complete +6 of 6 ", lines[3])
    assert not any(line.endswith(" ") for line in lines)


def test_without_studies_it_says_how_to_run_one(
    url: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([]) == 0
    assert capsys.readouterr().out.startswith("No studies yet.\nRun one")
    assert not (tmp_path / "studies.db").exists(), "looking writes nothing"
    with Store.open(url):
        assert main([]) == 0
    assert capsys.readouterr().out.startswith("No studies yet.")


def test_the_catalog_has_every_study_with_its_question_and_profiles(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["--catalog"]) == 0
    out = " ".join(capsys.readouterr().out.split())
    for name in catalog.names():
        study = load_definition(name)[1]
        assert f"{name} {study.question}" in out
        for profile in ("laptop", *study.profiles):
            assert f"--profile {profile}" in out
    assert "--profile laptop 54 cells, 378 trials, 3,780 networks (the default)" in out


def test_a_storage_that_cannot_be_opened_is_one_message(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "notes.db").write_text("no database at all, and longer than a header of sixteen bytes")
    assert main(["--storage", f"sqlite:///{tmp_path}/notes.db"]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert "notes.db" in captured.err
    assert "Traceback" not in captured.err
