"""The kill loop without Ray: a driver is killed at a random moment, looked after, and resumed, study after study."""

import random
import shutil
import signal
import time
from collections.abc import Callable
from pathlib import Path

from studies.database.rows import StudyRow
from studies.database.store import Store
from tests.studies.command import STUDY
from tests.studies.faults.forked import Forked, Nursery
from tests.studies.faults.light import TRACES
from tests.studies.faults.soundness import check_whole, lost, num_doubled, results
from tests.studies.faults.tally import Tally
from tests.studies.faults.traces import Acknowledged, Moment, Moments, wait_until

NAME = "small"
NUM_REPLICATES = 2
NUM_MOMENTS = 400
"""About half of what an undisturbed driver goes through, so that most studies are killed several times."""
Rows = dict[str, list[dict[str, object]]]


class LightRun:
    """One study in a folder of its own, and the drivers that work on it one after the other."""

    def __init__(self, nursery: Nursery, folder: Path, url: str, *, workers: int) -> None:
        self.url, self._nursery, self.folder, self.workers = url, nursery, folder, workers
        (folder / "traces").mkdir(parents=True)
        (folder / "small.py").write_text(STUDY.replace("trials_per_cell=4", "trials_per_cell=8"))
        self.moments = Moments.of(folder / "traces")
        self.acknowledged = Acknowledged.of(folder / "traces")

    def start(self, *arguments: str) -> Forked:
        """Start a driver."""
        self.moments.reset()
        return self._nursery.start(
            self.folder,
            *("./small.py", "--no-dashboard", "--quiet", "--workers", str(self.workers), *arguments),
            environment={TRACES: str(self.folder / "traces"), "STUDIES_STORAGE": self.url},
        )

    def finish(self) -> None:
        """Run a driver to its end, which must be a good one."""
        driver = self.start()
        assert driver.finish() == 0, driver.errors

    def found(self, store: Store) -> StudyRow | None:
        """Return the study's row, if there is one already."""
        return store.find_study(NAME)


def loop(
    nursery: Nursery,
    folder: Path,
    make_url: Callable[[Path], str],
    *,
    undisturbed: Rows,
    tally: Tally,
    loops: int,
) -> None:
    """Kill so many drivers; raise AssertionError that tells the seed where a promise is broken."""
    draw = random.Random(tally.seed)
    while tally.rounds < loops:
        tally.studies += 1
        place = folder / f"study-{tally.studies}"
        place.mkdir(parents=True)
        run = LightRun(nursery, place, make_url(place), workers=draw.choice((1, 1, 2, 3)))
        while tally.rounds < loops and _is_killed(run, draw, tally):
            tally.resumes += 1
            _look_for_what_was_acknowledged(run, tally)
        run.finish()
        _check_the_end(run, undisturbed, tally, single=run.workers == 1)
        shutil.rmtree(place)


def _is_killed(run: LightRun, draw: random.Random, tally: Tally) -> bool:
    """Start a driver and kill it at some moment; return whether it was not done before."""
    driver = run.start()
    kind = draw.random()
    if kind < 0.15:  # while it starts and rebuilds what it knows
        time.sleep(draw.uniform(0, 0.4))
    else:
        count = draw.randrange(NUM_MOMENTS) if kind < 0.9 else 10**9
        wait_until(
            lambda: driver.has_ended or run.moments.count >= count or run.moments.now is Moment.ENDING,
            "the moment to kill",
        )
        time.sleep(draw.uniform(0, 0.003 if kind < 0.9 else 1.0))
    driver.send(signal.SIGKILL)
    code = driver.finish()
    if code == -signal.SIGKILL:
        tally.kills[run.moments.now.words] += 1
        return True
    assert code == 0, driver.errors
    return False


def _look_for_what_was_acknowledged(run: LightRun, tally: Tally) -> None:
    acknowledged = run.acknowledged.reports()
    if not acknowledged:
        return
    with Store.open(run.url, create=False) as store:
        study = run.found(store)
        assert study is not None, f"the study itself is lost; seed {tally.seed}"
        missing = lost(store, study.id, acknowledged, NUM_REPLICATES)
    tally.lost += len(missing)
    assert not missing, f"acknowledged and lost: {sorted(missing)}; seed {tally.seed}"


def _check_the_end(run: LightRun, undisturbed: Rows, tally: Tally, *, single: bool) -> None:
    _look_for_what_was_acknowledged(run, tally)
    with Store.open(run.url, create=False) as store:
        study = run.found(store)
        assert study is not None
        assert study.state == "complete"
        check_whole(store, study.id)
        doubled = num_doubled(store, study.id)
        tally.doubled += doubled
        tally.acknowledged += len(run.acknowledged.reports())
        ours = results(store)
        tally.epochs += len(ours["epoch"])
    assert not doubled, f"{doubled} epochs doubled; seed {tally.seed}"
    if single:
        for table, rows in undisturbed.items():
            assert ours[table] == rows, f"{table} differs from an undisturbed study; seed {tally.seed}"
    else:
        assert len(ours["trial"]) == len(undisturbed["trial"])
        assert len(ours["replicate"]) == len(undisturbed["replicate"])
