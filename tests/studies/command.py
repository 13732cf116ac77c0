"""The real command in a process group of its own, as a terminal starts it, with everything that it leaves behind."""

import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from types import MappingProxyType
from typing import Any

from trainables.kernels.cache import OFF

ROOT = Path(__file__).resolve().parents[2]
MARK = "STUDIES_TEST_MARK"
TIMEOUT = 120.0
"""Seconds in which any small study is done, on a machine with much else to do."""

STUDY = '''"""Does a second layer help? Small enough to be trained in seconds."""

from search_spaces.optimizers import LEARNING_RATES
from studies.study import Confirm, Search, Study

STUDY = Study(
    question="Does a second hidden layer help?",
    factors={"depth": (1, 2)},
    nuisances={"learning_rate": LEARNING_RATES},
    fixed={"width": 16, "batch_size": 4},
    replicates=2,
    search=Search(trials_per_cell=4, rungs=(3, 9)),
    confirm=Confirm(epochs=9),
)
'''


class Command:
    """A run of `studies DOOR` in `folder`; its temporary files go to the folder `temporary`."""

    def __init__(
        self, folder: Path, door: str, *arguments: str, settings: Mapping[str, str] = MappingProxyType({})
    ) -> None:
        """Start a door, or another module by its full name, with `settings` in its environment."""
        self.folder = folder
        self.temporary = Path(tempfile.mkdtemp(prefix="q", dir="/tmp"))
        self._mark = uuid.uuid4().hex
        environment = {name: value for name, value in os.environ.items() if not name.startswith("STUDIES_")}
        environment |= {
            MARK: self._mark,
            "PYTHONPATH": str(ROOT),
            "TMPDIR": str(self.temporary),
            # By torch's operations a small study lasts until something has happened to it: by kernels its trials are
            # over before Ray has noticed that one of its processes is gone.
            OFF: "1",
            # Two threads on cores that others use as well are several times slower than one.
            "OMP_NUM_THREADS": "1",
            # Ray's workers give way to everything else that runs, such as other tests.
            "RAY_worker_niceness": "0",
            **settings,
        }
        self._output, self._errors = folder / f"{self._mark}.out", folder / f"{self._mark}.err"
        with self._output.open("w") as output, self._errors.open("w") as errors:
            self.process = subprocess.Popen(
                [sys.executable, "-m", door if "." in door else f"studies.{door}", *arguments],
                cwd=folder,
                env=environment,
                stdout=output,
                stderr=errors,
                start_new_session=True,
            )

    @property
    def output(self) -> str:
        """What it has printed on standard output so far."""
        return self._output.read_text()

    @property
    def errors(self) -> str:
        """What it has printed on standard error so far."""
        return self._errors.read_text()

    def finish(self, timeout: float = TIMEOUT) -> int:
        """Wait for its end and return the exit code."""
        return self.process.wait(timeout)

    def press_ctrl_c(self) -> None:
        """Send what a terminal sends: SIGINT to the whole group."""
        os.killpg(self.process.pid, signal.SIGINT)

    def wait_until(self, condition: Callable[[], bool]) -> None:
        """Wait until `condition` holds; fail if the command ends before."""
        deadline = time.monotonic() + TIMEOUT
        while not condition():
            assert self.process.poll() is None, f"ended too early: {self.errors}"
            assert time.monotonic() < deadline, "nothing happened"
            time.sleep(0.005)

    def wait_until_left(self, condition: Callable[[], bool]) -> None:
        """Wait until `condition` holds, whether or not the command has ended."""
        deadline = time.monotonic() + TIMEOUT
        while not condition():
            assert time.monotonic() < deadline, "nothing happened"
            time.sleep(0.05)

    @contextmanager
    def standing_still(self) -> Iterator[None]:
        """Stop its process meanwhile, so that a short study is not over; what it started goes on."""
        self.process.send_signal(signal.SIGSTOP)
        try:
            yield
        finally:
            self.process.send_signal(signal.SIGCONT)

    def processes(self) -> list[Path]:
        """Return the entries in /proc of itself and of what it started, as far as they are still there.

        Ray's agents overwrite some of their environment, but have their logs open.
        """
        mark = f"{MARK}={self._mark}".encode()
        processes = [path for path in Path("/proc").iterdir() if path.name.isdecimal()]
        return [path for path in processes if _has(path, mark) or _has_open(path, f"{self.temporary}/")]

    def left_processes(self) -> list[str]:
        """Return the command lines of the processes that it started and that are still there."""
        return [read(process / "cmdline").replace(b"\0", b" ").decode() for process in self.processes()]

    def close(self) -> None:
        """End what is left, so that no test disturbs the next."""
        for process in self.processes():
            os.kill(int(process.name), signal.SIGKILL)
        self.process.wait()
        shutil.rmtree(self.temporary, ignore_errors=True)


