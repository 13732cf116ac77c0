"""Locked files: whoever holds one lives, for the operating system drops the lock of a process that dies."""

import fcntl
import os
from pathlib import Path
from typing import Self


class FileLock:
    """A file of mode 0600 that this process has locked (flock(2))."""

    def __init__(self, path: Path, descriptor: int) -> None:
        """Hold the lock on an open file; `take` makes one."""
        self._path = path
        self._descriptor = descriptor

    @classmethod
    def take(cls, path: Path) -> Self | None:
        """Lock the file, made if need be; return None where somebody else has locked it."""
        while True:
            # Python opens it so that no process started later keeps it open, and with it the lock.
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                os.close(descriptor)
                return None
            except OSError:
                os.close(descriptor)
                raise
            if _is_still_at(descriptor, path):
                return cls(path, descriptor)
            os.close(descriptor)  # the one who had it removed it between our two steps

    def close(self) -> None:
        """Let go of the lock, and leave the file."""
        os.close(self._descriptor)

    def release(self) -> None:
        """Remove the file and let go of it, in this order: whoever opens it meanwhile sees that it is gone."""
        if _is_still_at(self._descriptor, self._path):
            self._path.unlink(missing_ok=True)
        self.close()


def is_locked(path: Path) -> bool:
    """Say whether somebody has locked the file, without making it; a link is an OSError."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW)
    except FileNotFoundError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(descriptor)
    return False


def _is_still_at(descriptor: int, path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(descriptor), path.lstat())
    except FileNotFoundError:
        return False
