"""A study without Ray, whose drivers start in milliseconds and can be held before any report."""

import signal
import time
from pathlib import Path

from tests.studies.command import STUDY
from tests.studies.faults.forked import Forked, Nursery
from tests.studies.faults.light import PATIENCE, TRACES, WHOLE_REPORT
from tests.studies.faults.traces import Gate, Moment, Moments, wait_until
from tests.studies.faults.watched_run import Fate, WatchedRun

NUM_MOMENTS = 400
"""About half of what an undisturbed driver goes through, so that most studies are killed several times."""


class LightRun(WatchedRun):
    """A study of 16 search trials and 2 confirm trials."""

    def __init__(
        self,
        nursery: Nursery,
        folder: Path,
        url: str,
        *,
        workers: int = 1,
        whole_report: bool = False,
        study: str = STUDY.replace("trials_per_cell=4", "trials_per_cell=8"),
        num_moments: int = NUM_MOMENTS,
    ) -> None:
        """Its drivers come from `nursery`; with `whole_report` they draw its pictures, too.

        Another `study` goes through about twice as many moments as `num_moments`.
        """
        super().__init__(folder, url, study=study, workers=workers)
        self._nursery, self._whole_report, self._num_moments = nursery, whole_report, num_moments
        self.settings: dict[str, str] = {}
        """What drivers have in their environment besides."""
        self.moments, self.gate = Moments.of(self.traces), Gate.of(self.traces)

    def start(self, *arguments: str, patience: float | None = None) -> Forked:
        """Start a driver; `patience` is how many seconds it waits for its storage before it goes on without."""
        self.moments.reset()
        environment = {
            TRACES: str(self.traces),
            "STUDIES_STORAGE": self.url,
            "STUDIES_OUTPUT": str(self.output),
        }
        environment |= {} if patience is None else {PATIENCE: str(patience)}
        environment |= {WHOLE_REPORT: "1"} if self._whole_report else {}
        environment |= self.settings
        return self._nursery.start(
            self.folder,
            *("./small.py", "--no-dashboard", "--quiet", "--workers", str(self.workers), *arguments),
            environment=environment,
        )

    def start_until(self, report: int, *, patience: float) -> Forked:
        """Start a driver and return it where it waits at the gate before this report, with everything to lose."""
        self.gate.shut(before=report)
        driver = self.start(patience=patience)
        wait_until(lambda: driver.has_ended or self.gate.is_waited_at, "the driver to come to the gate")
        assert not driver.has_ended, driver.errors
        return driver

    def kill(self, kind: float, place: float, delay: float) -> Fate:
        """Kill a driver while it starts, while it trains, or while it writes its report."""
        driver = self.start()
        if kind < 0.15:
            time.sleep(0.4 * delay)
        else:
            count = place * self._num_moments if kind < 0.9 else 10**9
            wait_until(
                lambda: driver.has_ended or self.moments.count >= count or self.moments.now is Moment.ENDING,
                "the moment to kill",
            )
            time.sleep(delay * (0.003 if kind < 0.9 else 1.0))
        driver.send(signal.SIGKILL)
        return Fate(code=driver.finish(), moment=self.moments.now.words, errors=driver.errors)
