"""A file of whole lines that only its owner can read, written at its end and synced."""

import os
from pathlib import Path
from typing import Self, final


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
