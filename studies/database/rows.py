"""Rows read from a storage, a frozen dataclass for each kind."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from studies.base.states import Decision, Phase, StudyState, TrialState


@dataclass(frozen=True, kw_only=True)
class StudyRow:
    """A study; `plan` is `Plan.to_dict()` as it was frozen."""

    id: int
    name: str
    question: str
    plan: dict[str, Any]
    plan_hash: str
    seed: int
    state: StudyState
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True, kw_only=True)
class Holder:
    """The run that holds a study."""

    host: str
    process: int
    since: datetime


@dataclass(frozen=True, kw_only=True)
class LeaseRow:
    """The lease columns of a study's row; a holder that was killed remains in it."""

    id: int
    name: str
    fencing_token: int
    holder_host: str | None
    holder_process: int | None
    held_since: datetime | None
    stop_requested_at: datetime | None

    @property
    def holder(self) -> Holder | None:
        """The run that took the lease last, unless it has released it."""
        if self.holder_host is None or self.holder_process is None or self.held_since is None:
            return None
        return Holder(host=self.holder_host, process=self.holder_process, since=self.held_since)


@dataclass(frozen=True, kw_only=True)
class HeldStudy:
    """A running study that a run holds since `since`, and the detail of that run's event, None if it has none."""

    id: int
    since: datetime
    detail: str | None


@dataclass(frozen=True, kw_only=True)
class TrialRow:
    """A trial; `params` are its factors and nuisances, `rung` the last rung reached, as an epoch.

    `started_at` is the start of the present attempt; `busy_seconds` adds up all attempts.
    """

    number: int
    phase: Phase
    cell: int | None
    params: Mapping[str, Any]
    state: TrialState
    stop_reason: str | None
    rung: int | None
    epochs: int
    objective: float | None
    attempt: int
    started_at: datetime | None
    ended_at: datetime | None
    busy_seconds: float
    error: str | None
    worker: str | None
    versions: Mapping[str, str] | None


@dataclass(frozen=True, kw_only=True)
class TrialsSoFar:
    """A study's trials as far as its progress needs them: all are counted, few are read.

    `counts` has every state of each phase. `search_epochs` are those that ended search trials reached, added up; times
    the replicates they are network-epochs. `confirm`, `running` and `failed` are the rows of these trials by number,
    `best` is the best search trial that came to the last rung, None before there is one.
    """

    counts: Mapping[Phase, Mapping[TrialState, int]]
    search_epochs: int
    confirm: Sequence[TrialRow]
    running: Sequence[TrialRow]
    failed: Sequence[TrialRow]
    best: TrialRow | None


@dataclass(frozen=True, kw_only=True)
class RungRow:
    """A trial's objective at a rung and ASHA's decision; `sequence` gives the order of the decisions."""

    trial_number: int
    epoch: int
    sequence: int
    objective: float | None
    decision: Decision


@dataclass(frozen=True, kw_only=True)
class EventRow:
    """An event of a study or of one of its trials."""

    sequence: int
    at: datetime
    kind: str
    trial_number: int | None
    detail: str
