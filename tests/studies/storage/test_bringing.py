"""Doors read and clear a study's files at a URL from any machine, and touch nothing that is not the study's."""

from collections.abc import Iterator
from pathlib import Path
from unittest.mock import patch

import pytest

from studies import delete, report, show, verify
from studies.base.errors import UsageError
from studies.database.rows import StudyRow
from studies.database.store import Store
from studies.results import report_inputs
from studies.storage.artifacts import write_artifact
from studies.storage.bringing import bring
from studies.storage.mirror import MARK
from studies.storage.paths import Locations, locate
from studies.storage.place import PlaceError
from studies.storage.remembered import mark, remembering
from tests.studies.faults.light import write_plain_report
from tests.studies.storage.test_remembered import note
from tests.studies.terminal.recorded import add_study
from tests.studies.verification import sound

Capture = pytest.CaptureFixture[str]
WEIGHTS = f"small/{sound.FILE}"


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the folder of a URL; stand in an empty folder of a machine of one's own."""
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    monkeypatch.delenv("STUDIES_OUTPUT", raising=False)
    monkeypatch.setenv("STUDIES_STORAGE", sound.url(tmp_path))
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "first"))
    return tmp_path / "place"


@pytest.fixture
def store(place: Path, tmp_path: Path) -> Iterator[Store]:
    with Store.open(sound.url(tmp_path)) as opened:
        yield opened


@pytest.fixture
def study(store: Store, place: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> StudyRow:
    """A study that was finished on the first machine, with its files at the place; this is the second."""
    there = locate(output=f"file://{place}")
    sound.complete(store, there.output)
    found = store.find_study("small")
    assert found is not None
    note(store, found, there.recorded())
    mark(there.folder("small"), found)
    with patch.object(report_inputs, "write_report", write_plain_report):
        assert report.main(["small"]) == 0
    assert (place / WEIGHTS).read_bytes() == b"weights"
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "second"))
    return found


def here(place: Path) -> Locations:
    return locate(output=f"file://{place}")


def test_the_doors_find_the_place_by_themselves(
    study: StudyRow, store: Store, place: Path, capsys: Capture
) -> None:
    assert verify.main(["small"]) == 0, capsys.readouterr().out
    assert remembering(store, study, locate()).place == here(place).place
    assert show.main(["small", "--json"]) == 0
    assert (place / "small" / "report.json").is_file()
    assert (here(place).folder("small") / "report.html").is_file()
    assert bring(study, here(place), "models/") == here(place).folder("small")
    assert (here(place).output / WEIGHTS).read_bytes() == b"weights"
    assert list(Path.cwd().iterdir()) == []


@pytest.mark.parametrize("spoil", [lambda path: path.unlink(), lambda path: path.write_bytes(b"other")])
def test_a_file_that_is_not_at_the_place_as_recorded_is_named(
    study: StudyRow, place: Path, capsys: Capture, spoil: object
) -> None:
    assert callable(spoil)
    spoil(place / WEIGHTS)
    assert verify.main(["small"]) == 1
    assert f"file://{place}/small" in capsys.readouterr().out.replace("\n            ", "")


def test_a_report_made_elsewhere_comes_to_the_place_and_old_files_here_do_not(
    study: StudyRow, place: Path, capsys: Capture
) -> None:
    write_artifact(here(place).folder("small"), Path(sound.FILE), b"stale")
    (place / "small" / "report.html").unlink()
    with patch.object(report_inputs, "write_report", write_plain_report):
        assert report.main(["small"]) == 0
    assert f"Copied to file://{place}/small" in capsys.readouterr().err
    assert (place / "small" / "report.html").is_file()
    assert (place / "index.html").is_file()
    assert (place / WEIGHTS).read_bytes() == b"weights"


def test_a_deleted_study_is_gone_there_and_its_neighbours_are_not(
    study: StudyRow, place: Path, capsys: Capture
) -> None:
    (place / "other").mkdir()
    (place / "other" / "x").touch()
    assert delete.main(["small", "--yes"]) == 0
    assert f"in file://{place}/small" in capsys.readouterr().out
    assert sorted(path.name for path in place.iterdir()) in (["index.html", "other"], ["other"])
    assert (place / "other" / "x").exists()


def test_a_study_whose_name_is_a_path_clears_no_folder_there(
    store: Store, place: Path, tmp_path: Path, capsys: Capture
) -> None:
    """Somebody else wrote it into the storage, and a mark beside the place."""
    place.mkdir()
    mark(tmp_path, add_study(store, name=".."))
    assert delete.main(["..", "--yes", "--output", f"file://{place}"]) == 0
    assert "it has no folder" in capsys.readouterr().out
    assert (tmp_path / MARK).is_file()


@pytest.mark.parametrize("content", [None, "{}", "["])
def test_a_folder_there_without_the_study_s_mark_is_left_alone(
    study: StudyRow, store: Store, place: Path, capsys: Capture, content: str | None
) -> None:
    marked = place / "small" / MARK
    marked.unlink() if content is None else marked.write_text(content)
    assert remembering(store, study, locate()).place is None
    assert "and are not there" in capsys.readouterr().err
    for output in ([], ["--output", f"file://{place}"]):
        if store.find_study("small") is not None:
            assert delete.main(["small", "--yes", *output]) == 0
    assert (place / WEIGHTS).exists()


@pytest.mark.parametrize(
    "url",
    [
        "s3://bucket/runs?endpoint_override=evil.example",
        "hdfs://evil.example:8020/runs",
        "abfs://account@evil.example/runs",
        "fsspec+http://evil.example/runs",
    ],
)
def test_a_recorded_url_that_may_name_any_server_is_not_asked(
    study: StudyRow, store: Store, url: str, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    note(store, study, url)
    with patch("studies.storage.place.Place.stamps", side_effect=AssertionError("it was asked")):
        assert remembering(store, study, locate()).place is None
    assert f"Say where they lie with --output {url}" in capsys.readouterr().err
    monkeypatch.setenv("STUDIES_OUTPUT", url)
    path, _, query = url.partition("?")
    assert (
        remembering(store, study, locate()).shown("small").startswith(f"{path}/small{query and '?'}{query}")
    )


@pytest.mark.parametrize(
    "url", ["s3://user:secret@bucket/runs", "s3://bucket/runs?secret_key=x", "s3://", "s3://["]
)
def test_a_recorded_url_that_no_run_records_is_none(study: StudyRow, store: Store, url: str) -> None:
    note(store, study, url)
    assert remembering(store, study, locate()).place is None


def test_a_place_that_is_away_is_told(study: StudyRow, store: Store, place: Path, capsys: Capture) -> None:
    place.rename(place.with_name("gone"))
    place.touch()
    with pytest.raises((PlaceError, UsageError)):
        bring(study, here(place), "models/")
    assert show.main(["small", "--output", f"file://{place}"]) == 0
    assert "note: the report was not fetched" in capsys.readouterr().err
    assert report.main(["small", "--output", f"file://{place}"]) == 2
