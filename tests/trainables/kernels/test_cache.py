"""Compiled code is kept for just its sources, where it can be written, and one process at a time fills the cache."""

import os
import platform
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from trainables.kernels import cache

FILLING = """
import sys
import time
from pathlib import Path
from trainables.kernels import cache

name, log, gate = sys.argv[1:]

def note(what):
    with open(log, "a") as file:
        print(name, what, file=file, flush=True)

note("came")
with cache.filling():
    note("filled" if cache.is_filled() else "empty")
    while not Path(gate).exists():
        time.sleep(0.01)
    note("ends")
"""


@pytest.fixture(autouse=True)
def afresh(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    """Look for the folder anew, with sources and a user's cache of the test's own."""
    sources = tmp_path / "sources"
    sources.mkdir()
    (sources / "one.py").write_text("1")
    (sources / "other.py").write_text("2")
    monkeypatch.setattr(cache, "HERE", sources)
    monkeypatch.delenv("NUMBA_CACHE_DIR", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "user"))
    cache.folder.cache_clear()
    yield
    cache.folder.cache_clear()


def found() -> Path | None:
    cache.folder.cache_clear()
    return cache.folder()


def cannot_be_written(path: Path) -> None:
    """Put a file where a folder is to be made: even an administrator then cannot make it."""
    path.write_text("in the way")


def test_it_lies_beside_the_sources(tmp_path: Path) -> None:
    folder = found()
    assert folder is not None
    assert folder.parent == tmp_path / "sources" / "__pycache__"
    assert folder.is_dir()
    assert folder.stat().st_mode & 0o077 == 0
    assert list(folder.iterdir()) == []
    assert found() == folder


def test_other_sources_have_another_one(tmp_path: Path) -> None:
    sources, before = tmp_path / "sources", found()
    (sources / "one.py").write_text("3")
    changed = found()
    (sources / "more.py").write_text("")
    (sources / "notes.txt").write_text("no source")
    assert len({before, changed, found()}) == 2
    (sources / "more.py").write_text("4")
    assert len({before, changed, found()}) == 3
    (sources / "more.py").unlink()
    (sources / "one.py").write_text("1")
    # The time of a change does not matter.
    os.utime(sources / "one.py", (0, 0))
    assert found() == before


@pytest.mark.parametrize("package", ["numba", "llvmlite"])
def test_another_compiler_has_another_one(monkeypatch: pytest.MonkeyPatch, package: str) -> None:
    before, own = found(), cache._version
    monkeypatch.setattr(cache, "_version", lambda name: "0.0" if name == package else own(name))
    assert found() != before


def test_one_that_is_not_installed_has_no_version() -> None:
    assert cache._version("no-such-package") == ""


def test_where_sources_cannot_be_written_it_is_the_users(tmp_path: Path) -> None:
    beside = found()
    assert beside is not None
    beside.rmdir()
    beside.parent.rmdir()
    cannot_be_written(beside.parent)
    assert found() == tmp_path / "user" / "studies" / beside.name


def test_a_folder_in_which_no_file_can_be_made_is_passed_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    temporary_file = tempfile.TemporaryFile

    def refuse(*, dir: Path) -> object:  # noqa: A002
        if dir.is_relative_to(tmp_path / "sources"):
            raise PermissionError(dir)
        return temporary_file(dir=dir)

    monkeypatch.setattr(tempfile, "TemporaryFile", refuse)
    folder = found()
    assert folder is not None
    assert folder.is_relative_to(tmp_path / "user")