@contextmanager
def started(
    folder: Path, door: str, *arguments: str, settings: Mapping[str, str] = MappingProxyType({})
) -> Iterator[Command]:
    """Start a command with `settings` in its environment, and leave nothing of it."""
    command = Command(folder, door, *arguments, settings=settings)
    try:
        yield command
    finally:
        command.close()


def finished(folder: Path, door: str, *arguments: str) -> Command:
    """Run a command to its end and return it; its exit code is `process.returncode`."""
    with started(folder, door, *arguments) as command:
        command.finish()
    return command


def rows(folder: Path, query: str) -> list[tuple[Any, ...]]:
    """Return what a query finds in the default storage of `folder`; nothing while there is none."""
    path = folder / "runs" / "studies.db"
    if not path.exists():
        return []
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as connection:
        try:
            return connection.execute(query).fetchall()
        except sqlite3.OperationalError:  # the tables are just being made
            return []


def record(folder: Path) -> dict[str, list[tuple[Any, ...]]]:
    """Return everything recorded that a repetition must repeat: all but times, processes and attempts."""
    return {
        "trial": rows(
            folder,
            "SELECT number, phase, cell, params, state, stop_reason, rung, epochs, objective, error FROM trial "
            "ORDER BY number",
        ),
        "replicate": rows(folder, "SELECT * FROM replicate ORDER BY trial_number, replicate"),
        "epoch": rows(
            folder,
            "SELECT trial_number, replicate, epoch, train_loss, train_accuracy, val_loss, val_accuracy, "
            "learning_rate, metrics FROM epoch ORDER BY 1, 2, 3",
        ),
        "layer_gradient": rows(
            folder, "SELECT * FROM layer_gradient ORDER BY trial_number, replicate, epoch, layer"
        ),
        "decision": rows(
            folder, "SELECT trial_number, epoch, objective, decision FROM rung_result ORDER BY sequence"
        ),
        "evaluation": rows(folder, "SELECT * FROM evaluation ORDER BY trial_number, replicate"),
        "artifact": rows(folder, "SELECT path, sha256, num_bytes, trial_number FROM artifact ORDER BY path"),
    }


def _has(process: Path, mark: bytes) -> bool:
    """Say whether a live process has `mark` in its environment."""
    return mark in read(process / "environ").split(b"\0")


def _has_open(process: Path, inside: str) -> bool:
    """Say whether a process has a file in a folder open; the tests' own has none."""
    for link in _list(process / "fd"):
        with suppress(OSError):
            if os.readlink(link).startswith(inside):
                return True
    return False


def _list(folder: Path) -> list[Path]:
    """Return what is in a folder, nothing where it has gone or is not ours."""
    try:
        return list(folder.iterdir())
    except OSError:
        return []


def read(path: Path) -> bytes:
    """Return what a file of a process says, nothing where that has ended meanwhile or is not ours."""
    try:
        return path.read_bytes()
    except OSError:
        return b""
