"""A small process beside the driver that outlives it: when the driver was killed, it ends what the driver started."""

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from pathlib import Path

from studies.cluster.folders import end_processes

ROOT = Path(__file__).resolve().parents[2]
PROGRAM = (
    "import sys; sys.path.append(sys.argv[1]); from studies.cluster.reaper import guard; guard(*sys.argv[2:])"
)
MAX_SECONDS = 10.0
"""How long processes may go on appearing in a folder that was left; then a later run sweeps it."""


@contextmanager
def guarded(folder: Path, last_words: str, *, secrets: Collection[str] = ()) -> Iterator[Callable[[], None]]:
    """Have `folder` and the processes in it removed, and `last_words` said, should this process die in here.

    Yields what has them left unsaid, for a process that ends itself and has said why.
    The folder is gone when this context is left in order. Ray ends its own processes when their driver dies, but takes
    a minute for the last of them. The guard does not inherit the environment's `secrets`.
    """
    # Started anew rather than forked, without site packages: it takes 10 ms and 10 MB. The operating system closes the
    # pipe at any death, and in a session of its own the guard hears no Ctrl-C.
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
    """Wait until standard input ends; if `folder` is still there, its driver was killed."""
    is_told = bool(sys.stdin.buffer.read())
    if not Path(folder).exists():
        return
    if last_words and not is_told:
        print(last_words, file=sys.stderr, flush=True)
    deadline = time.monotonic() + MAX_SECONDS
    while end_processes(Path(folder), patience_seconds=0.0) and time.monotonic() < deadline:
        time.sleep(0.05)
    shutil.rmtree(folder, ignore_errors=True)
