"""Finds the process that holds the lock of a SQLite file, on Linux, and what to do about it."""

import os
import shlex
import socket
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

_LOCKS: Final = Path("/proc/locks")
_WRITER, _RECOVERY = 120, 122
"""Bytes of the WAL index (-shm) that a writer, checkpoint or recovery locks (sqlite.org/walformat.html, 2.3)."""
_ADVICE: Final = "the same command then goes on where it stopped."


@dataclass(frozen=True, kw_only=True)
class LockHolder:
    """A process of this machine that holds a file's lock; `is_stopped` by a signal or a debugger."""

    process: int
    command: str
    is_stopped: bool


def locked_words(path: Path) -> tuple[str, str]:
    """Return why a locked file cannot be used, and what to do, with the holding process where that is known."""
    holder = find_lock_holder(path)
    here = socket.gethostname()
    if holder is None:
        return (
            "is locked by another process for longer than is waited for",
            f"Find it on its machine (fuser -v {shlex.quote(str(path))}), let it go on or end it; {_ADVICE}",
        )
    number = holder.process
    if number == os.getpid():
        return f"is locked by this process ({number} on {here}) itself", f"End it (kill {number}); {_ADVICE}"
    command = f" ({holder.command})" if holder.command else ""
    what = f"is locked by process {number} on {here}{command}, inside a transaction"
    if holder.is_stopped:
        return (
            f"{what}; that process is stopped",
            f"Let it go on (kill -CONT {number}) or end it (kill -KILL {number}); {_ADVICE}",
        )
    return what, f"Wait for it, or end it (kill {number}, then kill -KILL {number}); {_ADVICE}"


def find_lock_holder(path: Path) -> LockHolder | None:
    """Return who on this machine has a SQLite file locked for writing; None where nobody is found."""
    import psutil  # here, because it takes 20 ms that only a locked file is worth

    number = next((each for each in _processes(path) if each > 0), None)
    if number is None:
        return None
    try:
        process = psutil.Process(number)
        # The program's name alone: its arguments may hold a password.
        command, status = process.name(), process.status()
    except psutil.Error:  # it has ended meanwhile, or is hidden
        command, status = "", ""
    is_stopped = status in (psutil.STATUS_STOPPED, psutil.STATUS_TRACING_STOP)
    return LockHolder(process=number, command=command, is_stopped=is_stopped)


def _processes(path: Path) -> Iterator[int]:
    index = path.with_name(f"{path.name}-shm")
    for file, first, last in ((index, _WRITER, _RECOVERY), (path, 0, None)):
        try:
            inode = file.stat().st_ino
            lines = _LOCKS.read_text(encoding="ascii").splitlines()
        except OSError:  # there is no such file, or no /proc
            continue
        for line in lines:
            words = line.split()
            # For example: 3: POSIX ADVISORY WRITE 4711 fe:01:1234 120 120; a waiting one has -> before its kind.
            if "->" in words or len(words) != 8 or words[3] != "WRITE":
                continue
            is_here = words[5].rpartition(":")[2] == str(inode) and _overlaps(words[6], words[7], first, last)
            if is_here and _has_open(int(words[4]), file):
                yield int(words[4])


def _overlaps(start: str, end: str, first: int, last: int | None) -> bool:
    return (end == "EOF" or int(end) >= first) and (last is None or int(start) <= last)


def _has_open(process: int, file: Path) -> bool:
    """Whether a process has this file open: inode numbers repeat across disks. True where that is not readable."""
    try:
        return any(
            os.path.samefile(descriptor, file)
            for descriptor in Path(f"/proc/{process}/fd").iterdir()
            if descriptor.exists()
        )
    except OSError:
        return True
