"""Atomic writes: a file is there completely or not at all, whenever the process dies."""

import os
from contextlib import suppress
from pathlib import Path
from typing import Final

PARTIAL: Final = ".partial"
"""Suffix of a file's name while it is being written; a file that keeps it was left by a process that died."""


def write_whole(path: Path, data: bytes, *, mode: int = 0o600) -> None:
    """Replace the file at `path` with `data`: write a temporary file, sync it, then rename it.

    `mode` holds the permission bits; by default only the owner may read it. Raises the OSError of a failed write with
    `path` as its file name; the earlier file is then unchanged.
    """
    temporary = path.with_name(path.name + PARTIAL)
    try:
        with open(temporary, "wb", opener=lambda name, flags: os.open(name, flags, mode)) as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except OSError as error:
        with suppress(OSError):
            temporary.unlink()
        # The error of a full disk during a write carries no file name.
        raise type(error)(error.errno, error.strerror, str(path)) from error
