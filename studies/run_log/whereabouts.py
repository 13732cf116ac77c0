"""Where a run is or was: machine, process, log, Ray's job and dashboard, as its start recorded them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from studies.run_log import run_events


@dataclass(frozen=True, kw_only=True)
class Whereabouts:
    """The places of a study's latest run; what it did not record, as runs of earlier versions, is None.

    `log` is a path of the machine `host`. `job` is what `ray job logs` takes, `submitted_to` the address that it was
    submitted to from outside, `dashboard` the URL of Ray's dashboard as the run's machine knows it.
    """

    host: str | None = None
    process: int | None = None
    log: Path | None = None
    job: str | None = None
    submitted_to: str | None = None
    dashboard: str | None = None

    @classmethod
    def of(cls, starts: Sequence[Mapping[str, Any]]) -> Self:
        """Return the places in the latest of the details of a study's starts; a storage may hold anything there."""
        latest = starts[-1] if starts else {}

        def text(key: str) -> str | None:
            found = latest.get(key)
            return found if isinstance(found, str) and found else None

        process, log = latest.get(run_events.PROCESS), text(run_events.LOG)
        return cls(
            host=text(run_events.HOST),
            process=process if isinstance(process, int) else None,
            log=None if log is None else Path(log),
            job=text(run_events.RAY_JOB),
            submitted_to=text(run_events.SUBMITTED_TO),
            dashboard=text(run_events.DASHBOARD),
        )

    def as_json(self) -> dict[str, Any]:
        """Return the places as JSON data."""
        return {
            "host": self.host,
            "process": self.process,
            "log": None if self.log is None else str(self.log),
            "ray_job": self.job,
            "submitted_to": self.submitted_to,
            "dashboard": self.dashboard,
        }
