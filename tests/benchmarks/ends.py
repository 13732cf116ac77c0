"""How long does a run take before its first trained epoch, and after its last trial?

In turn, so that a busy machine disturbs both alike: a bare `ray.init` with the dashboard and two actors that import
torch, and `studies run depth_study --profile smoke`, to its first recorded epochs and to its page. Then the end of all
of depth_study, from its last trial to the page, and commands that answer at once. `--folder` says where that study is
kept, and found the next time.
"""

import os
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import studies
from tests.benchmarks.measuring.part import part_parser
from tests.benchmarks.measuring.spread import Spread
from tests.benchmarks.measuring.text import table

BARE = """
import logging, ray
ray.init(include_dashboard=True, num_cpus=2, logging_level=logging.CRITICAL, log_to_driver=False)

@ray.remote(num_cpus=1)
class Actor:
    def load(self):
        import torch

ray.get([actor.load.remote() for actor in [Actor.remote() for _ in range(2)]])
print("loaded", flush=True)
"""
"""What any script pays before it can train with Ray and torch."""
SMOKE = ("depth_study", "--profile", "smoke", "--workers", "2", "--quiet")
GOAL_OF_START, GOAL_OF_END, GOAL_OF_SMOKE = 1.25, 4.0, 15.0
ANSWERS = {
    "--help": (["--help"], 0, 0.2),
    "a wrong command": (["rum"], 2, 0.5),
    "a wrong name": (["run", "dept_study"], 2, 0.5),
    "a wrong option": (["run", "depth_study", "--wrokers", "2"], 2, 0.5),
    "a wrong field": (["run", "depth_study", "--set", "replicate=3"], 2, 0.5),
}
"""Arguments, the exit code, and the goal in seconds."""
SECONDS_BETWEEN_LOOKS = 0.02
TIMEOUT = 1800.0


@dataclass(frozen=True, kw_only=True)
class Ends:
    """Seconds of one run: from the command to its first trained epochs, from its last trial to the page, and all."""

    start: float
    end: float
    whole: float


def bare_start() -> float:
    """Return the seconds until two actors of a bare Ray have imported torch."""
    began = time.time()
    with subprocess.Popen([sys.executable, "-c", BARE], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        line = process.stdout.readline()
        seconds = time.time() - began
    if line != "loaded\n":
        raise SystemExit(f"the bare Ray did not start: {line!r}")
    return seconds


def run_study(words: Sequence[str], folder: Path) -> Ends:
    """Run a study of a storage of its own, and look into it for its first epoch."""
    storage = folder / "studies.db"
    began, first = time.time(), None
    command = [sys.executable, "-m", "studies.run", *words, "--name", "study"]
    places = ["--storage", f"sqlite:///{storage}", "--output", str(folder)]
    process = subprocess.Popen([*command, *places], stdout=subprocess.DEVNULL)
    while process.poll() is None and time.time() < began + TIMEOUT:
        time.sleep(SECONDS_BETWEEN_LOOKS)
        if first is None and _has_epochs(storage):
            first = time.time()
    if process.wait(TIMEOUT) or first is None:
        raise SystemExit(f"studies run {' '.join(words)} ended with {process.returncode}")
    return Ends(start=first - began, end=end_of(folder), whole=time.time() - began)


def end_of(folder: Path) -> float:
    """Return the seconds from the end of a study's last trial to its page."""
    trials = studies.load_study("study", storage=f"sqlite:///{folder}/studies.db").trials()
    page = folder / "study" / "report.html"
    last: float = max(at.timestamp() for at in trials["ended_at"])
    return page.stat().st_mtime - last


def answer_seconds(words: Sequence[str], exit_code: int) -> float:
    """Return the seconds that a command takes which answers at once, in an empty folder."""
    with tempfile.TemporaryDirectory() as folder:
        began = time.perf_counter()
        done = subprocess.run(
            [sys.executable, "-m", "studies", *words],
            cwd=folder,
            env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
            capture_output=True,
            check=False,
        )
        seconds = time.perf_counter() - began
    if done.returncode != exit_code:
        raise SystemExit(f"studies {' '.join(words)} ended with {done.returncode}: {done.stderr.decode()}")
    return seconds


def section(
    bare: Sequence[float],
    smoke: Sequence[Ends],
    ends: Sequence[float],
    answers: Mapping[str, Sequence[float]],
) -> str:
    """Return the figures with their goals; those of commands by the least of their repetitions."""
    starts = [each.start for each in smoke]
    ratio = Spread.of_ratios(starts, bare)
    rows = [
        ["a bare Ray and two actors that import torch, s", Spread.of(bare), "", ""],
        ["command to the first trained epochs of smoke, s", Spread.of(starts), "", ""],
        ["times the bare Ray", ratio, *_goal(ratio.median, GOAL_OF_START)],
        _row("smoke from the command to its end, s", [each.whole for each in smoke], GOAL_OF_SMOKE),
        ["last trial of smoke to its page, s", Spread.of(each.end for each in smoke), "", ""],
    ]
    if ends:
        rows.append(_row("last trial of depth_study to its page, s", ends, GOAL_OF_END))
    for name, (_, _, most) in ANSWERS.items():
        least = min(answers[name])
        rows.append(
            [f"{name} told, the least of {len(answers[name])}, s", f"{least:.2f}", *_goal(least, most)]
        )
    note = (
        "The first epochs are looked for in the storage, where a trial's first report has the six up to its first "
        "rung. The page is the last file of a report; the model and the decision about the last look come before it."
    )
    return f"{note}\n\n{table(['what', 'measured', 'goal', 'met'], rows)}"


def _row(name: str, seconds: Sequence[float], most: float) -> list[object]:
    spread = Spread.of(seconds)
    return [name, spread, *_goal(spread.median, most)]


def _goal(value: float, most: float) -> list[str]:
    return [f"at most {most:g}", "yes" if value <= most else "no"]


def _has_epochs(storage: Path) -> bool:
    if not storage.exists():
        return False
    try:
        with closing(sqlite3.connect(f"file:{storage}?mode=ro", uri=True)) as connection:
            return connection.execute("SELECT 1 FROM epoch LIMIT 1").fetchone() is not None
    except sqlite3.OperationalError:  # it is being made
        return False


def measure_whole(folder: Path | None) -> list[float]:
    """Return what the end of all of depth_study takes, run in `folder` unless it is there already."""
    with tempfile.TemporaryDirectory() as temporary:
        place = Path(temporary) if folder is None else folder
        if not (place / "study" / "report.html").exists():
            place.mkdir(parents=True, exist_ok=True)
            run_study(["depth_study", "--workers", "2", "--quiet"], place)
        return [end_of(place)]


def main() -> None:
    """Print the section."""
    parser = part_parser(__doc__)
    parser.add_argument("--rounds", type=int, help="how often each is measured")
    parser.add_argument(
        "--folder", type=Path, help="where all of depth_study is kept (default: a temporary folder)"
    )
    options = parser.parse_args()
    rounds = options.rounds or (1 if options.quick else 3)
    bare, smoke = [], []
    for number in range(rounds):
        for is_ours in (number % 2 == 0, number % 2 == 1):
            if not is_ours:
                bare.append(bare_start())
                continue
            with tempfile.TemporaryDirectory() as folder:
                smoke.append(run_study(SMOKE, Path(folder)))
    answers = {
        name: [answer_seconds(words, code) for _ in range(2 if options.quick else 5)]
        for name, (words, code, _) in ANSWERS.items()
    }
    ends = [] if options.quick else measure_whole(options.folder)
    print(section(bare, smoke, ends, answers))


if __name__ == "__main__":
    main()
