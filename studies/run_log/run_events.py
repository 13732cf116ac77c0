"""What each run of a study was and took, kept as events so that a report can be made from the database alone."""

import json
import math
from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from studies.base.states import StudyState
from studies.database.rows import EventRow

STARTED = "run_started"
CLUSTER = "cluster_started"
ENDED = "run_ended"
SECONDS = ("wall", "busy", "recording", "startup")
MEASURING = "measuring"


class Log(Protocol):
    """What takes events: the store, or a run's writer."""

    def add_event(self, study_id: int, kind: str, trial_number: int | None, detail: str) -> None:
        """Note something that happens now."""


def note_start(log: Log, study_id: int, details: Mapping[str, Any]) -> None:
    """Note that a run starts, with its command, versions, machine and data."""
    log.add_event(study_id, STARTED, None, json.dumps(details, sort_keys=True))


def note_cluster(log: Log, study_id: int, *, workers: int, threads: int) -> None:
    """Note that a run has its workers, and how many threads each trial gets."""
    details = {"workers": workers, "threads_per_worker": threads}
    log.add_event(study_id, CLUSTER, None, json.dumps(details))


def note_end(log: Log, study_id: int, *, state: str, looks: int, seconds: Mapping[str, float]) -> None:
    """Note how a run ended, how many looks it worked on, and the seconds it took.

    Seconds: wall, busy (summed over workers), recording (in the database), startup (from the command to the first
    trained epoch, 0 where there is none); and, if known, measuring (gradients, a part of busy).
    """
    rounded = {name: round(value, 3) for name, value in seconds.items()}
    detail = {"state": state, "looks": looks, **rounded}
    log.add_event(study_id, ENDED, None, json.dumps(detail, sort_keys=True))


def looks_done(events: Sequence[EventRow]) -> int:
    """Return how many looks were completed."""
    ended = [json.loads(event.detail) for event in events if event.kind == ENDED]
    return max((run["looks"] for run in ended if run["state"] == StudyState.COMPLETE), default=0)


def total_seconds(events: Sequence[EventRow]) -> dict[str, float]:
    """Return the seconds of all runs together; `startup` is that of the first that trained."""
    ended = [json.loads(event.detail) for event in events if event.kind == ENDED]
    totals = {name: round(sum(run[name] for run in ended), 3) for name in SECONDS}
    if ended:
        totals["startup"] = next((run["startup"] for run in ended if run["startup"] > 0), 0.0)
    return totals


def measuring_share(events: Sequence[EventRow]) -> float | None:
    """Return the part of the workers' busy seconds that measuring gradients took; None where no run tells."""
    ended = [json.loads(event.detail) for event in events if event.kind == ENDED]
    told = [run for run in ended if MEASURING in run]
    busy = math.fsum(run["busy"] for run in told)
    return math.fsum(run[MEASURING] for run in told) / busy if busy > 0 else None


def num_classes(starts: Sequence[Mapping[str, Any]]) -> int | None:
    """Return the number of classes of the data that a study was last started on; None where none is noted."""
    dataset = starts[-1].get("dataset", {}) if starts else {}
    found = dataset.get("num_classes") if isinstance(dataset, Mapping) else None
    return int(found) if isinstance(found, int | float) and found > 0 else None


def started_with(events: Sequence[EventRow]) -> list[dict[str, Any]]:
    """Return the details of every start, in order; a run that got no workers lacks their number."""
    starts: list[dict[str, Any]] = []
    for event in events:
        if event.kind == STARTED:
            starts.append(json.loads(event.detail))
        elif event.kind == CLUSTER and starts:
            starts[-1] |= json.loads(event.detail)
    return starts


def recorded_by(starts: Sequence[Mapping[str, Any]]) -> str:
    """Return which Studies a study was last run with, as far as its starts tell.

    >>> recorded_by([{"versions": {"studies": "0.1.0"}, "commit": "ad418f7"}])
    'Studies 0.1.0 (commit ad418f7)'
    """
    latest = starts[-1] if starts else {}
    version, commit = latest.get("versions", {}).get("studies"), latest.get("commit")
    named = f"Studies {version}" if version else "the version of Studies of that time"
    return f"{named} (commit {commit})" if commit else named
