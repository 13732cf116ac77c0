"""Files appear whole or not at all; CSV holds no cell that a spreadsheet would run."""

import errno
import io
import resource
import stat
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

from reports.pages import rendering
from reports.pages.rendering import csv_parts, write_csv, write_page


def as_csv(frame: pd.DataFrame) -> bytes:
    """The whole of a CSV file."""
    return b"".join(csv_parts(frame))


def test_text_that_starts_a_formula_is_escaped_and_numbers_are_not() -> None:
    frame = pd.DataFrame(
        {"error": ["=1+1", "@x", "+1+1", "-a", "\tx", "plain", None], "value": [-1.5, 1, 2, 3, 4, 5, 6]}
    )
    read = pd.read_csv(io.BytesIO(as_csv(frame)))
    assert list(read["error"])[:6] == ["'=1+1", "'@x", "'+1+1", "'-a", "'\tx", "plain"]
    assert pd.isna(read["error"][6])
    assert read["value"][0] == -1.5


def test_texts_that_are_numbers_are_no_formulas() -> None:
    classes = ["-1", "+1", "-1.5e-3", "--1", "-1-1", "-1\n"]
    assert [rendering.escaped(name) for name in classes] == [*classes[:3], "'--1", "'-1-1", "'-1\n"]


def test_mixed_cells_and_column_names_are_escaped_too() -> None:
    frame = pd.DataFrame({"=name": pd.Series(["=a", 3, None, True], dtype=object)})
    text = as_csv(frame).decode()
    assert text.splitlines()[0] == "'=name"
    assert text.splitlines()[1] == "'=a"


def test_the_frame_stays_as_it_was() -> None:
    frame = pd.DataFrame({"error": ["=1"]})
    as_csv(frame)
    assert frame["error"][0] == "=1"


def test_plain_numbers_are_written_as_pandas_writes_them(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever the rows are, and wherever one part of the file ends."""
    monkeypatch.setattr(rendering, "_ROWS_AT_ONCE", 3)
    numbers = [0.1 + 0.2, -1e-9, 1234567890.0, float("nan"), float("inf"), 0.0, 3.0]
    frame = pd.DataFrame(
        {"=epoch": range(7), "loss": numbers, "rate": numbers[::-1], "exact": numbers[5:6] * 7}
    )
    expected = frame.rename(columns={"=epoch": "'=epoch"}).to_csv(index=False, float_format="%.7g")
    assert as_csv(frame).decode() == expected
    assert as_csv(frame.iloc[:0]).decode() == expected.splitlines(keepends=True)[0]


def test_texts_beside_numbers_are_written_as_pandas_writes_them() -> None:
    texts = ["a", "c,d", 'q"x', "e\nf", "g\rh", "", None, " s ", "=1", "'x", "é", "a"]
    frame = pd.DataFrame({"row": range(12), "text": pd.Series(texts, dtype="str"), "x": 0.5})
    expected = frame.assign(text=frame["text"].replace("=1", "'=1")).to_csv(index=False)
    assert as_csv(frame).decode() == expected


def test_numbers_are_written_the_same_beside_text_and_alone() -> None:
    frame = pd.DataFrame({"loss": [0.1 + 0.2, float("nan"), -float("inf")], "epoch": [1, 2, 3]})
    beside = as_csv(frame.assign(text="a")).decode()
    assert as_csv(frame).decode() == beside.replace(",text", "").replace(",a", "")


def test_a_failed_write_keeps_the_old_file_and_leaves_nothing_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = tmp_path / "frame.csv"
    write_page(target, b"old")

    def full(rows: pd.DataFrame) -> str:
        raise OSError(errno.ENOSPC, "no space left on device")

    monkeypatch.setattr(rendering, "_plain", full)
    with pytest.raises(OSError, match="no space"):
        write_csv(target, pd.DataFrame({"epoch": [1], "loss": [0.5]}))
    assert [path.name for path in tmp_path.iterdir()] == ["frame.csv"]
    assert target.read_text() == "old"


def test_missing_folders_are_made(tmp_path: Path) -> None:
    write_page(tmp_path / "a" / "b" / "c.txt", b"x")
    assert (tmp_path / "a" / "b" / "c.txt").read_bytes() == b"x"


def test_a_new_file_is_its_owners_alone_and_one_that_is_there_stays_as_open_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "made" / "too" / "index.html"
    write_page(path, b"one")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [stat.S_IMODE(each.stat().st_mode) for each in (path.parent, path.parent.parent)] == [0o700, 0o700]
    path.chmod(0o644)
    write_page(path, b"two")
    assert (path.read_bytes(), stat.S_IMODE(path.stat().st_mode)) == (b"two", 0o644)


def test_a_link_in_its_place_is_replaced_and_what_it_leads_to_stays(tmp_path: Path) -> None:
    (tmp_path / "other").write_bytes(b"theirs")
    (tmp_path / "report.html").symlink_to(tmp_path / "other")
    write_page(tmp_path / "report.html", b"ours")
    assert (tmp_path / "other").read_bytes() == b"theirs"
    assert not (tmp_path / "report.html").is_symlink()


@pytest.mark.parametrize("write", [write_page, lambda path, data: write_csv(path, frame_of(data))])
def test_what_stops_a_write_names_the_file(write: Callable[[Path, bytes], None], tmp_path: Path) -> None:
    """A limit on the size of files is met as a full disk is: the system names no file then."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, before[1]))
    try:
        with pytest.raises(OSError, match="too large") as caught:
            write(tmp_path / "page.html", bytes(100_000))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert caught.value.filename == str(tmp_path / "page.html")
    assert list(tmp_path.iterdir()) == []


def frame_of(data: bytes) -> pd.DataFrame:
    """Return the bytes as a column."""
    return pd.DataFrame({"byte": list(data)})
