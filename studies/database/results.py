"""What is recorded at once: everything that one report of a trial says, or its end."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from studies.base.states import Decision, TrialState
from trainables.base.records import EpochRecord, ReplicateRecord


@dataclass(frozen=True, kw_only=True)
class RungResult:
    """What ASHA was told at a rung, and what it decided."""

    epoch: int
    objective: float | None
    decision: Decision


@dataclass(frozen=True, kw_only=True)
class Evaluation:
    """How one replicate does on the test part: counts, calibration bins and a few samples."""

    replicate: int
    confusion: Sequence[Sequence[int]]
    calibration: Sequence[Mapping[str, Any]]
    samples: Sequence[Mapping[str, Any]] = ()


@dataclass(frozen=True, kw_only=True)
class Verdicts:
    """What one network's gradients are called, at initialisation and in training (None: not judged).

    `details` holds all rules that hold, with the values and thresholds that made them, as plain data.
    """

    initial: str | None
    trained: str | None
    details: Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class Artifact:
    """A file that a study left; `path` is relative to the study's output folder, with forward slashes."""

    path: str
    sha256: str
    num_bytes: int


@dataclass(frozen=True, kw_only=True)
class Ending:
    """How a trial ended, for good; `verdicts` by replicate."""

    state: TrialState
    ended_at: datetime
    stop_reason: str | None = None
    objective: float | None = None
    error: str | None = None
    replicates: Sequence[ReplicateRecord] = ()
    evaluations: Sequence[Evaluation] = ()
    verdicts: Mapping[int, Verdicts] = field(default_factory=dict)
    artifacts: Sequence[Artifact] = ()

    def __post_init__(self) -> None:
        assert self.state.has_ended, f"a trial cannot end as {self.state}"


@dataclass(frozen=True, kw_only=True)
class TrialResult:
    """One report of a trial. `epoch`: epochs trained so far; `busy_seconds`: since the last report;
    `worker`: host and process that trained.

    `epochs` holds every replicate's records since the last report; those of epoch 0 carry layers alone. `attempt`
    counts from 1: a report of an earlier attempt than the present one is a repeat, and moves nothing on.
    """

    epoch: int
    busy_seconds: float
    epochs: Sequence[EpochRecord] = field(default=())
    rung: RungResult | None = None
    ending: Ending | None = None
    worker: str | None = None
    attempt: int | None = None
