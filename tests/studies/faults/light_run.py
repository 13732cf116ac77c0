"""One study without Ray in a folder of its own, the drivers that work on it, and what must hold of it."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from studies.database.rows import StudyRow
from studies.database.spool import FILE_NAME
from studies.database.store import Store
from studies.errors import HeldError
from studies.verifying.verification import verify
from tests.studies.command import STUDY
from tests.studies.faults.forked import Forked, Nursery
from tests.studies.faults.light import PATIENCE, TRACES
from tests.studies.faults.soundness import check_whole, lost, num_doubled, results
from tests.studies.faults.traces import Acknowledged, Gate, Moments, Report, wait_until

NAME = "small"
NUM_REPLICATES = 2
SECONDS_TO_TAKE_OVER = 5.0
"""In which the lock of a driver that was killed must be free."""
Rows = dict[str, list[dict[str, Any]]]


class LightRun:
    """A study of 16 search trials and 2 confirm trials, with 2 networks each."""

    def __init__(self, nursery: Nursery, folder: Path, url: str, *, workers: int = 1) -> None:
        """Write its file into `folder`; its storage is at `url`."""
        self.url, self.folder, self.workers, self._nursery = url, folder, workers, nursery
        self.output = folder / "runs"
        self.num_waits = 0
        """How often a lock was not free at once after its holder was killed."""
        traces = folder / "traces"
        traces.mkdir(parents=True)
        (folder / "small.py").write_text(STUDY.replace("trials_per_cell=4", "trials_per_cell=8"))
        self.moments, self.acknowledged = Moments.of(traces), Acknowledged.of(traces)
        self.gate = Gate.of(traces)

    @property
    def spool(self) -> Path:
        """The file in which writes wait while the storage is out."""
        return self.output / NAME / FILE_NAME

    def start(self, *, patience: float | None = None) -> Forked:
        """Start a driver; `patience` is how many seconds it waits for its storage before it goes on without."""
        self.moments.reset()
        environment = {
            TRACES: str(self.folder / "traces"),
            "STUDIES_STORAGE": self.url,
            "STUDIES_OUTPUT": str(self.output),
        }
        return self._nursery.start(
            self.folder,
            *("./small.py", "--no-dashboard", "--quiet", "--workers", str(self.workers)),
            environment=environment if patience is None else environment | {PATIENCE: str(patience)},
        )

    def start_until(self, report: int, *, patience: float) -> Forked:
        """Start a driver and return it where it waits at the gate before this report, with everything to lose."""
        self.gate.shut(before=report)
        driver = self.start(patience=patience)
        wait_until(lambda: driver.has_ended or self.gate.is_waited_at, "the driver to come to the gate")
        assert not driver.has_ended, driver.errors
        return driver

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
        with Store.open(self.url, create=False) as store:
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
