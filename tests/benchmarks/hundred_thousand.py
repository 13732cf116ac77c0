"""How long do 100,000 trials of ten replicates take to look at, report and resume, and how much memory?

The storage is `depth_study` with more rates a cell, and results of the usual shape that are made up: every epoch of
every network, its layers at the initialisation and at the rungs, in the confirm phase at every epoch. That is 3.1 GB,
which take ten minutes or more to write: `--folder` says where it is kept, and found the next time; `--trials` makes
another number of them. Each door is the real command, in a process of its own.
"""

import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import psutil

from studies.base.states import StudyState
from studies.database.store import Store
from studies.planning.plan import Plan
from studies.planning.request import Request, draft
from studies.search.trial_queue import TrialQueue
from tests.benchmarks.made_up import build
from tests.benchmarks.measuring.part import part_parser
from tests.benchmarks.measuring.text import table
from trainables import datasets

NAME = "large"
NUM_CELLS = 54
TRIALS = 100_000
QUICK_TRIALS = 378
DOORS = ("list", "status", "show", "show --trial 7", "report")
MOST_TO_VERIFY = 20_000
"""Of more trials `verify` is left out: it holds every row in memory, over a hundred KB for each trial."""
GOALS = {"list": "1 s", "status": "1 s", "report": "120 s, 1,536 MiB", "until a new trial": "60 s"}
TIMEOUT = 900.0
METERED = """
import resource, subprocess, sys, time
started = time.monotonic()
code = subprocess.call(sys.argv[1:], stdout=subprocess.DEVNULL)
used = resource.getrusage(resource.RUSAGE_CHILDREN)
print(time.monotonic() - started, used.ru_utime + used.ru_stime, used.ru_maxrss)
sys.exit(code)
"""
"""Starts a command from a small process: until it is loaded, a command counts the memory of what started it."""
ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True, kw_only=True)
class Measured:
    """Seconds on the clock and of the processor, and MiB of memory: at the peak, of a process that runs at its end."""

    what: str
    seconds: float
    processor_seconds: float | None = None
    peak_mib: float | None = None

    def row(self) -> list[str]:
        """Return the cells of a table."""
        optional = [self.processor_seconds, self.peak_mib]
        shown = [
            "" if each is None else f"{each:,.{digits}f}"
            for each, digits in zip(optional, (1, 0), strict=True)
        ]
        return [self.what, f"{self.seconds:.1f}", *shown, GOALS.get(self.what, "")]


def section(folder: Path, num_trials: int) -> str:
    """Build the storage in a folder where it is not there yet, measure, and return the table."""
    trials_per_cell = max(2, round(num_trials / NUM_CELLS) - 1)
    request = Request(
        study="depth_study", settings={"search.trials_per_cell": trials_per_cell, "looks": []}, name=NAME
    )
    built = [] if (folder / "studies.db").exists() else [_build(folder, request)]
    doors = (*DOORS, "verify") if num_trials <= MOST_TO_VERIFY else DOORS
    measured = [*built, *(_run(folder / "studies.db", door) for door in doors), *_resume(folder, request)]
    head = ["", "seconds", "of the processor", "peak MiB", "goal"]
    return f"{_holds(folder / 'studies.db')}\n\n" + table(head, [m.row() for m in measured])


def main() -> None:
    """Print the section."""
    parser = part_parser(__doc__)
    parser.add_argument("--folder", type=Path, help="where the storage is kept (default: nowhere)")
    parser.add_argument("--trials", type=int, default=TRIALS, help=f"about how many (default: {TRIALS:,})")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(options.folder or temporary).resolve()
        folder.mkdir(parents=True, exist_ok=True)
        print(section(folder, QUICK_TRIALS if options.quick else options.trials))


def _holds(storage: Path) -> str:
    """Say what a storage holds."""
    with closing(sqlite3.connect(storage)) as connection:
        counts = {
            table: connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0]
            for table in ("trial", "replicate", "epoch", "layer_gradient")
        }
    held = "{trial:,} trials, {replicate:,} networks, {epoch:,} epochs, {layer_gradient:,} layers".format(
        **counts
    )
    return f"{held}: {storage.stat().st_size / 1e9:.2f} GB."


