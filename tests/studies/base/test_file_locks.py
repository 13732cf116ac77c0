"""A lock has one holder; it is gone with its file, or left behind for others to see that nobody holds it."""

import os
from pathlib import Path

import pytest

from studies.base.file_locks import FileLock, is_locked


def test_one_holder_at_a_time(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    assert not is_locked(path)
    lock = FileLock.take(path)
    assert lock is not None
    assert is_locked(path)
    assert FileLock.take(path) is None
    lock.release()
    assert not path.exists()


def test_a_closed_lock_leaves_its_file(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    lock = FileLock.take(path)
    assert lock is not None
    lock.close()
    assert path.exists()
    assert not is_locked(path)


def test_a_file_that_was_put_in_its_place_is_not_removed(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    lock = FileLock.take(path)
    assert lock is not None
    (tmp_path / "other").write_text("theirs", encoding="utf-8")
    os.replace(tmp_path / "other", path)
    lock.release()
    assert path.read_text(encoding="utf-8") == "theirs"


def test_no_link_is_followed(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(tmp_path / "elsewhere")
    for action in (FileLock.take, is_locked):
        with pytest.raises(OSError, match="symbolic"):
            action(tmp_path / "link")
    assert not (tmp_path / "elsewhere").exists()
