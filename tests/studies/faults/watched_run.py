"""One study in a folder of its own, the drivers that work on it, and what must hold of it whatever happens to them."""

import shutil
import time
from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from studies.base.errors import HeldError
from studies.database.rows import StudyRow
from studies.database.spool import FILE_NAME
from studies.database.store import Store
from studies.verification.verification import verify
from tests.studies.faults.soundness import check_whole, lost, num_doubled, results
from tests.studies.faults.traces import Acknowledged, Report

NAME = "small"
NUM_REPLICATES = 2
SECONDS_TO_TAKE_OVER = 5.0
"""In which the lock of a driver that was killed must be free."""
Rows = dict[str, list[dict[str, Any]]]


class Driver(Protocol):
    """A driver's process."""

    def finish(self) -> int:
        """Wait for its end and return the exit code."""

    @property
    def errors(self) -> str:
        """What it has printed on standard error so far."""


@dataclass(frozen=True, kw_only=True)
class Fate:
    """How a driver ended that was to be killed: its exit code, where it was, and what it said."""

    code: int
    moment: str
    errors: str


class WatchedRun(ABC):
    """A study called `small` with two networks a trial; its drivers note each report that they acknowledge."""

    def __init__(self, folder: Path, url: str, *, study: str, workers: int) -> None:
        """Write its file into `folder`; its storage is at `url`."""
        self.url, self.folder, self.workers = url, folder, workers
        self.output, self.traces = folder / "runs", folder / "traces"
        self.num_waits = 0
        """How often a lock was not free at once after its holder was killed."""
        self.traces.mkdir(parents=True)
        (folder / "small.py").write_text(study)
        self.acknowledged = Acknowledged.of(self.traces)

    @abstractmethod
    def start(self) -> Driver:
        """Start a driver."""

    @abstractmethod
    def kill(self, kind: float, place: float, delay: float) -> Fate:
        """Start a driver and kill it; the three numbers below 1 say when."""

    def close(self) -> None:
        """Leave nothing of it."""
        shutil.rmtree(self.folder)

    @property
    def spool(self) -> Path:
        """The file in which writes wait while the storage is out."""
        return self.output / NAME / FILE_NAME

    def finish(self) -> None:
        """Run drivers to the end, which must be a good one; a lock may take its time to be free, but not long."""
        deadline = time.monotonic() + SECONDS_TO_TAKE_OVER
        while True:
            driver = self.start()
            code = driver.finish()
            if code != HeldError.exit_code or time.monotonic() > deadline:
                break
            self.num_waits += 1
        assert code == 0, driver.errors

    @contextmanager
    def opened(self) -> Iterator[tuple[Store, StudyRow | None]]:
        """Open the storage; the study's row is None where no driver came that far."""
        with Store.open(self.url) as store:
            yield store, store.find_study(NAME)

    def missing(self) -> set[Report]:
        """Return what was acknowledged and is neither in the storage nor in the spool."""
        acknowledged = self.acknowledged.reports()
        if not acknowledged:
            return set()
        with self.opened() as (store, study):
            assert study is not None, "the study itself is lost"
            return lost(store, study.id, self.spool, acknowledged, NUM_REPLICATES)

    def check_sound(self) -> None:
        """Check that every invariant holds of what there is."""
        with self.opened() as (store, study):
            if study is not None:
                found = verify(store, NAME, self.output / NAME)
                assert found.is_sound, str(found)

    def check_end(self, undisturbed: Rows) -> int:
        """Check a finished study, against one that nothing disturbed; return how many epochs it has."""
        assert not self.missing()
        assert not self.spool.exists()
        self.check_sound()
        with self.opened() as (store, study):
            assert study is not None
            assert study.state == "complete"
            check_whole(store, study.id)
            assert num_doubled(store, study.id) == 0
            ours = results(store)
        for table in undisturbed if self.workers == 1 else ():
            assert ours[table] == undisturbed[table], f"{table} differs from an undisturbed study"
        for table in ("trial", "replicate", "artifact"):
            assert len(ours[table]) == len(undisturbed[table])
        return len(ours["epoch"])

    def num_events(self, kind: str) -> int:
        """Return how many events of a kind there are."""
        with self.opened() as (store, study):
            assert study is not None
            return sum(event.kind == kind for event in store.events(study.id))
