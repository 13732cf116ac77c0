"""Files that are there whole or not at all, whenever the driver dies."""

import os
from contextlib import suppress
from pathlib import Path
from typing import Final

PARTIAL: Final = ".partial"
"""What the name of a file ends in while it is written; one that stays was left by a driver that died."""


def write_whole(path: Path, data: bytes, *, mode: int = 0o600) -> None:
    """Write a file under a temporary name, sync it, then give it its name; by default its owner's alone.

    Where that fails with an OSError, which names the file, what was there before stays.
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
        # What a full disk raises while a file is written names no file.
        raise type(error)(error.errno, error.strerror, str(path)) from error
