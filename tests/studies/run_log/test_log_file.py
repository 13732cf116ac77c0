"""A run's log: appended, dated, private, bounded, followed through its change of files, and never a reason to fail."""

import os
import stat
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from studies.base.errors import StudiesError
from studies.run_log import log_file
from studies.run_log.log_file import EARLIER, FILE_NAME, Follower, RunLog, earlier_lines
from tests.studies.command import ROOT

NOON = "2026-01-02 12:00:00"


def new_log() -> RunLog:
    return RunLog(now=lambda: datetime(2026, 1, 2, 12, tzinfo=UTC))


def lines_in(folder: Path) -> list[str]:
    text = (folder / FILE_NAME).read_text(encoding="utf-8")
    assert text.endswith("\n")
    return text.removesuffix("\n").split("\n")


def test_what_is_told_before_it_begins_is_kept_and_shown(tmp_path: Path) -> None:
    log, shown = new_log(), list[str]()
    log.telling(shown.append)("planning")
    assert os.listdir(tmp_path) == []
    log.begin(tmp_path, "run: x")
    log.write("one\ntwo\n")
    log.end(None)
    assert shown == ["planning"]
    assert lines_in(tmp_path) == [
        f"{NOON} {line}" for line in ("run: x", "planning ...", "one", "two", "end of the run, after 0 s")
    ]
    assert stat.S_IMODE((tmp_path / FILE_NAME).stat().st_mode) == 0o600


def test_a_resumed_run_goes_on_below(tmp_path: Path) -> None:
    for number in (1, 2):
        log = new_log()
        log.begin(tmp_path, f"run {number}")
        log.end(None)
    assert [line for line in lines_in(tmp_path) if " run " in line][:1] == [f"{NOON} run 1"]


def test_an_error_is_written_with_what_to_do_and_another_with_its_traceback(tmp_path: Path) -> None:
    def run(error: Exception) -> None:
        log = new_log()
        with log.to_the_end():
            log.begin(tmp_path)
            raise error

    with pytest.raises(StudiesError):
        run(StudiesError("it is broken", "Mend it."))
    assert lines_in(tmp_path)[:2] == [f"{NOON} error: it is broken", f"{NOON} Mend it."]
    with pytest.raises(OverflowError):
        run(OverflowError("too large"))
    assert any("OverflowError: too large" in line for line in lines_in(tmp_path))


def test_a_log_that_never_began_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(StudiesError), new_log().to_the_end():
        raise StudiesError("it is broken", "Mend it.")
    assert os.listdir(tmp_path) == []


@given(st.text())
def test_no_text_controls_a_terminal_or_is_refused(text: str) -> None:
    log = new_log()
    log.note(text)
    waiting = "".join(log._waiting)
    assert all(char.isprintable() or char == "\n" for char in waiting)
    waiting.encode("utf-8", "replace")


def test_a_full_log_gives_way_to_a_new_one_and_two_are_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(log_file, "MAX_BYTES", 1000)
    log = new_log()
    log.begin(tmp_path)
    follower = Follower(tmp_path / FILE_NAME)
    followed = list[str]()
    for number in range(200):
        log.note(f"line {number}")
        followed += follower.new_lines()
    log.end(None)
    followed += follower.new_lines()
    follower.close()
    sizes = [path.stat().st_size for path in tmp_path.iterdir()]
    assert sorted(os.listdir(tmp_path)) == [FILE_NAME, FILE_NAME + EARLIER]
    assert max(sizes) < 1100
    assert [line.removeprefix(f"{NOON} ") for line in followed[:-1]] == [f"line {n}" for n in range(200)]
    kept = [*earlier_lines(tmp_path / FILE_NAME), *lines_in(tmp_path)]
    assert kept == followed[-len(kept) :], "the two files together are the end of what was written"


def test_what_is_written_just_before_a_log_gives_way_is_not_lost(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / FILE_NAME
    path.write_text("one\n")
    follower = Follower(path)
    looked = follower._is_replaced

    def is_replaced() -> bool:
        with path.open("a") as file:
            file.write("two\n")
        path.replace(path.with_name(FILE_NAME + EARLIER))
        path.write_text("three\n")
        return looked()

    monkeypatch.setattr(follower, "_is_replaced", is_replaced)
    assert follower.new_lines() == ["one", "two", "three"]
    follower.close()


def test_a_follower_waits_for_whole_lines_and_for_the_file(tmp_path: Path) -> None:
    path = tmp_path / FILE_NAME
    follower = Follower(path)
    assert follower.new_lines() == []
    path.write_text("one\ntw")
    assert follower.new_lines() == ["one"]
    assert follower.unfinished() == ["tw"]
    with path.open("a") as file:
        file.write("o\n")
    assert follower.new_lines() == ["two"]
    follower.close()


@pytest.mark.parametrize("way", ["a folder", "a link", "no folder"])
def test_a_log_that_cannot_be_written_is_told_once(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], way: str
) -> None:
    folder, other = tmp_path / "runs", tmp_path / "others"
    other.write_text("theirs")
    if way != "no folder":
        folder.mkdir()
    if way == "a folder":
        (folder / FILE_NAME).mkdir()
    if way == "a link":
        (folder / FILE_NAME).symlink_to(other)
    log = new_log()
    log.begin(folder, "run: x")
    log.note("more")
    log.end(None)
    told = capsys.readouterr().err
    assert told.count("note: the log") == 1
    assert "the run goes on without it" in told
    assert other.read_text() == "theirs"


def test_the_output_of_a_run_without_terminal_goes_there_too(tmp_path: Path) -> None:
    program = (
        "import os, sys, pathlib\n"
        "from studies.run_log import log_file\n"
        "log_file.MAX_BYTES = 300\n"
        "log = log_file.RunLog(takes_output=True)\n"
        "print('before', flush=True)\n"
        f"log.begin(pathlib.Path({str(tmp_path)!r}), 'run: x')\n"
        "os.system('echo from another process')\n"
        "for number in range(10): log.note('x' * 50)\n"
        "print('after', flush=True)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert (done.stdout, done.stderr) == ("before\n", "")
    assert "from another process" in (tmp_path / (FILE_NAME + EARLIER)).read_text() or (
        lines_in(tmp_path)[-1] == "after"
    )
    assert lines_in(tmp_path)[-1] == "after"
