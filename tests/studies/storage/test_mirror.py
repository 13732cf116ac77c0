"""A study's folder here and at a place: what is new goes there, what is newer there comes here, nothing else moves."""

import json
import os
from pathlib import Path

import pytest

from studies.base.errors import StudiesError
from studies.storage.mirror import COPIED, RESUMED_FROM, Mirror
from studies.storage.place import Place


class Machine:
    """A machine with its own folder for a study."""

    def __init__(self, folder: Path, place: Place) -> None:
        folder.mkdir()
        self.folder, self.place = folder, place

    @property
    def mirror(self) -> Mirror:
        """The mirror as a new process opens it."""
        return Mirror(self.folder, self.place.folder("small"))

    def write(self, name: str, content: str, *, at: int | None = None) -> None:
        """Write a file, dated `at` seconds after the epoch."""
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)
        if at is not None:
            os.utime(path, (at, at))

    def copy(self) -> list[str]:
        """Copy what is pending; return it."""
        mirror = self.mirror
        pending = mirror.pending()
        for name in pending:
            mirror.copy(name)
        for name in mirror.dropped():
            mirror.remove(name)
        return pending

    def read(self) -> dict[str, str]:
        """Return what its folder holds."""
        return {
            path.relative_to(self.folder).as_posix(): path.read_text()
            for path in self.folder.rglob("*")
            if path.is_file() and path.name != COPIED
        }


@pytest.fixture
def here(tmp_path: Path) -> Machine:
    return Machine(tmp_path / "here", Place(f"file://{tmp_path}/place"))


@pytest.fixture
def there(tmp_path: Path) -> Machine:
    return Machine(tmp_path / "there", Place(f"file://{tmp_path}/place"))


def at_place(machine: Machine) -> set[str]:
    return set(machine.place.files("small"))


def test_what_is_new_is_copied_once_in_order(here: Machine) -> None:
    for name in ("report.html", "checkpoints/trial-1-epoch-3.safetensors", "models/best/w", "study.json"):
        here.write(name, name)
    order = ["study.json", "models/best/w", "checkpoints/trial-1-epoch-3.safetensors", "report.html"]
    assert here.copy() == order
    assert here.copy() == []
    here.write("report.html", "again")
    assert here.copy() == ["report.html"]
    assert here.place.read("small/report.html") == b"again"


def test_the_spool_and_what_is_half_written_stay_here(here: Machine) -> None:
    for name in ("spool.jsonl", "spool.jsonl.aside-1", "a.lock", ".x.1.partial", "y.partial", ".hidden/z"):
        here.write(name, "")
    (here.folder / "link").symlink_to("/etc/passwd")
    assert here.copy() == []


def test_a_checkpoint_that_is_dropped_here_is_removed_there_and_nothing_else_is(here: Machine) -> None:
    here.write("checkpoints/trial-1-epoch-3.safetensors", "x")
    here.write("models/best/w", "w")
    here.copy()
    (here.folder / "checkpoints/trial-1-epoch-3.safetensors").unlink()
    (here.folder / "models/best/w").unlink()
    here.copy()
    assert at_place(here) == {"models/best/w"}


def test_another_machine_goes_on_from_what_is_there(here: Machine, there: Machine) -> None:
    here.write("study.json", "{}")
    here.write("checkpoints/trial-1-epoch-3.safetensors", "three")
    here.write("code/study_from_python.py", "import os")
    here.copy()
    assert there.mirror.fetch(*RESUMED_FROM) == ["checkpoints/trial-1-epoch-3.safetensors", "study.json"]
    assert there.copy() == []  # what came from there does not go back
    assert there.mirror.fetch(*RESUMED_FROM) == []
    there.write("checkpoints/trial-1-epoch-6.safetensors", "six")
    (there.folder / "checkpoints/trial-1-epoch-3.safetensors").unlink()
    there.copy()
    assert here.mirror.fetch(*RESUMED_FROM) == ["checkpoints/trial-1-epoch-6.safetensors"]


def test_what_went_on_elsewhere_wins_and_what_only_waits_here_stays(here: Machine, there: Machine) -> None:
    here.write("models/best/w", "first", at=1000)
    here.copy()
    there.mirror.fetch()
    there.write("models/best/w", "elsewhere")
    there.copy()
    here.write("models/best/w", "stale")
    here.write("models/best/v", "waits")
    assert here.mirror.fetch("models/") == ["models/best/w"]
    assert here.read() == {"models/best/w": "elsewhere", "models/best/v": "waits"}
    assert here.copy() == ["models/best/v"]


def test_what_waits_here_is_not_overwritten_by_what_was_copied_before(here: Machine) -> None:
    here.write("models/best/w", "first")
    here.copy()
    here.write("models/best/w", "after the outage")
    assert here.mirror.fetch("models/") == []
    assert here.copy() == ["models/best/w"]


def test_what_was_removed_there_is_copied_again(here: Machine) -> None:
    here.write("models/best/w", "w")
    here.copy()
    here.place.folder("small").remove_all()
    mirror = here.mirror
    mirror.fetch("models/")
    assert mirror.pending() == ["models/best/w"]


@pytest.mark.parametrize("content", ["", "[]", "{", '{"a": 1}', '{"a": [1, 2, 3, "x"]}', "\x00"])
def test_a_damaged_list_of_what_was_copied_costs_only_copying_again(here: Machine, content: str) -> None:
    here.write("models/best/w", "w")
    here.copy()
    (here.folder / COPIED).write_text(content)
    assert here.copy() == ["models/best/w"]
    assert json.loads((here.folder / COPIED).read_text())


def test_a_name_there_that_leads_out_is_not_followed(
    here: Machine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = here.place.put_bytes("small/x", b"x")
    monkeypatch.setattr(Place, "files", lambda self, folder: {"models/../../../evil": found})
    with pytest.raises(StudiesError, match="outside"):
        here.mirror.fetch()
    assert not (tmp_path / "evil").exists()
