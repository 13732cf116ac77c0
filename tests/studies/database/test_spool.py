"""The spool's file: what was appended is there after any death, in order; what is damaged is refused and kept."""

import errno
import os
import stat
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from studies.base.states import StudyState
from studies.database.spool import SPOOLED, Spool
from studies.database.spool_lines import Origin
from studies.database.spool_problems import SpoolError
from studies.database.writes import AddEvent, SetStudyState, Write
from tests.studies.database.recorded import MOMENT

ORIGIN = Origin(study="depth_study", created_at=MOMENT, storage="postgresql://ann:***@db/studies")
FIRST, SECOND, THIRD = (
    AddEvent(event="note", trial_number=number, detail="x" * 50, at=MOMENT) for number in (1, 2, 3)
)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Return where the spool of a new study is."""
    return tmp_path / "depth_study" / "spool.jsonl"


@pytest.fixture
def written(path: Path) -> Path:
    """Return a spool in which three writes wait."""
    spool = Spool(path, ORIGIN)
    for write in (FIRST, SECOND, THIRD):
        spool.append(write)
    spool.close()
    return path


def drained(spool: Spool, most: int = 100) -> list[Write]:
    """Take writes out of a spool and return them."""
    writes: list[Write] = []
    while len(writes) < most and (waiting := spool.first()) is not None:
        writes.append(waiting.write)
        spool.drop(waiting)
    return writes


def test_an_empty_spool_has_no_file(path: Path) -> None:
    spool = Spool(path, ORIGIN)
    assert (spool.is_empty, spool.num_waiting, spool.first()) == (True, 0, None)
    assert not path.parent.exists()


def test_writes_come_out_in_order_then_an_event_and_the_file_is_gone(path: Path) -> None:
    spool = Spool(path, ORIGIN)
    for write in (FIRST, SECOND):
        spool.append(write)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert drained(spool, 1) == [FIRST]
    spool.append(THIRD)
    second, third, event = drained(spool)
    assert (second, third) == (SECOND, THIRD)
    assert isinstance(event, AddEvent)
    assert event.event == SPOOLED
    assert event.detail.startswith("the storage was out from 20")
    assert event.detail.endswith(" UTC; writes that waited in spool.jsonl: 3")
    assert spool.is_empty
    assert list(path.parent.iterdir()) == []


def test_a_spool_may_be_filled_again(path: Path) -> None:
    spool = Spool(path, ORIGIN)
    events = []
    for _ in range(2):
        spool.append(FIRST)
        first, event = drained(spool)
        assert first == FIRST
        events.append(event)
    assert events[0] != events[1]


def test_what_comes_while_the_event_is_written_is_kept(path: Path) -> None:
    spool = Spool(path, ORIGIN)
    spool.append(FIRST)
    assert drained(spool, 1) == [FIRST]
    event = spool.first()
    assert event is not None
    spool.append(SECOND)
    spool.drop(event)
    second, again = drained(spool)
    assert second == SECOND
    assert isinstance(again, AddEvent)
    assert isinstance(event.write, AddEvent)
    assert (again.event, again.at) == (event.write.event, event.write.at), "it would be told twice"


@pytest.mark.parametrize("num_drained", range(4))
def test_the_next_run_goes_on_where_the_last_one_died(written: Path, num_drained: int) -> None:
    drained(Spool(written, ORIGIN), num_drained)
    again = Spool(written, ORIGIN)
    assert again.num_waiting == 3 - num_drained
    again.append(FIRST)
    *writes, _ = drained(again)
    assert writes == [*[FIRST, SECOND, THIRD][num_drained:], FIRST]
    assert not written.exists()


def test_wherever_the_last_line_is_torn_the_others_are_kept(written: Path) -> None:
    lines = written.read_bytes().splitlines(keepends=True)
    whole = b"".join(lines[:-1])
    for length in range(len(lines[-1])):
        written.write_bytes(whole + lines[-1][:length])
        with closing(Spool(written, ORIGIN)) as spool:
            assert spool.num_waiting == 2
            spool.append(THIRD)
        with closing(Spool(written, ORIGIN)) as again:
            assert drained(again, 3) == [FIRST, SECOND, THIRD]


@pytest.mark.parametrize("share", [0.0, 0.3, 0.5, 0.9])
def test_a_first_write_that_is_torn_was_never_acknowledged(written: Path, share: float) -> None:
    first = b"".join(written.read_bytes().splitlines(keepends=True)[:2])
    written.write_bytes(first[: int(share * len(first))])
    assert Spool(written, ORIGIN).is_empty
    assert not written.exists()


DAMAGES: dict[str, tuple[Callable[[list[bytes]], list[bytes]], str]] = {
    "a changed number": (
        lambda lines: [lines[0], lines[1].replace(b'"trial_number":1', b'"trial_number":7'), *lines[2:]],
        "at line 2: it is not as it was written",
    ),
    "a missing line": (lambda lines: [*lines[:2], lines[3]], "at line 3: write 2 is missing"),
    "a missing start": (lambda lines: lines[1:], "at line 1: it does not say whose writes these are"),
    "an empty line": (lambda lines: [*lines, b"\n"], "at line 5: it is not as it was written"),
    "another file": (lambda lines: [b"a,b\n", b"1,2\n"], "at line 1: it is not as it was written"),
    "zeros": (lambda lines: [*lines[:2], b"\0" * 40 + b"\n", lines[3]], "at line 3: it is not"),
}


@pytest.mark.parametrize("kind", DAMAGES)
def test_a_damaged_spool_is_refused_and_left_as_it_is(written: Path, kind: str) -> None:
    damage, message = DAMAGES[kind]
    written.write_bytes(b"".join(damage(written.read_bytes().splitlines(keepends=True))))
    before = written.read_bytes()
    with pytest.raises(SpoolError, match=message) as caught:
        Spool(written, ORIGIN)
    assert f"mv {written} {written}.damaged" in caught.value.advice
    assert caught.value.exit_code == 1
    assert written.read_bytes() == before


@pytest.mark.parametrize(
    "other",
    [
        Origin(study="another", created_at=MOMENT, storage=ORIGIN.storage),
        Origin(study=ORIGIN.study, created_at=MOMENT + timedelta(seconds=1), storage=ORIGIN.storage),
    ],
)
def test_another_studys_writes_are_refused(written: Path, other: Origin) -> None:
    with pytest.raises(SpoolError, match="another study, depth_study of 2026-05-04 12:30 UTC in postgresql"):
        Spool(written, other)
    assert Spool(written, ORIGIN).num_waiting == 3


def test_an_adopted_spool_leaves_the_old_file_to_who_has_it(written: Path) -> None:
    old, mine = Spool(written, ORIGIN), replace(ORIGIN, token=7)
    drained(old, 1)
    new = Spool(written, mine)
    assert new.token == 0
    new.adopt()
    old.append(FIRST)
    assert (new.token, new.num_waiting) == (7, 2)
    assert stat.S_IMODE(written.stat().st_mode) == 0o600
    new.append(THIRD)
    new.close()
    second, third, again, event = drained(Spool(written, ORIGIN))
    assert [second, third, again] == [SECOND, THIRD, THIRD]
    assert isinstance(event, AddEvent)
    assert event.detail.endswith("waited in spool.jsonl: 4")
    assert list(written.parent.iterdir()) == []


def test_an_empty_spool_needs_no_adoption(path: Path) -> None:
    spool = Spool(path, ORIGIN)
    spool.adopt()
    assert spool.is_empty


def test_a_disk_too_full_for_a_copy_keeps_the_old_spool(
    written: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as context:
        FullDisk(200, context)
        spool = Spool(written, ORIGIN)
        with pytest.raises(SpoolError, match="No space left"):
            spool.adopt()
    assert drained(Spool(written, ORIGIN), 3) == [FIRST, SECOND, THIRD]


def test_a_study_may_have_moved_with_its_storage(written: Path) -> None:
    moved = Origin(study=ORIGIN.study, created_at=ORIGIN.created_at, storage="sqlite:////tmp/copy.db")
    assert Spool(written, moved).num_waiting == 3


def test_a_write_of_a_later_version_is_refused(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("studies.database.spool_lines.encode", lambda write: b'{"kind":"paint"}')
    Spool(path, ORIGIN).append(FIRST)
    with pytest.raises(SpoolError, match="damaged at write 1: 1 validation error"):
        Spool(path, ORIGIN).first()
    with monkeypatch.context() as later:
        later.setattr("studies.database.spool.FORMAT", 2)
        with pytest.raises(SpoolError, match=r"left by another version of Studies \(format 1\)"):
            Spool(path, ORIGIN)


def test_no_link_is_followed(path: Path, tmp_path: Path) -> None:
    path.parent.mkdir()
    (tmp_path / "precious").write_text("precious")
    path.symlink_to(tmp_path / "precious")
    with pytest.raises(SpoolError, match="cannot be read"):
        Spool(path, ORIGIN)
    assert (tmp_path / "precious").read_text() == "precious"


class FullDisk:
    """A disk with room for so many bytes more."""

    def __init__(self, room: int, monkeypatch: pytest.MonkeyPatch) -> None:
        self.room, self._pwrite = room, os.pwrite
        monkeypatch.setattr(os, "pwrite", self.write)

    def write(self, file: int, data: bytes, start: int) -> int:
        """Write what there is room for, as a file system does."""
        if not self.room:
            raise OSError(errno.ENOSPC, "No space left on device")
        written = self._pwrite(file, data[: self.room], start)
        self.room -= written
        return written


@pytest.mark.parametrize("room", [0, 20, 150, 350])
def test_a_full_disk_is_told_and_nothing_whole_is_lost(
    path: Path, monkeypatch: pytest.MonkeyPatch, room: int
) -> None:
    spool = Spool(path, ORIGIN)
    kept: list[Write] = []

    def fill() -> None:
        for write in (FIRST, SECOND):
            spool.append(write)
            kept.append(write)

    with monkeypatch.context() as context:
        FullDisk(room, context)
        with pytest.raises(SpoolError, match="cannot be written either: No space left on device") as caught:
            fill()
    assert "Make room" in caught.value.advice
    spool.append(THIRD)
    assert drained(Spool(path, ORIGIN), len(kept) + 1) == [*kept, THIRD]


def test_a_disk_too_full_to_note_what_is_drained_does_not_stop_it(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spool = Spool(path, ORIGIN)
    for write in (FIRST, SECOND, THIRD):
        spool.append(write)
    with monkeypatch.context() as context:
        FullDisk(10, context)
        assert drained(spool, 2) == [FIRST, SECOND]
    assert Spool(path, ORIGIN).num_waiting == 3, "repeats do no harm"
    assert drained(spool)[0] == THIRD
    assert spool.is_empty


def test_it_is_full_past_its_limit_until_it_is_empty(path: Path) -> None:
    spool = Spool(path, ORIGIN, max_bytes=500)
    while not spool.is_full:
        spool.append(SetStudyState(state=StudyState.RUNNING))
    num_waiting = spool.num_waiting
    assert num_waiting > 1
    drained(spool, num_waiting - 1)
    assert spool.is_full
    drained(spool)
    assert not spool.is_full
