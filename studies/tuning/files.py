"""Files that are there whole or not at all, whenever the driver dies."""

import os
from contextlib import suppress
from pathlib import Path
from typing import Final

PARTIAL: Final = ".partial"
"""What the name of a file ends in while it is written; one that stays was left by a driver that died."""


def write_whole(path: Path, data: bytes, *, mode: int = 0o666) -> None:
    """Write a file under a temporary name, sync it, then give it its name; `mode` is subject to the umask.

    Where that fails with an OSError, what was there before stays.
    """
    temporary = path.with_name(path.name + PARTIAL)
    try:
        with open(temporary, "wb", opener=lambda name, flags: os.open(name, flags, mode)) as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except OSError:
        with suppress(OSError):
            temporary.unlink()
        raise