def _build(folder: Path, request: Request) -> Measured:
    started = time.monotonic()
    plan = draft(request).freeze(datasets.load("digits"))
    partial = folder / "partial.db"
    with Store.open(f"sqlite:///{partial}") as store:
        build(store, plan, command=request.command("run"))
    partial.rename(folder / "studies.db")
    return Measured(what="building the storage", seconds=time.monotonic() - started)


def _run(storage: Path, door: str) -> Measured:
    """Run a door as a user does."""
    words = [
        sys.executable,
        "-c",
        METERED,
        *_words(*door.split()[:1], *([] if door == "list" else [NAME]), *door.split()[1:]),
    ]
    done = subprocess.run(
        words, env=_environment(storage), cwd=ROOT, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise SystemExit(f"studies.{door} ended with {done.returncode}: {done.stderr}")
    seconds, processor_seconds, peak_kib = map(float, done.stdout.split())
    return Measured(what=door, seconds=seconds, processor_seconds=processor_seconds, peak_mib=peak_kib / 1024)


def _words(door: str, *arguments: str) -> list[str]:
    return [sys.executable, "-m", f"studies.{door}", *arguments]


def _environment(storage: Path) -> dict[str, str]:
    where = {"STUDIES_STORAGE": f"sqlite:///{storage}", "STUDIES_OUTPUT": str(storage.parent / "runs")}
    return {**os.environ, **where}


def _resume(folder: Path, request: Request) -> list[Measured]:
    """Cut off the end of a copy, measure the replay of the rest alone, and then the real command up to a new trial."""
    storage = folder / "interrupted.db"
    storage.unlink(missing_ok=True)
    shutil.copy(folder / "studies.db", storage)
    last = _cut(storage)
    replay = Measured(what="replay alone", seconds=_replay(storage))
    started = time.monotonic()
    process = subprocess.Popen(
        _words("run", *request.arguments(), "--no-dashboard", "--quiet"), env=_environment(storage), cwd=ROOT
    )
    while not _has_trial_after(storage, last):
        if process.poll() is not None or time.monotonic() > started + TIMEOUT:
            raise SystemExit(f"studies.run ended with {process.poll()} before a new trial")
        time.sleep(0.02)
    seconds, (processor_seconds, mib) = time.monotonic() - started, _used_by(process.pid)
    resume = Measured(
        what="until a new trial", seconds=seconds, processor_seconds=processor_seconds, peak_mib=mib
    )
    process.send_signal(signal.SIGINT)
    process.wait(TIMEOUT)
    return [replay, resume]


def _used_by(pid: int) -> tuple[float, float]:
    """Return the processor seconds and the MiB of a process that runs, those of what it started left out."""
    process = psutil.Process(pid)
    times = process.cpu_times()
    return float(times.user + times.system), process.memory_info().rss / 2**20


def _cut(storage: Path) -> int:
    """Delete the confirm trials and the last search trial of each cell; return the last number that is left."""
    with closing(sqlite3.connect(storage)) as connection, connection:
        connection.execute("PRAGMA foreign_keys = ON")
        (num_search,) = connection.execute("SELECT count(*) FROM trial WHERE phase = 'search'").fetchone()
        (num_cells,) = connection.execute("SELECT count(DISTINCT cell) FROM trial").fetchone()
        last = int(num_search - num_cells)
        connection.execute("DELETE FROM trial WHERE number > ?", (last,))
    with Store.open(f"sqlite:///{storage}") as store:
        study = store.find_study(NAME)
        assert study is not None
        store.set_study_state(study.id, StudyState.INTERRUPTED)
    return last


def _replay(storage: Path) -> float:
    started = time.monotonic()
    with Store.open(f"sqlite:///{storage}") as store:
        study = store.find_study(NAME)
        assert study is not None
        plan = Plan.from_dict(NAME, study.plan)
        TrialQueue(plan, store.trials(study.id), store.rung_results(study.id)).next_trial()
    return time.monotonic() - started


def _has_trial_after(storage: Path, number: int) -> bool:
    with closing(sqlite3.connect(f"file:{storage}?mode=ro", uri=True)) as connection:
        found = connection.execute("SELECT 1 FROM trial WHERE number > ?", (number,)).fetchone()
    return found is not None


if __name__ == "__main__":
    main()
