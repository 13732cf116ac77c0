"""A run's temporary folder and the processes that work in it: both go away with the driver, or with a later one."""

import fcntl
import os
import shutil
import signal
import stat
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

OWNER = "owner"
TEMPORARY = "tmp"
"""The folder in a run's own that its processes, but not the driver, have for their temporary files."""
PATIENCE_SECONDS = 5.0
MAX_SECONDS_TO_DIE = 5.0
"""Beyond this a killed process waits for a device that does not answer."""
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


def remove_abandoned_folders(parent: Path, min_seconds: float = MIN_SECONDS_ABANDONED) -> None:
    """Remove our folders whose driver was killed, and end what works there; those of others and in use stay."""
    for owner in parent.glob(f"studies-*/{OWNER}"):
        if _is_abandoned(owner, min_seconds):
            end_processes(owner.parent, patience_seconds=0.0)
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


def end_processes(folder: Path, patience_seconds: float = PATIENCE_SECONDS) -> int:
    """Wait until no other process works in `folder`; kill those that are still there after a while, until they end.

    Returns how many were killed. Ray leaves behind workers that are slow to end, and for a minute its agents where a
    driver was killed. Without /proc nothing is found, and they end by themselves.
    """
    deadline = time.monotonic() + patience_seconds
    while _processes(folder) and time.monotonic() < deadline:
        time.sleep(0.05)
    killed = set[int]()
    deadline = time.monotonic() + MAX_SECONDS_TO_DIE
    # One that was killed is there until the system has cleared away its memory, and may just have started another.
    while (left := _processes(folder)) and time.monotonic() < deadline:
        for number in left:
            with suppress(ProcessLookupError):
                os.kill(number, signal.SIGKILL)
        killed.update(left)
        time.sleep(0.01)
    return len(killed)


def _processes(folder: Path) -> list[int]:
    mark, inside = f"TMPDIR={folder / TEMPORARY}".encode(), f"{folder}{os.sep}"
    return [
        int(process.name)
        for process in Path("/proc").glob("[0-9]*")
        if int(process.name) != os.getpid() and (_has(process / "environ", mark) or _writes(process, inside))
    ]


def _has(environment: Path, mark: bytes) -> bool:
    try:
        return mark in environment.read_bytes().split(b"\0")
    except OSError:  # it has ended meanwhile, or belongs to somebody else
        return False


def _writes(process: Path, inside: str) -> bool:
    """Say whether a process has a file in a folder open for writing, as Ray's agents have their logs.

    These give themselves a title, for which they overwrite as much of their environment as it happens to take.
    """
    try:
        opened = list((process / "fd").iterdir())
    except OSError:
        return False
    return any(_is_written(link, inside) for link in opened)


def _is_written(link: Path, inside: str) -> bool:
    try:
        return bool(link.lstat().st_mode & stat.S_IWUSR) and os.readlink(link).startswith(inside)
    except OSError:  # it was closed meanwhile
        return False
