"""Writes that wait while the storage is out: lines of JSON in the study's folder, in order, each synced to the disk."""

import os
import shlex
from collections import deque
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO, Final, final

from studies.database.spool_lines import (
    FORMAT,
    Drained,
    Header,
    Numbered,
    Origin,
    drained_line,
    header_line,
    parse,
    write_line,
)
from studies.database.writes import AddEvent, Write
from studies.errors import StudiesError

FILE_NAME: Final = "spool.jsonl"
SPOOLED: Final = "spooled"
"""The kind of the event that says that writes waited."""
MAX_BYTES: Final = 512 * 2**20


class SpoolError(StudiesError):
    """The spool cannot be read or written, or writes are left in it."""


@dataclass(frozen=True, kw_only=True)
class Waiting:
    """A write that waits, with its number; the event that ends a spool has none."""

    number: int | None
    write: Write


@final
class Spool:
    """The writes of one study that wait for its storage; its file is there only while there are some.

    A driver that dies while it drains repeats at most the write it was at: the file says how far it came. A last line
    that is not whole was never acknowledged, and is cut off. After an error nothing was kept or dropped.
    """

    def __init__(self, path: Path, origin: Origin, *, max_bytes: int = MAX_BYTES) -> None:
        """Take up what an earlier run left; a SpoolError if that is damaged, or another study's."""
        self.path = path
        self._origin, self._max_bytes = origin, max_bytes
        self._file: int | None = None
        self._header: Header | None = None
        self._num_bytes = 0
        self._num_writes = 0
        self._waiting: deque[tuple[int, int, int]] = deque()  # number, start, length
        if path.exists():
            self._take_up()

    @property
    def is_empty(self) -> bool:
        """Whether nothing waits, not even the event that says that something did."""
        return self._header is None

    @property
    def is_full(self) -> bool:
        """Whether it is past its limit; it has room again when it is empty."""
        return self._num_bytes >= self._max_bytes

    @property
    def num_waiting(self) -> int:
        """The number of writes that have not come to the storage."""
        return len(self._waiting)

    def append(self, write: Write) -> None:
        """Keep a write; it is on the disk when this returns. A SpoolError if it cannot be."""
        header = self._header or Header(origin=self._origin, opened_at=datetime.now(UTC))
        first = header_line(header) if self.is_empty else b""
        line = write_line(self._num_writes + 1, write)
        try:
            if self._file is None:
                self._file = self._create()
            self._put(first + line)
            os.fsync(self._file)
        except OSError as error:
            raise self._unwritable(error) from error
        self._header = header
        self._num_writes += 1
        start = self._num_bytes + len(first)
        self._waiting.append((self._num_writes, start, len(line)))
        self._num_bytes = start + len(line)

    def first(self) -> Waiting | None:
        """Return what comes next: the first write that waits, after the last an event that says so, or nothing."""
        if self._header is None:
            return None
        if not self._waiting:
            return Waiting(number=None, write=self._event(self._header))
        assert self._file is not None
        number, start, length = self._waiting[0]
        try:
            line = parse(os.pread(self._file, length, start))
            assert isinstance(line, Numbered)
            return Waiting(number=number, write=line.read())
        except (OSError, ValueError) as error:
            raise self._damaged(f"write {number}", error) from error

    def drop(self, done: Waiting) -> None:
        """Take note that `first` has come to the storage; after the event, the file goes away."""
        if done.number is not None:
            number, *_ = self._waiting.popleft()
            assert number == done.number
            self._note_drained(number)
        elif not self._waiting:
            self._remove()

    def close(self) -> None:
        """Leave what waits to the next run."""
        if self._file is not None:
            os.close(self._file)
            self._file = None

    def left_behind(self, why: str) -> SpoolError:
        """Return the error of a run that ends before all its writes have come to the storage."""
        return SpoolError(
            f"{why}; writes that wait in {self.path}: {self.num_waiting}",
            "Nothing is lost: when the storage is back, give the same command again on this machine; it writes them "
            "first.",
        )

    def refused(self, write: Waiting, error: Exception) -> SpoolError:
        """Return the error of a write that the storage will not take, today or later."""
        what = error.message if isinstance(error, StudiesError) else f"{type(error).__name__}: {error}"
        return SpoolError(
            f"a write that waited in {self.path} (number {write.number}) is refused: {what}",
            f"Put the file away and give the same command again: {self._put_away('refused')}\n"
            "What it alone holds is trained again.",
        )

    def _create(self) -> int:
        """Make the file, readable by its owner alone."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        file = os.open(self.path, os.O_CREAT | os.O_EXCL | os.O_RDWR | os.O_NOFOLLOW, 0o600)
        _sync_folder(self.path.parent)
        return file

    def _put(self, lines: bytes) -> None:
        """Write after the last whole line; what a kill or a full disk left of another is cut off."""
        assert self._file is not None
        os.ftruncate(self._file, self._num_bytes)
        written = 0
        while written < len(lines):
            written += os.pwrite(self._file, lines[written:], self._num_bytes + written)

    def _note_drained(self, number: int) -> None:
        line = drained_line(number)
        try:
            self._put(line)
        except OSError:
            # A full disk: should the driver die now, it repeats more than one write, which does no harm either.
            return
        self._num_bytes += len(line)

    def _remove(self) -> None:
        try:
            self.path.unlink(missing_ok=True)
        except OSError as error:
            raise self._unwritable(error) from error
        self.close()
        self._header = None
        self._num_bytes = self._num_writes = 0

    def _event(self, header: Header) -> AddEvent:
        """Return the event of this spool: of its moment there is only one, however often it is written."""
        since, now = header.opened_at, datetime.now(UTC)
        detail = (
            f"the storage was out from {since:%Y-%m-%d %H:%M:%S} to {now:%Y-%m-%d %H:%M:%S} UTC; "
            f"writes that waited in {self.path.name}: {self._num_writes}"
        )
        return AddEvent(event=SPOOLED, trial_number=None, detail=detail, at=since)

    def _take_up(self) -> None:
        try:
            self._file = os.open(self.path, os.O_RDWR | os.O_NOFOLLOW)
            with self.path.open("rb") as lines:
                self._read(lines)
        except OSError as error:
            self.close()
            raise SpoolError(
                f"{self.path}, in which writes wait, cannot be read: {error.strerror}",
                "Make it readable and writable for you; then give the same command again.",
            ) from error
        except SpoolError:
            self.close()
            raise
        if self._num_writes == 0:  # the driver died before the first write was acknowledged
            self._remove()

    def _read(self, lines: BinaryIO) -> None:
        for place, line in enumerate(lines, start=1):
            if not line.endswith(b"\n"):
                return
            try:
                self._take(parse(line), len(line))
            except ValueError as error:
                raise self._damaged(f"line {place}", error) from error
            self._num_bytes += len(line)

    def _take(self, line: Header | Numbered | Drained, num_bytes: int) -> None:
        match line:
            case Header():
                self._check(line)
                self._header = line
            case _ if self._header is None:
                raise ValueError("it does not say whose writes these are")
            case Drained():
                while self._waiting and self._waiting[0][0] <= line.number:
                    self._waiting.popleft()
            case Numbered():
                self._num_writes += 1
                if line.number != self._num_writes:
                    raise ValueError(f"write {self._num_writes} is missing")
                self._waiting.append((line.number, self._num_bytes, num_bytes))

    def _check(self, header: Header) -> None:
        theirs, ours = header.origin, self._origin
        if header.format != FORMAT:
            raise SpoolError(
                f"{self.path} was left by another version of Studies (format {header.format})",
                "Let that version go on: give it the same command.",
            )
        if (theirs.study, theirs.created_at) != (ours.study, ours.created_at):
            raise SpoolError(
                f"{self.path} holds writes of another study, {theirs.study} of {theirs.created_at:%Y-%m-%d %H:%M} UTC "
                f"in {theirs.storage}",
                f"Give the --storage that has it; if it is gone, put the file away: {self._put_away('old')}",
            )

    def _damaged(self, where: str, error: Exception) -> SpoolError:
        return SpoolError(
            f"{self.path}, in which writes wait, is damaged at {where}: {str(error).splitlines()[0]}",
            f"Put it away and give the same command again: {self._put_away('damaged')}\n"
            "What it alone holds is trained again.",
        )

    def _unwritable(self, error: OSError) -> SpoolError:
        return SpoolError(
            f"the storage is out, and {self.path} cannot be written either: {error.strerror}",
            "Make room on the disk, or mend the storage; the same command then goes on where it stopped.",
        )

    def _put_away(self, how: str) -> str:
        return shlex.join(["mv", str(self.path), f"{self.path}.{how}"])


def _sync_folder(folder: Path) -> None:
    """Make the names in a folder durable."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
