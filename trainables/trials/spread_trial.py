"""A trial whose replicates cannot be stacked, spread over workers: each trains a share, epoch by epoch."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol

from trainables.base.records import Note
from trainables.trials.report_interval import ReportInterval, chain_intervals, join_intervals
from trainables.trials.trial_spec import TrialSpec


class Trainer(Protocol):
    """Trains all replicates of a trial, or a share, interval by interval."""

    num_stacks: int

    @property
    def epoch(self) -> int:
        """The last epoch of the latest interval; less than 1 before the first interval."""

    def train_interval(self, ends: Callable[[int], bool]) -> ReportInterval:
        """Train on to an epoch after which the interval `ends`, and return the interval's results."""

    def take_notes(self) -> tuple[Note, ...]:
        """Return the notes since the last call."""

    def state(self) -> Any:
        """Return the state of these replicates after the latest interval, which must not be the last."""

    def seal(self, states: Sequence[Any]) -> bytes | None:
        """Return the trial's checkpoint from the states of all its replicates, in order; None if there is none."""


@dataclass(frozen=True, kw_only=True)
class ShardEpoch:
    """One worker's results for one epoch of its share, and the seconds that it took."""

    interval: ReportInterval
    notes: tuple[Note, ...]
    seconds: float


class ReplicateShard:
    """A share of a trial's replicates, in the process that trains it."""

    def __init__(self, trainer: Trainer, clock: Callable[[], float] = time.perf_counter) -> None:
        """Train with `trainer`; `clock` tells seconds."""
        self._trainer, self._clock = trainer, clock

    def train_epoch(self) -> ShardEpoch:
        """Train one epoch; the first tells of the initialisation, too."""
        started = self._clock()
        interval = self._trainer.train_interval(lambda epoch: epoch > 0)
        notes = self._trainer.take_notes()
        return ShardEpoch(interval=interval, notes=notes, seconds=self._clock() - started)

    def state(self) -> Any:
        """Return the state of the share."""
        return self._trainer.state()


class Helper(Protocol):
    """Another worker, which works while this one goes on: its methods return functions that wait for the result."""

    @property
    def name(self) -> str:
        """Its host and process."""

    def begin(self, trial_spec: TrialSpec, *, checkpoint: bytes | None, part: range) -> None:
        """Start training the replicates `part`."""

    def train_epoch(self) -> Callable[[], ShardEpoch]:
        """Start training an epoch; return a function that waits for its result."""

    def state(self) -> Callable[[], Any]:
        """Ask for the state of its share; return a function that waits for it."""


class SpreadTrial:
    """Trains a share in this worker and the others on helpers; all shares stay at the same epoch.

    Replicates that are not stacked are independent, so they get the same numbers as in one worker. A checkpoint holds
    each replicate's own state, so the next attempt may be spread differently.
    """

    num_stacks = 1

    def __init__(
        self,
        trial_spec: TrialSpec,
        trainer: Trainer,
        helpers: Sequence[Helper],
        clock: Callable[[], float] = time.perf_counter,
    ) -> None:
        """Train with `trainer` here; `helpers` have the replicates after its own, in order; `clock` tells seconds."""
        self._trial_spec, self._trainer, self._helpers = trial_spec, trainer, helpers
        self._clock = clock
        self._here = ReplicateShard(trainer, clock)
        self._notes: list[Note] = []

    @property
    def epoch(self) -> int:
        """The last epoch of the latest interval."""
        return self._trainer.epoch

    def train_interval(self, ends: Callable[[int], bool]) -> ReportInterval:
        """Train on to an epoch after which the interval `ends`, and return the interval's results."""
        intervals: list[ReportInterval] = []
        while not intervals or not (ends(self.epoch) or self.epoch >= self._trial_spec.epochs):
            intervals.append(self._train_epoch())
        return chain_intervals(intervals)

    def take_notes(self) -> tuple[Note, ...]:
        """Return the notes of all shares since the last call."""
        notes, self._notes = self._notes, []
        return tuple(notes)

    def state(self) -> list[Any]:
        """Return the state of every share, in order."""
        asked = [helper.state() for helper in self._helpers]
        return [self._here.state(), *(answer() for answer in asked)]

    def seal(self, states: Sequence[list[Any]]) -> bytes | None:
        """Return the checkpoint of the trial from the states of all shares."""
        (shards,) = states
        return self._trainer.seal(shards)

    def _train_epoch(self) -> ReportInterval:
        asked = [helper.train_epoch() for helper in self._helpers]
        own = self._here.train_epoch()
        started = self._clock()
        others = [answer() for answer in asked]
        waited = self._clock() - started
        shards = [own, *others]
        self._notes += [note for shard in shards for note in shard.notes]
        epochs = {shard.interval.epoch for shard in shards}
        if len(epochs) > 1:
            raise RuntimeError(
                f"the shares of a trial must keep in step; they are at epochs {sorted(epochs)}"
            )
        whole = join_intervals([shard.interval for shard in shards])
        return replace(whole, elsewhere_seconds=sum(other.seconds for other in others) - waited)
