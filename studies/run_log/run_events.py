"""The start and end of each run of a study, recorded as events, so that the database alone is enough for a report."""

import json
import math
from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from studies.base.states import StudyState
from studies.database.rows import EventRow

STARTED = "run_started"
CLUSTER = "cluster_started"
RAY_CLUSTER = "ray_cluster"
"""In its detail, the id of the Ray cluster that the run joined: studies with the same id share its nodes."""
NODES = "nodes_checked"
ENDED = "run_ended"
NODE_LOST = "node_lost"
SECONDS = ("wall", "busy", "recording", "startup")
MEASURING = "measuring"
HOST, PROCESS, LOG = "host", "process", "log"
"""The keys, in the details of a run's start, of its machine and process, and of its log's path there."""
DASHBOARD, RAY_JOB = "dashboard", "ray_job"
"""The keys of the URL of Ray's dashboard, and of the job that Ray knows the run by: `ray job logs` takes its id."""
SUBMITTED_TO = "submitted_to"
"""The key of the address that the job was submitted to, from where it was submitted."""
PLACES = (HOST, PROCESS, LOG, DASHBOARD, RAY_JOB, SUBMITTED_TO)
"""Keys of where a run is, which say nothing about its results."""


class Log(Protocol):
    """Takes events: the store, or a run's writer."""

    def add_event(self, study_id: int, kind: str, trial_number: int | None, detail: str) -> None:
        """Add an event, dated now."""


def note_start(log: Log, study_id: int, details: Mapping[str, Any]) -> None:
    """Record that a run starts, with its command, versions, machine and data."""
    log.add_event(study_id, STARTED, None, json.dumps(details, sort_keys=True))


def note_nodes(
    log: Log, study_id: int, *, notes: Sequence[str], nodes: Sequence[Mapping[str, Any]], seconds: float
) -> None:
    """Record what the nodes of a cluster answered before the first trial, and how long was waited for them."""
    detail = {"notes": list(notes), "nodes": list(nodes), "seconds": round(seconds, 3)}
    log.add_event(study_id, NODES, None, json.dumps(detail, sort_keys=True))


def note_cluster(
    log: Log,
    study_id: int,
    *,
    workers: int,
    threads: int,
    ray_cluster: str | None = None,
    nodes: Sequence[Mapping[str, Any]] = (),
    places: Mapping[str, Any] | None = None,
) -> None:
    """Record that a run has its workers, the threads of each trial, a joined cluster's id and nodes, and `places`."""
    details: dict[str, Any] = {"workers": workers, "threads_per_worker": threads, **(places or {})}
    if ray_cluster is not None:
        details[RAY_CLUSTER] = ray_cluster
    if nodes:
        python = sorted({each["python"] for each in nodes if "python" in each})
        # A build of Ray of one's own may be there under another package's name: then its version is None.
        ray = sorted({each["versions"]["ray"] or "unknown" for each in nodes if "versions" in each})
        hosts = sorted({each["host"] for each in nodes})
        details["cluster"] = {"nodes": len(nodes), "hosts": hosts, "python": python, "ray": ray}
    log.add_event(study_id, CLUSTER, None, json.dumps(details))


def joined_cluster(detail: str | None) -> str | None:
    """Return the id of the Ray cluster that an event of `note_cluster` names; None where none was joined."""
    try:
        found = json.loads(detail or "{}")
    except ValueError:
        return None
    named = found.get(RAY_CLUSTER) if isinstance(found, dict) else None
    return named if isinstance(named, str) else None


def note_lost_node(log: Log, study_id: int, *, address: str, host: str, node_id: str) -> None:
    """Record that a node of the cluster was lost with workers of the study; `node_id` is Ray's identifier of it."""
    details = {"address": address, "host": host, "node_id": node_id}
    log.add_event(study_id, NODE_LOST, None, json.dumps(details, sort_keys=True))


def lost_nodes(events: Sequence[EventRow]) -> list[dict[str, str]]:
    """Return the address, host and node_id of each node that was lost, in order."""
    return [json.loads(event.detail) for event in events if event.kind == NODE_LOST]


def note_end(log: Log, study_id: int, *, state: str, looks: int, seconds: Mapping[str, float]) -> None:
    """Record how a run ended, the looks that it worked on, and its times.

    `seconds` has wall, busy (summed over workers), recording (in the database), startup (from the command to the first
    trained epoch, 0 if there is none) and, if known, measuring (gradients, a part of busy).
    """
    rounded = {name: round(value, 3) for name, value in seconds.items()}
    detail = {"state": state, "looks": looks, **rounded}
    log.add_event(study_id, ENDED, None, json.dumps(detail, sort_keys=True))


def looks_done(events: Sequence[EventRow]) -> int:
    """Return how many looks are complete."""
    ended = [json.loads(event.detail) for event in events if event.kind == ENDED]
    return max((run["looks"] for run in ended if run["state"] == StudyState.COMPLETE), default=0)


def total_seconds(events: Sequence[EventRow]) -> dict[str, float]:
    """Return the seconds summed over all runs; `startup` is that of the first run that trained."""
    ended = [json.loads(event.detail) for event in events if event.kind == ENDED]
    totals = {name: round(sum(run[name] for run in ended), 3) for name in SECONDS}
    if ended:
        totals["startup"] = next((run["startup"] for run in ended if run["startup"] > 0), 0.0)
    return totals


def measuring_share(events: Sequence[EventRow]) -> float | None:
    """Return the share of the workers' busy seconds spent on measuring gradients; None if no run recorded it."""
    ended = [json.loads(event.detail) for event in events if event.kind == ENDED]
    told = [run for run in ended if MEASURING in run]
    busy = math.fsum(run["busy"] for run in told)
    return math.fsum(run[MEASURING] for run in told) / busy if busy > 0 else None


def num_classes(starts: Sequence[Mapping[str, Any]]) -> int | None:
    """Return the number of classes of the data of the last run; None if it recorded none."""
    dataset = starts[-1].get("dataset", {}) if starts else {}
    found = dataset.get("num_classes") if isinstance(dataset, Mapping) else None
    return int(found) if isinstance(found, int | float) and found > 0 else None


def started_with(events: Sequence[EventRow]) -> list[dict[str, Any]]:
    """Return the details of every start, in order; runs that got no workers lack their number."""
    starts: list[dict[str, Any]] = []
    for event in events:
        if event.kind == STARTED:
            starts.append(json.loads(event.detail))
        elif event.kind == CLUSTER and starts:
            starts[-1] |= json.loads(event.detail)
    return starts


def recorded_by(starts: Sequence[Mapping[str, Any]]) -> str:
    """Return which version of Studies ran the study last, as far as its starts say.

    >>> recorded_by([{"versions": {"studies": "0.1.0"}, "commit": "ad418f7"}])
    'Studies 0.1.0 (commit ad418f7)'
    """
    latest = starts[-1] if starts else {}
    version, commit = latest.get("versions", {}).get("studies"), latest.get("commit")
    named = f"Studies {version}" if version else "the version of Studies of that time"
    return f"{named} (commit {commit})" if commit else named
