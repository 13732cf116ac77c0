"""A file is synced before it gets its name, and two processes that write the same one do not mix."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from reports.pages.atomic_files import PARTIAL, write_whole


def test_what_gets_the_name_is_on_the_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    order: list[str] = []
    sync, replace = os.fsync, Path.replace

    def syncing(descriptor: int) -> None:
        order.append(f"sync {os.fstat(descriptor).st_size} bytes")
        sync(descriptor)

    def replacing(path: Path, target: Path) -> Path:
        order.append(f"name {target.name}")
        return replace(path, target)

    monkeypatch.setattr(os, "fsync", syncing)
    monkeypatch.setattr(Path, "replace", replacing)
    write_whole(tmp_path / "a", b"twelve bytes")
    assert order == ["sync 12 bytes", "name a"]


def test_another_process_that_writes_the_same_file_is_not_disturbed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def ours() -> Iterator[bytes]:
        yield b"ou"
        with monkeypatch.context() as other:
            other.setattr(os, "getpid", lambda: 1)
            write_whole(tmp_path / "a", b"theirs")
        yield b"rs"

    write_whole(tmp_path / "a", ours())
    assert (tmp_path / "a").read_bytes() == b"ours"
    assert list(tmp_path.glob(f"*{PARTIAL}")) == []


def test_what_a_killed_process_left_is_found_by_its_ending(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Path, "unlink", lambda path: None)
    monkeypatch.setattr(Path, "replace", lambda path, target: target)
    write_whole(tmp_path / "a", b"half")
    assert len(list(tmp_path.glob(f"*{PARTIAL}"))) == 1
