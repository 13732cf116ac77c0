"""Finds and removes the folders and processes of a Ray whose driver has died."""

import os
import shutil
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from studies.base.file_locks import FileLock, is_locked

ROOT = Path(__file__).resolve().parents[2]
PROGRAM = (
    "import sys; sys.path.append(sys.argv[1]); from studies.cluster.reaper import guard; guard(*sys.argv[2:])"
)
MAX_SECONDS = 10.0
"""How long the guard waits for late processes in a folder; what appears later is removed by the next run."""


@contextmanager
def guarded(folder: Path, last_words: str, *, secrets: Collection[str] = ()) -> Iterator[Callable[[], None]]:
    """Start a guard that removes `folder` and its processes and prints `last_words` if this process dies in here.

    Yields a function that keeps the guard from printing, for a process that ends itself with its own message. After an
    orderly end the folder is gone, and the guard does nothing. (Ray ends its own processes when their driver dies, but
    takes a minute for the last of them.) The guard does not inherit the environment variables in `secrets`.
    """
    # A new interpreter rather than a fork, without site packages: 10 ms and 10 MB. The operating system closes the pipe
    # however this process dies, and a session of its own keeps Ctrl-C from the guard.
    process = subprocess.Popen(
        [sys.executable, "-I", "-S", "-c", PROGRAM, str(ROOT), str(folder), last_words],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        env={name: value for name, value in os.environ.items() if name not in secrets},
        start_new_session=True,
    )
    assert process.stdin is not None
    line = process.stdin

    def hush() -> None:
        line.write(b"told")
        line.flush()

    try:
        yield hush
    finally:
        line.close()
        process.wait()


def guard(folder: str, last_words: str) -> None:
    """Wait until standard input closes; if `folder` still exists then, its driver was killed, so clean up."""
    is_told = bool(sys.stdin.buffer.read())
    if not Path(folder).exists():
        return
    if last_words and not is_told:
        print(last_words, file=sys.stderr, flush=True)
        _log(Path(folder, LOG), last_words)
    deadline = time.monotonic() + MAX_SECONDS
    while end_processes(Path(folder), patience_seconds=0.0) and time.monotonic() < deadline:
        time.sleep(0.05)
    shutil.rmtree(folder, ignore_errors=True)


LOG = "log"
"""The file in a run's folder that holds the path of the run's log, once it has one."""


def _log(note: Path, last_words: str) -> None:
    """Append the last words to the run's log, unless it has none or cannot be written."""
    with suppress(OSError):
        path = note.read_text(encoding="utf-8")
        descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_NOFOLLOW)
        with os.fdopen(descriptor, "w", encoding="utf-8") as log:
            log.write(f"{last_words}\n")


OWNER = "owner"
TEMPORARY = "tmp"
"""Subfolder of a run's folder for temporary files of its processes, not of the driver."""
PATIENCE_SECONDS = 5.0
MAX_SECONDS_TO_DIE = 5.0
"""A killed process that takes longer is blocked by a device that does not answer."""
MIN_SECONDS_ABANDONED = 60.0
"""A younger folder without an owner may be one that is just being made."""


@contextmanager
def owned(folder: Path) -> Iterator[None]:
    """Hold a lock in `folder` that the operating system drops when this process dies."""
    lock = FileLock.take(folder / OWNER)
    assert lock is not None, f"{folder} was made for this process alone"
    try:
        yield
    finally:
        lock.close()


def remove_abandoned_folders(parent: Path, min_seconds: float = MIN_SECONDS_ABANDONED) -> None:
    """Remove this user's folders below `parent` whose driver was killed, with their processes; not those in use."""
    for owner in parent.glob(f"studies-*/{OWNER}"):
        if _is_abandoned(owner, min_seconds):
            end_processes(owner.parent, patience_seconds=0.0)
            shutil.rmtree(owner.parent, ignore_errors=True)


def _is_abandoned(owner: Path, min_seconds: float) -> bool:
    """Say whether a folder of ours has an owner that nobody is; a link in a shared /tmp may be anybody's."""
    try:
        is_ours = owner.parent.lstat().st_uid == os.geteuid()
        return is_ours and time.time() - owner.lstat().st_mtime > min_seconds and not is_locked(owner)
    except OSError:
        return False


def end_processes(folder: Path, patience_seconds: float = PATIENCE_SECONDS) -> int:
    """Wait until no other process works in `folder`; after `patience_seconds` kill those that still do.

    Returns how many were killed. Ray leaves behind workers that are slow to end and, for a minute after a driver was
    killed, its agents. Without /proc no processes are found.
    """
    deadline = time.monotonic() + patience_seconds
    while _processes(folder) and time.monotonic() < deadline:
        time.sleep(0.05)
    killed = set[int]()
    deadline = time.monotonic() + MAX_SECONDS_TO_DIE
    # A killed process exists until its memory has been freed, and may just have started another.
    while (left := _processes(folder)) and time.monotonic() < deadline:
        for number in left:
            with suppress(ProcessLookupError):
                os.kill(number, signal.SIGKILL)
        killed.update(left)
        time.sleep(0.01)
    return len(killed)


def _processes(folder: Path) -> list[int]:
    # Not by psutil: its environ() ends at an empty entry, which the titles of Ray's agents leave before the mark, its
    # open_files() lacks files that were removed, and the guard, which runs without site packages, has no psutil.
    mark, inside = f"TMPDIR={folder / TEMPORARY}".encode(), f"{folder}{os.sep}"
    return [
        int(process.name)
        for process in Path("/proc").glob("[0-9]*")
        if int(process.name) != os.getpid() and (_has(process / "environ", mark) or _writes(process, inside))
    ]


def _has(environment: Path, mark: bytes) -> bool:
    try:
        return mark in environment.read_bytes().split(b"\0")
    except OSError:  # the process has ended, or belongs to another user
        return False


def _writes(process: Path, inside: str) -> bool:
    """Return whether a process has a file in the folder open for writing, as Ray's agents have their logs.

    The agents set a process title, which overwrites part of the environment in which the mark is looked for.
    """
    try:
        opened = list((process / "fd").iterdir())
    except OSError:
        return False
    return any(_is_written(link, inside) for link in opened)


def _is_written(link: Path, inside: str) -> bool:
    try:
        return bool(link.lstat().st_mode & stat.S_IWUSR) and os.readlink(link).startswith(inside)
    except OSError:  # the file was closed meanwhile
        return False
