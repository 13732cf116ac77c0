"""Files that are there whole or not at all, whenever the process that writes them dies."""

import os
import stat
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import Final

PARTIAL: Final = ".partial"
"""What the name of a file ends in while it is written; one that stays was left by a process that died."""


def make_private(folder: Path) -> None:
    """Make a folder, and missing ones above it, accessible to their owner only."""
    missing = [each for each in (folder, *folder.parents) if not each.exists()]
    for each in reversed(missing):
        each.mkdir(mode=0o700, exist_ok=True)


def write_whole(path: Path, content: bytes | Iterable[bytes]) -> None:
    """Write under a temporary name beside the target, sync, then rename: readers see the old file or the new one.

    A new file is its owner's alone; one that is written again stays as open as its owner has made it. Where that fails
    with an OSError, which names the file, what was there before stays.
    """
    temporary = path.with_name(f".{path.name}.{os.getpid()}{PARTIAL}")
    try:
        with open(temporary, "wb", opener=_private) as file:
            _keep_mode(file.fileno(), path)
            file.writelines([content] if isinstance(content, bytes) else content)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except OSError as error:
        # What a full disk raises while a file is written names no file.
        raise type(error)(error.errno, error.strerror, str(path)) from error
    finally:
        with suppress(OSError):
            temporary.unlink()


def _private(name: str, flags: int) -> int:
    """Open a new file for its owner alone; what others have put there instead is not followed."""
    return os.open(name, flags | os.O_NOFOLLOW, 0o600)


def _keep_mode(descriptor: int, path: Path) -> None:
    """Leave a file that is written again as open as its owner has made it."""
    try:
        found = path.lstat()
    except FileNotFoundError:
        return
    if stat.S_ISREG(found.st_mode):
        os.fchmod(descriptor, stat.S_IMODE(found.st_mode))
