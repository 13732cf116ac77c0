"""A study with Ray: the real command, killed while what it started is still there."""

import signal
import time
from pathlib import Path

from studies.base.states import Phase
from studies.run_log import run_events
from tests.studies.command import STUDY, Command
from tests.studies.faults.light import TRACES
from tests.studies.faults.traces import wait_until
from tests.studies.faults.watched_run import Fate, WatchedRun

NUM_REPORTS = 60
"""About as many as an undisturbed driver acknowledges."""
SECONDS_TO_START = 15.0
TIMEOUT_SECONDS = 600.0


class RayDriver:
    """The command with everything it started; ending it alone leaves that behind."""

    def __init__(self, command: Command) -> None:
        """It runs."""
        self.command = command

    @property
    def errors(self) -> str:
        """What it has printed on standard error so far."""
        return self.command.errors

    @property
    def has_ended(self) -> bool:
        """Whether it is there no more."""
        return self.command.process.poll() is not None

    def finish(self) -> int:
        """Wait for its end and return the exit code."""
        return self.command.finish(TIMEOUT_SECONDS)


class RayRun(WatchedRun):
    """A study of 8 search trials and 2 confirm trials; what drivers leave behind stays until it is closed."""

    def __init__(self, folder: Path, url: str, *, workers: int = 1) -> None:
        """Its storage is at `url`."""
        super().__init__(folder, url, study=STUDY, workers=workers)
        self._commands: list[Command] = []

    def start(self) -> RayDriver:
        """Start a driver."""
        arguments = ("./small.py", "--no-dashboard", "--quiet", "--workers", str(self.workers))
        settings = {TRACES: str(self.traces), "STUDIES_STORAGE": self.url, "STUDIES_OUTPUT": str(self.output)}
        command = Command(self.folder, "tests.studies.faults.acknowledging", *arguments, settings=settings)
        self._commands.append(command)
        return RayDriver(command)

    def kill(self, kind: float, place: float, delay: float) -> Fate:
        """Kill a driver while Ray starts, while it trains, or at the end."""
        known = len(self.acknowledged.reports())
        driver = self.start()
        if kind < 0.2:
            time.sleep(SECONDS_TO_START * delay)
        else:
            wanted = known + 1 + place * NUM_REPORTS / 3 if kind < 0.9 else NUM_REPORTS
            wait_until(
                lambda: driver.has_ended or len(self.acknowledged.reports()) >= wanted or self._is_ending(),
                "the moment to kill",
                TIMEOUT_SECONDS,
            )
            time.sleep(delay * (0.05 if kind < 0.9 else 3.0))
        driver.command.process.send_signal(signal.SIGKILL)
        code = driver.finish()
        return Fate(code=code, moment=self._moment(), errors=driver.errors)

    def close(self) -> None:
        """End everything that drivers have left behind."""
        for command in self._commands:
            command.close()
        super().close()

    def _is_ending(self) -> bool:
        return (self.output / "small" / "report.html").exists()

    def _moment(self) -> str:
        """Say in words where the driver was that was killed, as the storage has it."""
        with self.opened() as (store, study):
            if study is None:
                return "starting"
            events = [event.kind for event in store.events(study.id)]
            trials = store.trials(study.id)
        starts = [kind for kind in events if kind in (run_events.STARTED, run_events.CLUSTER)]
        if not starts or starts[-1] == run_events.STARTED:
            return "starting Ray"
        if any(not trial.state.has_ended for trial in trials):
            phase = Phase.CONFIRM if trials[-1].phase is Phase.CONFIRM else Phase.SEARCH
            return f"training ({phase})"
        return "between trials or ending"
