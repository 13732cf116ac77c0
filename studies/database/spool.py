"""Writes that wait while the storage is out: lines of JSON in the study's folder, in order, each synced to the disk."""

import os
from collections import deque
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO, Final, Self, final

from studies.base.errors import StudiesError
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
from studies.database.spool_problems import (
    damaged,
    of_another_study,
    of_another_version,
    unreadable,
    unwritable,
)
from studies.database.writes import AddEvent, Write


@final
class LineFile:
    """Knows how many bytes of it are whole lines; what a kill or a full disk left after them is cut off."""

    def __init__(self, file: int, num_bytes: int = 0) -> None:
        """Take over an open file of which so many bytes are whole lines."""
        self._file = file
        self.num_bytes = num_bytes

    @classmethod
    def create(cls, path: Path, *, replaces: bool = False) -> Self:
        """Make an empty file; unless it replaces one, there must be none. The name is durable, too."""
        path.parent.mkdir(parents=True, exist_ok=True)
        flag = os.O_TRUNC if replaces else os.O_EXCL
        file = os.open(path, os.O_CREAT | os.O_RDWR | os.O_NOFOLLOW | flag, 0o600)
        sync_folder(path.parent)
        return cls(file)

    @classmethod
    def open(cls, path: Path) -> Self:
        """Open a file of which it is not known yet how much is whole."""
        return cls(os.open(path, os.O_RDWR | os.O_NOFOLLOW))

    def put(self, lines: bytes, *, durably: bool) -> int:
        """Write lines after the last whole one and return where they start; after an OSError they are not there."""
        start = self.num_bytes
        os.ftruncate(self._file, start)
        written = 0
        while written < len(lines):
            written += os.pwrite(self._file, lines[written:], start + written)
        if durably:
            os.fsync(self._file)
        self.num_bytes += len(lines)
        return start

    def read(self, start: int, length: int) -> bytes:
        """Return so many bytes."""
        return os.pread(self._file, length, start)

    def close(self) -> None:
        """Close it."""
        os.close(self._file)


