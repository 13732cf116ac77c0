"""The list of all studies holds every study of the storage, however it stands and whatever its folder holds."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from reports.pages.index import Entry, Standing
from studies.base.states import StudyState
from studies.database.rows import StudyRow
from studies.database.store import Store
from studies.results import study_index
from studies.results.study_index import index_studies
from studies.storage.paths import Locations
from tests.studies.results.made import PICTURE, VERDICT, make
from tests.studies.terminal import recorded


@pytest.fixture
def output(tmp_path: Path) -> Path:
    """The folder of all studies."""
    return tmp_path / "runs"


@pytest.fixture
def locations(url: str, output: Path) -> Locations:
    """Where they are."""
    return Locations(storage=url, output=output)


def entries(store: Store, locations: Locations) -> dict[str, Entry]:
    return {entry.study: entry for entry in study_index._entries(store, locations)}


def test_every_study_is_listed_with_how_it_stands_and_how_far_it_is(
    store: Store, complete: StudyRow, locations: Locations
) -> None:
    for name, state in (("stopped", StudyState.INTERRUPTED), ("broken", StudyState.FAILED)):
        store.set_study_state(recorded.add_study(store, name=name).id, state)
    searched = recorded.add_study(store, name="searched")
    recorded.record_search(store, searched)
    recorded.add_study(store, name="dead")
    with store.hold(searched.id):
        found = entries(store, locations)
    assert {name: (entry.standing, entry.progress) for name, entry in found.items()} == {
        recorded.NAME: (Standing.COMPLETE, (6, 6)),
        "stopped": (Standing.INTERRUPTED, (0, 6)),
        "broken": (Standing.FAILED, (0, 6)),
        "searched": (Standing.RUNNING, (4, 6)),
        "dead": (Standing.BROKEN_OFF, (0, 6)),
    }
    assert {(entry.page, entry.verdict, entry.picture) for entry in found.values()} == {(None, "", None)}


def test_what_has_a_report_has_its_verdict_link_and_picture(
    store: Store, complete: StudyRow, locations: Locations, output: Path
) -> None:
    make(output, complete)
    entry = entries(store, locations)[recorded.NAME]
    assert entry.verdict == VERDICT["sentence"]
    assert entry.page == f"{recorded.NAME}/report.html"
    assert entry.picture == PICTURE.encode()
    assert (output / entry.page).is_file()


def test_only_a_running_study_leads_to_the_page_of_its_run(
    store: Store, searched: StudyRow, locations: Locations, output: Path
) -> None:
    recorded.add_study(store, name="../../x")
    with store.hold(searched.id):
        assert entries(store, locations)[recorded.NAME].live is None, "no page is there"
        locations.make_folder(recorded.NAME).joinpath("live.html").touch()
        assert entries(store, locations)[recorded.NAME].live == f"{recorded.NAME}/live.html"
    assert {entry.live for entry in entries(store, locations).values()} == {None}


def test_a_large_picture_is_left_out(
    store: Store, complete: StudyRow, locations: Locations, output: Path
) -> None:
    folder = make(output, complete)
    (folder / "figures" / "forest.svg").write_text(" " * (study_index.MAX_PICTURE_BYTES + 1))
    entry = entries(store, locations)[recorded.NAME]
    assert entry.picture is None
    assert entry.verdict


def test_a_name_that_no_folder_may_have_is_listed_without_a_page(store: Store, locations: Locations) -> None:
    recorded.add_study(store, name="../../x")
    assert entries(store, locations)["../../x"].page is None


def test_a_damaged_plan_hides_no_other_study(
    store: Store, complete: StudyRow, locations: Locations, tmp_path: Path
) -> None:
    recorded.add_study(store, name="damaged")
    with closing(sqlite3.connect(tmp_path / "studies.db")) as connection, connection:
        connection.execute("UPDATE study SET plan = '{\"factors\": 3}' WHERE name = 'damaged'")
    found = entries(store, locations)
    assert found["damaged"].progress is None
    assert found[recorded.NAME].progress == (6, 6)


def test_the_page_is_written_whole_into_the_output_folder(
    store: Store, complete: StudyRow, locations: Locations, output: Path
) -> None:
    path = index_studies(store, locations)
    assert path == output / "index.html"
    assert [each.name for each in output.iterdir()] == ["index.html"]
    assert "Does depth help?" in path.read_text(encoding="utf-8")
