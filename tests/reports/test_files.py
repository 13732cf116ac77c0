"""Files appear whole or not at all; CSV holds no cell that a spreadsheet would run."""

import io
from pathlib import Path

import pandas as pd
import pytest

from reports.files import as_csv, write_whole


def test_text_that_starts_a_formula_is_escaped_and_numbers_are_not() -> None:
    frame = pd.DataFrame(
        {"error": ["=1+1", "@x", "+1", "-1", "\tx", "plain", None], "value": [-1.5, 1, 2, 3, 4, 5, 6]}
    )
    read = pd.read_csv(io.BytesIO(as_csv(frame)))
    assert list(read["error"])[:6] == ["'=1+1", "'@x", "'+1", "'-1", "'\tx", "plain"]
    assert pd.isna(read["error"][6])
    assert read["value"][0] == -1.5


def test_mixed_cells_and_column_names_are_escaped_too() -> None:
    frame = pd.DataFrame({"=name": pd.Series(["=a", 3, None, True], dtype=object)})
    text = as_csv(frame).decode()
    assert text.splitlines()[0] == "'=name"
    assert text.splitlines()[1] == "'=a"


def test_the_frame_stays_as_it_was() -> None:
    frame = pd.DataFrame({"error": ["=1"]})
    as_csv(frame)
    assert frame["error"][0] == "=1"


def test_a_failed_write_keeps_the_old_file_and_leaves_nothing_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = tmp_path / "page.html"
    write_whole(target, b"old")

    def full(self: Path, content: bytes) -> int:
        with self.open("wb") as file:
            file.write(content[:1])
        raise OSError("no space left on device")

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(OSError, match="no space"):
        write_whole(target, b"new")
    assert [path.name for path in tmp_path.iterdir()] == ["page.html"]
    assert target.read_text() == "old"


def test_missing_folders_are_made(tmp_path: Path) -> None:
    write_whole(tmp_path / "a" / "b" / "c.txt", b"x")
    assert (tmp_path / "a" / "b" / "c.txt").read_bytes() == b"x"
