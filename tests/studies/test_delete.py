"""`studies delete NAME` deletes a study with its folder, when it is told to twice, and nothing beside it."""

import io
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import func, select

from studies.base.errors import StudiesError
from studies.database.engines.problems import StorageError
from studies.database.lookup import find
from studies.database.schema import tables
from studies.database.store import Store
from studies.delete import main
from studies.execution.deletion import delete, find_deletion_plan
from studies.results.study_index import INDEX
from studies.storage.paths import Locations
from studies.verification.verification import verify
from tests.studies.raytune.plans import plan
from tests.studies.terminal.recorded import add_study
from tests.studies.verification import sound
from tests.terminal import Terminal

Capture = pytest.CaptureFixture[str]


@pytest.fixture(scope="module")
def originals(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A storage with the studies small and other, and their folders in runs."""
    folder = tmp_path_factory.mktemp("originals")
    with Store.open(sound.url(folder)) as opened:
        sound.complete(opened, folder / "runs")
        sound.complete(opened, folder / "runs", plan(name="other", trials=2))
    return folder


@pytest.fixture
def store(originals: Path, url: str, tmp_path: Path) -> Iterator[Store]:
    """A copy of it, open, where the doors look."""
    shutil.copytree(originals, tmp_path, dirs_exist_ok=True)
    with Store.open(url) as opened:
        yield opened


@pytest.fixture
def output(store: Store, tmp_path: Path) -> Path:
    """The output folder, with the folders of both studies."""
    return tmp_path / "runs"


def typed(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setattr("sys.stdin", Terminal(text))


def names(store: Store) -> list[str]:
    return [study.name for study in store.studies()]


def test_its_name_deletes_it_and_the_other_study_stays_whole(
    store: Store, output: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    typed(monkeypatch, "small\n")
    assert main(["small"]) == 0
    out = capsys.readouterr().out
    assert (
        f"study small: 20 trials of 40 networks in the storage; 1 file (0.0 MB) in {output / 'small'}" in out
    )
    assert "deleted study small" in out
    assert names(store) == ["other"]
    assert [path.name for path in output.iterdir()] == ["other"]
    assert verify(store, "other", output / "other").is_sound
    with store.reading() as connection:
        for table in tables.metadata.sorted_tables:
            owner = table.c.id if table is tables.study else table.c.study_id
            left = select(func.count()).select_from(table).where(owner == 1)
            assert connection.execute(left).scalar_one() == 0, table.name


@pytest.mark.parametrize("answer", ["", "\n", "yes\n", "other\n"])
def test_any_other_answer_deletes_nothing(
    answer: str, store: Store, output: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    typed(monkeypatch, answer)
    assert main(["small"]) == 1
    assert "nothing was deleted" in capsys.readouterr().err
    assert verify(store, "small", output / "small").is_sound


def test_without_a_terminal_it_asks_for_yes(
    store: Store, output: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("small\n"))
    assert main(["small"]) == 2
    assert "--yes" in capsys.readouterr().err
    assert names(store) == ["small", "other"]
    assert main(["small", "--yes"]) == 0
    assert names(store) == ["other"]


def test_a_study_that_a_run_holds_is_refused_with_what_to_do(
    url: str, store: Store, output: Path, capsys: Capture
) -> None:
    with Store.open(url) as driver, driver.hold(1):
        assert main(["small", "--yes"]) == 3
    error = capsys.readouterr().err
    assert "study small is held by another run: process" in error
    assert "studies stop small" in error
    assert "--take-over" not in error
    assert verify(store, "small", output / "small").is_sound


def test_one_that_a_run_holds_by_the_time_it_was_typed_is_refused(
    url: str, store: Store, output: Path
) -> None:
    locations = Locations(storage=url, output=output)
    deletion_plan = find_deletion_plan(store, find(store, "small"), locations)
    with Store.open(url) as driver, driver.hold(1), pytest.raises(StudiesError) as error:
        delete(store, deletion_plan, locations)
    assert error.value.exit_code == 3
    assert verify(store, "small", output / "small").is_sound


def test_a_folder_that_is_a_link_is_refused(
    store: Store, output: Path, tmp_path: Path, capsys: Capture
) -> None:
    elsewhere = tmp_path / "elsewhere"
    (output / "small").rename(elsewhere)
    (output / "small").symlink_to(elsewhere)
    assert main(["small", "--yes"]) == 2
    assert f"is a link to {elsewhere}; nothing was deleted" in capsys.readouterr().err
    assert names(store) == ["small", "other"]
    assert (elsewhere / sound.FILE).is_file()


def test_links_inside_are_deleted_and_not_followed(store: Store, output: Path, tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "kept").touch()
    (output / "small" / "data").symlink_to(tmp_path / "data")
    assert main(["small", "--yes"]) == 0
    assert (tmp_path / "data" / "kept").is_file()


@pytest.mark.parametrize("name", ["..", "../runs", "/tmp", "a/b"])
def test_a_name_that_is_a_path_deletes_rows_alone(
    name: str, store: Store, output: Path, capsys: Capture
) -> None:
    """Somebody else wrote it into the storage."""
    add_study(store, name=name)
    assert main([name, "--yes"]) == 0
    assert "it has no folder" in capsys.readouterr().out
    assert names(store) == ["small", "other"]
    assert (output / "small" / sound.FILE).is_file()


def test_where_the_rows_cannot_be_deleted_the_folder_is_put_back(
    url: str, store: Store, output: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(self: Store, study_id: int) -> None:
        raise StorageError("the disk is full", "Make room.")

    locations = Locations(storage=url, output=output)
    deletion_plan = find_deletion_plan(store, find(store, "small"), locations)
    monkeypatch.setattr(Store, "delete_study", fail)
    with pytest.raises(StorageError):
        delete(store, deletion_plan, locations)
    assert sorted(path.name for path in output.iterdir()) == ["other", "small"]
    assert verify(store, "small", output / "small").is_sound


def test_the_index_of_reports_lists_it_no_more(url: str, store: Store, output: Path) -> None:
    (output / INDEX).write_text("small/report.html")
    assert main(["small", "--yes"]) == 0
    assert "small/report.html" not in (output / INDEX).read_text()


def test_an_unknown_name_lists_the_studies(output: Path, capsys: Capture) -> None:
    assert main(["smal", "--yes"]) == 2
    assert "did you mean small?" in capsys.readouterr().err
