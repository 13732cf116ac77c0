"""A study's output folder is found again without --output: where its latest run wrote, if it is the study's own."""

import json
import os
from collections.abc import Iterator
from pathlib import Path
from unittest.mock import patch

import pytest

from studies import delete, report, show, status, verify
from studies.database.rows import StudyRow
from studies.database.store import Store
from studies.results import report_inputs
from studies.run_log import run_events
from studies.storage.mirror import MARK
from studies.storage.paths import Locations, locate
from studies.storage.remembered import FIELD, folders_of, mark, remembering, resuming_in
from tests.studies.faults.light import write_plain_report
from tests.studies.raytune.driving import register
from tests.studies.raytune.plans import plan
from tests.studies.verification import sound

Capture = pytest.CaptureFixture[str]


@pytest.fixture
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Stand in an empty folder beside the one with the storage of the study small, whose files lie in far/runs."""
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    monkeypatch.delenv("STUDIES_OUTPUT", raising=False)
    monkeypatch.setenv("STUDIES_STORAGE", sound.url(tmp_path))
    return tmp_path / "far" / "runs"


@pytest.fixture
def store(elsewhere: Path, tmp_path: Path) -> Iterator[Store]:
    with Store.open(sound.url(tmp_path)) as opened:
        yield opened


@pytest.fixture
def study(store: Store, elsewhere: Path) -> StudyRow:
    """A study whose run has just started."""
    made = register(plan(), store)
    ran_in(store, made, elsewhere)
    return made


@pytest.fixture
def finished(store: Store, elsewhere: Path) -> StudyRow:
    """A study as its run leaves it, with a file."""
    sound.complete(store, elsewhere)
    found = store.find_study(plan().name)
    assert found is not None
    ran_in(store, found, elsewhere)
    return found


def ran_in(store: Store, study: StudyRow, output: Path) -> None:
    """Leave what the start of a run in this output folder leaves."""
    mark(Locations(storage="", output=output).make_folder(study.name), study)
    note(store, study, str(output))


def note(store: Store, study: StudyRow, output: object) -> None:
    """Note the start of a run that says so of its output folder."""
    start = {"command": "run it", "plan_hash": study.plan_hash, "dataset": {"num_classes": sound.NUM_CLASSES}}
    run_events.note_start(store, study.id, start | {FIELD: output})


def test_the_doors_look_where_the_run_wrote(finished: StudyRow, elsewhere: Path, capsys: Capture) -> None:
    study = finished
    page = elsewhere / study.name / "report.html"
    assert verify.main([study.name]) == 0, capsys.readouterr().out
    assert show.main([study.name]) == 0
    assert str(elsewhere / study.name) in capsys.readouterr().out.replace("\n           ", "")
    (elsewhere / study.name / "spool.jsonl").write_text("{}\n")
    assert status.main([study.name, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["spool"] == str(elsewhere / study.name / "spool.jsonl")
    with patch.object(report_inputs, "write_report", write_plain_report):
        assert report.main([study.name]) == 0
    assert (capsys.readouterr().out.strip(), page.is_file()) == (str(page), True)
    assert delete.main([study.name, "--yes"]) == 0
    assert not (elsewhere / study.name).exists()
    assert list(Path.cwd().iterdir()) == []


def test_what_is_asked_for_wins(
    study: StudyRow, store: Store, elsewhere: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = locate(output=tmp_path / "mine")
    assert remembering(store, study, asked) == asked
    monkeypatch.setenv("STUDIES_OUTPUT", str(tmp_path / "theirs"))
    assert remembering(store, study, locate()).output == tmp_path / "theirs"
    assert folders_of(store, study, asked) == [tmp_path / "mine" / study.name, elsewhere / study.name]


def test_of_several_folders_the_latest_counts(study: StudyRow, store: Store, tmp_path: Path) -> None:
    ran_in(store, study, tmp_path / "later")
    assert remembering(store, study, locate()).output == tmp_path / "later"
    assert resuming_in(locate(), study.name).output == tmp_path / "later"
    assert resuming_in(locate(), "another").output == Path("runs")


def test_a_folder_that_is_gone_is_told(finished: StudyRow, elsewhere: Path, capsys: Capture) -> None:
    elsewhere.rename(elsewhere.with_name("moved"))
    assert verify.main([finished.name]) == 1
    said = capsys.readouterr()
    assert f"note: the files of small were written to {elsewhere / 'small'}, and are not there" in said.err
    assert "looking in runs\nSay where they lie with --output DIR." in said.err
    assert verify.main([finished.name, "--output", str(elsewhere.with_name("moved"))]) == 0
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize("noted", ["runs", "../far/runs", ""])
def test_a_folder_that_is_not_absolute_is_none(study: StudyRow, store: Store, noted: str) -> None:
    note(store, study, noted)
    assert remembering(store, study, locate()).output == Path("runs")


@pytest.mark.parametrize("noted", [7, None, ["/"]])
def test_a_run_that_noted_none_leaves_the_one_before(
    study: StudyRow, store: Store, elsewhere: Path, noted: object
) -> None:
    note(store, study, noted)
    assert remembering(store, study, locate()).output == elsewhere


@pytest.mark.parametrize("content", [None, "", "[]", '{"study": "small"}'])
def test_a_folder_without_the_studys_mark_is_left_alone(
    study: StudyRow, store: Store, elsewhere: Path, capsys: Capture, content: str | None
) -> None:
    marked = elsewhere / study.name / MARK
    marked.unlink() if content is None else marked.write_text(content)
    assert remembering(store, study, locate()).output == Path("runs")
    assert "are not there on this machine" in capsys.readouterr().err
    assert delete.main([study.name, "--yes"]) == 0
    assert (elsewhere / study.name).is_dir()


def test_a_link_that_leads_elsewhere_is_not_followed(
    study: StudyRow, store: Store, elsewhere: Path, tmp_path: Path
) -> None:
    target = (elsewhere / study.name).rename(tmp_path / "precious")
    os.symlink(target, elsewhere / study.name)
    assert remembering(store, study, locate()).output == Path("runs")
    assert delete.main([study.name, "--yes"]) == 0
    assert (target / MARK).is_file()


def test_another_study_of_that_name_is_not_taken_for_it(
    study: StudyRow, store: Store, elsewhere: Path
) -> None:
    store.delete_study(study.id)
    again = register(plan(), store)
    note(store, again, str(elsewhere))
    assert remembering(store, again, locate()).output == Path("runs")