def test_without_a_place_for_caches_it_is_the_homes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cannot_be_written(tmp_path / "sources" / "__pycache__")
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.delenv("LOCALAPPDATA", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    folder = found()
    assert folder is not None
    assert folder.parent == tmp_path / "home" / ".cache" / "studies"


def test_where_nothing_can_be_written_there_is_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cannot_be_written(tmp_path / "sources" / "__pycache__")
    cannot_be_written(tmp_path / "user")
    assert found() is None
    assert not cache.is_filled()
    with cache.filling():
        pass
    assert not cache.is_filled()


def test_a_user_without_a_home_has_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_home() -> Path:
        raise RuntimeError("Could not determine home directory.")

    cannot_be_written(tmp_path / "sources" / "__pycache__")
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.delenv("LOCALAPPDATA", raising=False)
    monkeypatch.setattr(Path, "home", no_home)
    assert found() is None


def test_a_place_that_was_chosen_is_the_only_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(tmp_path / "chosen"))
    folder = found()
    assert folder is not None
    assert folder.parent == tmp_path / "chosen"
    cannot_be_written(tmp_path / "file")
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(tmp_path / "file"))
    assert found() is None


def test_it_counts_as_filled_after_a_normal_end_alone() -> None:
    assert not cache.is_filled()
    with pytest.raises(ValueError, match="broke off"), cache.filling():
        raise ValueError("broke off")
    assert not cache.is_filled()
    with cache.filling():
        assert not cache.is_filled()
    assert cache.is_filled()
    with cache.filling():
        assert cache.is_filled()


def test_other_sources_and_other_processors_have_to_fill_it_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with cache.filling():
        pass
    with monkeypatch.context() as other:
        other.setattr(cache, "_flags", lambda: "another processor")
        assert not cache.is_filled()
    assert cache.is_filled()
    (tmp_path / "sources" / "one.py").write_text("3")
    cache.folder.cache_clear()
    assert not cache.is_filled()


def test_a_processor_is_told_by_what_the_system_says_of_it(monkeypatch: pytest.MonkeyPatch) -> None:
    lines = "\n".join(f"processor: {n}\nmodel name: One\ncpu MHz: {n}\nflags: a b" for n in range(2))
    monkeypatch.setattr(Path, "read_text", lambda *_, **__: lines)
    assert cache._flags() == "model name: Oneflags: a b"

    def unknown(*_: object, **__: object) -> str:
        raise FileNotFoundError

    monkeypatch.setattr(Path, "read_text", unknown)
    assert cache._flags() == platform.processor()


class Filler:
    """A process that fills the cache until its gate opens."""

    def __init__(self, name: str, folder: Path) -> None:
        self.gate, self.log = folder / f"{name} may end", folder / "log"
        arguments = [sys.executable, "-c", FILLING, name, str(self.log), str(self.gate)]
        environment = {**os.environ, "NUMBA_CACHE_DIR": str(folder / "chosen")}
        self.process = subprocess.Popen(arguments, env=environment)

    def end(self) -> None:
        """Open the gate and wait for a normal end."""
        self.gate.touch()
        assert self.process.wait(60) == 0


@pytest.fixture
def fillers(tmp_path: Path) -> Iterator[list[Filler]]:
    """Room for processes, which end with the test at the latest."""
    started: list[Filler] = []
    yield started
    for filler in started:
        filler.process.kill()
        filler.process.wait()


def start(name: str, folder: Path, fillers: list[Filler], *noted: str) -> None:
    """Start a process and wait until just this has been noted."""
    fillers.append(Filler(name, folder))
    log = folder / "log"
    while not log.exists() or log.read_text().splitlines() != list(noted):
        assert fillers[-1].process.poll() is None
        time.sleep(0.01)


def test_another_process_waits_and_finds_the_cache_filled(fillers: list[Filler], tmp_path: Path) -> None:
    log = tmp_path / "log"
    start("first", tmp_path, fillers, "first came", "first empty")
    start("second", tmp_path, fillers, "first came", "first empty", "second came")
    fillers[1].gate.touch()
    for filler in fillers:
        filler.end()
    assert log.read_text().splitlines()[3:] == ["first ends", "second filled", "second ends"]


def test_where_the_first_is_killed_the_next_one_fills(fillers: list[Filler], tmp_path: Path) -> None:
    log = tmp_path / "log"
    start("first", tmp_path, fillers, "first came", "first empty")
    start("second", tmp_path, fillers, "first came", "first empty", "second came")
    fillers[0].process.kill()
    fillers[1].end()
    assert log.read_text().splitlines()[3:] == ["second empty", "second ends"]
