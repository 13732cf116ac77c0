"""A run's temporary folder: owned while its driver lives, and swept away by a later one if that was killed."""

import fcntl
import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

OWNER = "owner"
MIN_SECONDS_ABANDONED = 60.0
"""A folder without an owner may be one that is just being made."""


@contextmanager
def owned(folder: Path) -> Iterator[None]:
    """Hold a lock in `folder` that the operating system drops when this process dies."""
    descriptor = os.open(folder / OWNER, os.O_WRONLY | os.O_CREAT, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    finally:
        os.close(descriptor)


def remove_abandoned_folders(min_seconds: float = MIN_SECONDS_ABANDONED) -> None:
    """Remove our folders whose driver was killed; those of others and those in use stay."""
    for parent in {Path(tempfile.gettempdir()), Path("/tmp")}:
        for owner in parent.glob(f"studies-*/{OWNER}"):
            if _is_abandoned(owner, min_seconds):
                shutil.rmtree(owner.parent, ignore_errors=True)


def _is_abandoned(owner: Path, min_seconds: float) -> bool:
    try:
        # No link is followed: anybody may make a folder of that name in a shared /tmp.
        descriptor = os.open(owner, os.O_WRONLY | os.O_NOFOLLOW)
    except OSError:
        return False
    try:
        folder = owner.parent.lstat()
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return folder.st_uid == os.geteuid() and time.time() - os.fstat(descriptor).st_mtime > min_seconds
    except OSError:
        return False
    finally:
        os.close(descriptor)