def sync_folder(folder: Path) -> None:
    """Make the names in a folder durable."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


FILE_NAME: Final = "spool.jsonl"
SPOOLED: Final = "spooled"
"""The kind of the event that says that writes waited."""
MAX_BYTES: Final = 512 * 2**20


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
        """Look at what an earlier run left; a SpoolError if that is damaged, or another study's."""
        self.path = path
        self._origin, self._max_bytes = origin, max_bytes
        self._file: LineFile | None = None
        self._header: Header | None = None
        self._num_writes = 0
        self._waiting: deque[tuple[int, int, int]] = deque()  # number, start, length
        if path.exists():
            try:
                self._look()
            except StudiesError:
                self.close()
                raise

    @property
    def is_empty(self) -> bool:
        """Whether nothing waits, not even the event that says that something did."""
        return self._header is None

    @property
    def is_full(self) -> bool:
        """Whether it is past its limit; it has room again when it is empty."""
        return self._file is not None and self._file.num_bytes >= self._max_bytes

    @property
    def num_waiting(self) -> int:
        """The number of writes that have not come to the storage."""
        return len(self._waiting)

    @property
    def token(self) -> int:
        """The fencing token of the run that owns what waits."""
        return self._origin.token if self._header is None else self._header.origin.token

    def append(self, write: Write) -> None:
        """Keep a write; it is on the disk when this returns. A SpoolError if it cannot be."""
        header = self._header or Header(origin=self._origin, opened_at=datetime.now(UTC))
        first = header_line(header) if self.is_empty else b""
        line = write_line(self._num_writes + 1, write)
        try:
            if self._file is None:
                self._file = LineFile.create(self.path)
            start = self._file.put(first + line, durably=True)
        except OSError as error:
            raise unwritable(self.path, error) from error
        self._header = header
        self._num_writes += 1
        self._waiting.append((self._num_writes, start + len(first), len(line)))

    def first(self) -> Waiting | None:
        """Return what comes next: the first write that waits, after the last an event that says so, or nothing."""
        if self._header is None:
            return None
        if not self._waiting:
            return Waiting(number=None, write=self._event(self._header))
        number = self._waiting[0][0]
        try:
            line = parse(next(self._lines()))
            assert isinstance(line, Numbered)
            return Waiting(number=number, write=line.read())
        except (OSError, ValueError) as error:
            raise damaged(self.path, f"write {number}", error) from error

    def drop(self, done: Waiting) -> None:
        """Take note that `first` has come to the storage; after the event, the file goes away."""
        if done.number is not None:
            number, *_ = self._waiting.popleft()
            assert number == done.number
            self._note_drained(number)
        elif not self._waiting:
            self._remove()

    def adopt(self) -> None:
        """Make what an earlier run left our own, in a new file: that run, should it live on, has the old one."""
        if self._header is None:
            return
        num_drained = self._num_writes - len(self._waiting)
        header = Header(origin=self._origin, opened_at=self._header.opened_at, num_drained=num_drained)
        partial = self.path.with_name(self.path.name + ".partial")
        try:
            copy = LineFile.create(partial, replaces=True)
            copy.put(header_line(header), durably=False)
            for line in self._lines():
                copy.put(line, durably=False)
            copy.put(b"", durably=True)
            copy.close()
            partial.replace(self.path)
            sync_folder(self.path.parent)
        except OSError as error:
            raise unwritable(self.path, error) from error
        self._forget()
        self._look()

    def put_aside(self, name: str) -> None:
        """Rename what an earlier run left, so that nobody drains it."""
        try:
            self.path.rename(self.path.with_name(name))
        except OSError as error:
            raise unwritable(self.path, error) from error
        self._forget()

    def close(self) -> None:
        """Leave what waits to the next run."""
        if self._file is not None:
            self._file.close()
            self._file = None

    def _lines(self) -> Iterator[bytes]:
        """Yield the lines of the writes that wait."""
        for _, start, length in self._waiting:
            assert self._file is not None
            yield self._file.read(start, length)

    def _note_drained(self, number: int) -> None:
        assert self._file is not None
        # On a full disk a driver that dies now repeats more than one write, which does no harm either.
        with suppress(OSError):
            self._file.put(drained_line(number), durably=False)

    def _remove(self) -> None:
        try:
            self.path.unlink(missing_ok=True)
        except OSError as error:
            raise unwritable(self.path, error) from error
        self._forget()

    def _forget(self) -> None:
        self.close()
        self._header = None
        self._num_writes = 0
        self._waiting.clear()

    def _event(self, header: Header) -> AddEvent:
        """Return the event of this spool: of its moment there is only one, however often it is written."""
        since, now = header.opened_at, datetime.now(UTC)
        detail = (
            f"the storage was out from {since:%Y-%m-%d %H:%M:%S} to {now:%Y-%m-%d %H:%M:%S} UTC; "
            f"writes that waited in {self.path.name}: {self._num_writes}"
        )
        return AddEvent(event=SPOOLED, trial_number=None, detail=detail, at=since)

    def _look(self) -> None:
        try:
            self._file = LineFile.open(self.path)
            with self.path.open("rb") as lines:
                self._read(lines, self._file)
        except OSError as error:
            raise unreadable(self.path, error) from error
        if self._num_writes == 0:  # the driver died before the first write was acknowledged
            self._remove()

    def _read(self, lines: BinaryIO, file: LineFile) -> None:
        for place, line in enumerate(lines, start=1):
            if not line.endswith(b"\n"):
                return
            try:
                self._take(parse(line), file.num_bytes, len(line))
            except ValueError as error:
                raise damaged(self.path, f"line {place}", error) from error
            file.num_bytes += len(line)

    def _take(self, line: Header | Numbered | Drained, start: int, length: int) -> None:
        match line:
            case Header():
                self._check(line)
                self._header, self._num_writes = line, line.num_drained
            case _ if self._header is None:
                raise ValueError("it does not say whose writes these are")
            case Drained():
                while self._waiting and self._waiting[0][0] <= line.number:
                    self._waiting.popleft()
            case Numbered():
                self._num_writes += 1
                if line.number != self._num_writes:
                    raise ValueError(f"write {self._num_writes} is missing")
                self._waiting.append((line.number, start, length))

    def _check(self, header: Header) -> None:
        theirs, ours = header.origin, self._origin
        if header.format != FORMAT:
            raise of_another_version(self.path, header.format)
        if (theirs.study, theirs.created_at) != (ours.study, ours.created_at):
            raise of_another_study(self.path, theirs)
