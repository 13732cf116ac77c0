"""Copying in the background: nothing waits for an outage for long, nothing is lost by one, all is told once."""

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from studies.storage import copier as module
from studies.storage.copier import Copier, NoCopying
from studies.storage.mirror import Mirror
from studies.storage.place import Place


def wait_until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 30.0
    while not condition():
        assert time.monotonic() < deadline, "nothing happened"
        time.sleep(0.01)


class Run:
    """A folder that is copied to a place which can go away: a file then lies where its folder was."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.root = folder / "here", folder / "place"
        (self.folder / "models").mkdir(parents=True)
        self.place = Place(f"file://{self.root}")
        self.told: list[str] = []
        self.is_ours = True
        self.copier = Copier(
            Mirror(self.folder, self.place.folder("small")), command="studies report small --output URL"
        )

    def begin(self) -> None:
        self.copier.begin(self.told.append, lambda: self.is_ours)

    def write(self, name: str) -> None:
        (self.folder / name).write_text(name)

    def has(self, name: str) -> bool:
        return (self.root / "small" / name).is_file()

    def go_away(self) -> None:
        self.root.touch()

    def come_back(self) -> None:
        self.root.unlink()


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Run]:
    monkeypatch.setattr(module, "SECONDS_BETWEEN_LOOKS", 0.05)
    monkeypatch.setattr(module, "_FIRST_PAUSE", 0.05)
    monkeypatch.setattr(module, "MAX_SECONDS_TO_END", 1.0)
    monkeypatch.setattr(module, "MAX_SECONDS_OUT_AT_END", 1.0)
    made = Run(tmp_path)
    yield made
    made.copier.finish(is_stopped=True)


def test_a_model_is_there_before_its_row_would_be(run: Run) -> None:
    run.begin()
    run.write("models/w")
    run.copier.copy_models()
    assert run.has("models/w")
    assert run.copier.finish() is None
    assert run.told == []


def test_files_that_change_all_the_time_come_now_and_then_and_at_the_end(run: Run) -> None:
    run.begin()
    run.write("run.log")
    wait_until(lambda: run.has("run.log"))
    run.write("live.html")
    run.write("models/w")
    run.copier.copy_models()
    assert not run.has("live.html")
    assert run.copier.finish() is None
    assert run.has("live.html")


def test_an_outage_is_told_once_holds_nobody_up_and_ends(run: Run) -> None:
    run.go_away()
    run.begin()
    run.write("models/w")
    wait_until(lambda: len(run.told) == 1)
    run.write("models/v")
    run.copier.copy_models()  # returns, though nothing can be copied
    assert "meanwhile files are kept in" in run.told[0]
    run.come_back()
    wait_until(lambda: run.has("models/v") and len(run.told) == 2)
    assert run.told[1].endswith("is back; what waited is there")
    assert run.copier.finish() is None


def test_what_never_came_there_is_named_with_the_command_that_copies_it_later(run: Run) -> None:
    run.go_away()
    run.begin()
    for name in "abcd":
        run.write(name)
    left = run.copier.finish()
    assert left is not None
    assert f"not copied to {run.place.url}/small" in left.message
    assert left.message.endswith(": a, b, c and 1 more")
    assert str(run.folder) in left.advice
    assert left.advice.endswith("studies report small --output URL")
    run.come_back()
    later = Copier(Mirror(run.folder, run.place.folder("small")), command="")
    assert later.finish() is None
    assert all(run.has(name) for name in "abcd")


def test_a_place_that_hangs_holds_nobody_up(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_SECONDS_BEFORE_ROW", 0.2)
    monkeypatch.setattr(module, "MAX_SECONDS_TO_END", 0.2)
    monkeypatch.setattr(Place, "put", lambda *_: time.sleep(60))
    run.begin()
    run.write("models/w")
    run.copier.copy_models()
    left = run.copier.finish()
    assert left is not None
    assert "models/w" in left.message


def test_a_run_that_lost_its_study_copies_nothing_more(run: Run) -> None:
    run.is_ours = False
    run.begin()
    run.write("models/w")
    run.copier.copy_models()
    assert run.copier.finish() is not None
    assert not run.root.exists()


def test_a_run_that_loses_its_study_in_the_middle_copies_nothing_more(run: Run) -> None:
    run.write("models/a")
    run.write("models/b")
    asked: list[str] = []

    def is_ours() -> bool:
        asked.append("again")
        return len(asked) == 1

    run.copier.begin(run.told.append, is_ours)
    wait_until(lambda: len(asked) == 2)
    left = run.copier.finish()
    assert left is not None
    assert left.message.endswith(": models/b")
    assert (run.has("models/a"), run.has("models/b")) == (True, False)


def test_what_is_left_is_told_once(run: Run) -> None:
    run.go_away()
    run.begin()
    run.write("a")
    assert run.copier.finish() is not None
    assert run.copier.finish(is_stopped=True) is None


def test_a_folder_needs_no_copying() -> None:
    copying = NoCopying()
    copying.begin(print, lambda: True)
    copying.copy_models()
    assert copying.finish() is None
    copying.stop()
