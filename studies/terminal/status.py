"""The status of a recorded study: counts, workers, best trial so far, failures; as an object and as JSON."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from studies.base.errors import UsageError
from studies.base.states import Outcome, Phase, StudyState
from studies.database.lookup import find
from studies.database.rows import Holder, StudyRow, TrialRow, TrialsSoFar
from studies.database.spool import FILE_NAME as SPOOL
from studies.database.store import Store
from studies.definition.plan_versions import older_rules
from studies.run_log import run_events
from studies.run_log.whereabouts import Whereabouts
from studies.storage.paths import Locations
from studies.terminal.confirmed import Confirmed, confirmed, read_trials
from studies.terminal.progress_snapshot import ProgressSnapshot, from_record

SECONDS_OF_SILENCE = 60.0
"""A running study whose workers train reports every few seconds; after this long it may have hung."""


@dataclass(frozen=True, kw_only=True)
class Status:
    """A study at one moment: the run that holds it, its workers, and the `command` that resumes it.

    `spool` is the file on this machine with results that could not be written to the storage yet, if there is one;
    `where` says where the latest run is, or was.
    """

    study: StudyRow
    holder: Holder | None
    snapshot: ProgressSnapshot
    trials: TrialsSoFar
    workers: Sequence[str]
    best: Confirmed | None
    command: str | None
    spool: Path | None
    at: datetime
    lost_nodes: Sequence[Mapping[str, str]] = ()
    """The address, host and node_id of each node of a cluster that was lost with workers of the study."""
    where: Whereabouts = field(default_factory=Whereabouts)

    @property
    def failures(self) -> Sequence[TrialRow]:
        """Trials that failed, by number."""
        return self.trials.failed

    @property
    def silent_seconds(self) -> float:
        """Seconds since anything was recorded."""
        return max(0.0, (self.at - self.study.updated_at).total_seconds())

    @property
    def is_over(self) -> bool:
        """Whether no run is working on the study."""
        return self.study.state is not StudyState.RUNNING or self.holder is None

    @property
    def seems_dead(self) -> bool:
        """Whether the study's state is running, but no run holds it or nothing was recorded for a minute."""
        is_silent = self.silent_seconds > SECONDS_OF_SILENCE
        return self.study.state is StudyState.RUNNING and (self.holder is None or is_silent)


def read_status(store: Store, name: str, locations: Locations) -> Status:
    """Read the status of a study; raise UsageError that lists the studies if there is none of that name."""
    study = find(store, name)
    spool = _spool(locations, name)
    holder = store.holder(study.id)
    if holder is None:  # the run may have ended between the two queries
        study = find(store, name)
    trials, replicates = read_trials(store, study)
    outcomes = store.outcomes(study.id)
    events = store.events(study.id)
    starts = run_events.started_with(events)
    results = confirmed(store, study, trials, replicates)
    return Status(
        study=study,
        holder=holder,
        snapshot=from_record(
            study,
            trials,
            num_networks=sum(outcomes.values()),
            num_diverged=outcomes[Outcome.DIVERGED],
            num_classes=run_events.num_classes(starts),
            events=events,
        ),
        trials=trials,
        workers=_workers(trials.running),
        best=next((each for each in results if each.is_best and each.num_networks), None),
        command=starts[-1]["command"] if starts else None,
        spool=spool,
        at=datetime.now(UTC),
        lost_nodes=run_events.lost_nodes(events),
        where=Whereabouts.of(starts),
    )


def _spool(locations: Locations, name: str) -> Path | None:
    try:
        path = locations.folder(name) / SPOOL
    except UsageError:  # another program wrote an invalid name into the storage; no run of ours used it
        return None
    return path if path.exists() else None


def as_json(status: Status) -> dict[str, Any]:
    """Return the status as JSON data: times in UTC, losses in nats, accuracies as fractions."""
    study, snapshot = status.study, status.snapshot
    return {
        "study": study.name,
        "question": study.question,
        "state": study.state,
        "seems_dead": status.seems_dead,
        "holder": None if status.holder is None else _holder_json(status.holder),
        "run": status.where.as_json(),
        "plan_hash": study.plan_hash,
        "older_rules": older_rules(study.plan),
        "created_at": study.created_at.isoformat(),
        "updated_at": study.updated_at.isoformat(),
        "progress": {phase: _counts(snapshot, phase) for phase in Phase},
        "networks": {
            "planned": snapshot.planned_networks,
            "ended": snapshot.num_networks,
            "diverged": snapshot.num_diverged,
        },
        "look": None if snapshot.look is None else asdict(snapshot.look),
        "workers": list(status.workers),
        "running": [trial_json(trial) for trial in status.trials.running],
        "best_in_search": _best_json(snapshot),
        "best_confirmed": None if status.best is None else asdict(status.best),
        "failures": [trial_json(trial) | {"error": trial.error} for trial in status.failures],
        "lost_nodes": [dict(node) for node in status.lost_nodes],
        "command": status.command,
        "spool": None if status.spool is None else str(status.spool),
    }


def trial_json(trial: TrialRow) -> dict[str, Any]:
    """Return what identifies a trial, and its progress."""
    return {
        "trial": trial.number,
        "phase": trial.phase,
        "cell": trial.cell,
        "params": dict(trial.params),
        "state": trial.state,
        "epochs": trial.epochs,
        "worker": trial.worker or None,
        "started_at": None if trial.started_at is None else trial.started_at.isoformat(),
    }


def _best_json(snapshot: ProgressSnapshot) -> dict[str, Any] | None:
    """Return the best search trial; its objective is None where it is merely the score of a failure."""
    if snapshot.best is None:
        return None
    best = asdict(snapshot.best)
    return best | {"objective": None} if snapshot.objective.is_failure(snapshot.best.objective) else best


def _holder_json(holder: Holder) -> dict[str, Any]:
    return {"host": holder.host, "process": holder.process, "since": holder.since.isoformat()}


def _counts(snapshot: ProgressSnapshot, phase: Phase) -> Mapping[str, int]:
    ended = {str(state): amount for state, amount in snapshot.ended[phase].items()}
    return {"planned": snapshot.planned[phase], "ended": snapshot.num_ended(phase), **ended}


def _workers(running: Sequence[TrialRow]) -> list[str]:
    """Return host and process of each worker that has reported on a running trial."""
    told = [trial.worker for trial in running if trial.worker]
    return sorted({worker for names in told for worker in names.split(", ")})
