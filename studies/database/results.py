"""What is recorded in one write: everything in one report of a trial, its ending included."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from studies.base.states import Decision, TrialState
from trainables.base.records import EpochRecord, ReplicateRecord


@dataclass(frozen=True, kw_only=True)
class RungResult:
    """A trial's objective at a rung, and ASHA's decision."""

    epoch: int
    objective: float | None
    decision: Decision


@dataclass(frozen=True, kw_only=True)
class Evaluation:
    """One replicate's results on the test part: confusion counts, calibration bins and a few samples."""

    replicate: int
    confusion: Sequence[Sequence[int]]
    calibration: Sequence[Mapping[str, Any]]
    samples: Sequence[Mapping[str, Any]] = ()


@dataclass(frozen=True, kw_only=True)
class Verdicts:
    """The verdict on one network's gradients, at initialisation and in training (None: not judged).

    `details` holds every rule that applies, with its values and thresholds, as plain data.
    """

    initial: str | None
    trained: str | None
    details: Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class Artifact:
    """A file of a study; `path` is relative to the study's output folder, with forward slashes."""

    path: str
    sha256: str
    num_bytes: int


@dataclass(frozen=True, kw_only=True)
class Ending:
    """The final state of a trial and its results; `verdicts` are by replicate."""

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
    """One report of a trial: its epochs, a rung and its ending, where there are any.

    `epoch` is the number of epochs trained so far, `busy_seconds` the time since the last report, `worker` the host
    and process that trained. `epochs` holds every replicate's records since the last report; those of epoch 0 have
    layers only. `attempt` counts from 1: a report of an earlier attempt is a repeat, and does not update the trial.
    """

    epoch: int
    busy_seconds: float
    epochs: Sequence[EpochRecord] = field(default=())
    rung: RungResult | None = None
    ending: Ending | None = None
    worker: str | None = None
    attempt: int | None = None
