"""A trial whose replicates have no stacked form, spread over workers: each trains a share, epoch by epoch."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol

from trainables.base.records import Note
from trainables.trials.assignment import Assignment
from trainables.trials.leg import Leg, chain_legs, join_legs


class Trainer(Protocol):
    """Trains replicates of a trial leg by leg: all of them, or a share."""

    num_stacks: int

    @property
    def epoch(self) -> int:
        """The last epoch that a leg told of; less than 1 before the first leg."""

    def train_leg(self, ends: Callable[[int], bool]) -> Leg:
        """Train on to an epoch after which the leg `ends`, and tell of it."""

    def take_notes(self) -> tuple[Note, ...]:
        """Return what has been noted since the last call."""

    def state(self) -> Any:
        """Return the state of these replicates after the latest leg, which must not be the last."""

    def seal(self, states: Sequence[Any]) -> bytes | None:
        """Return the trial's checkpoint, given the states of all its replicates, in order; None where there is none."""


@dataclass(frozen=True, kw_only=True)
class ShareEpoch:
    """What one worker did for one epoch of its share."""

    leg: Leg
    notes: tuple[Note, ...]
    seconds: float


class Share:
    """A share of a trial's replicates in training, where it is trained."""

    def __init__(self, trainer: Trainer) -> None:
        """Train with `trainer`."""
        self._trainer = trainer

    def train_epoch(self) -> ShareEpoch:
        """Train one epoch; the first tells of the initialisation, too."""
        started = time.perf_counter()
        leg = self._trainer.train_leg(lambda epoch: epoch > 0)
        notes = self._trainer.take_notes()
        return ShareEpoch(leg=leg, notes=notes, seconds=time.perf_counter() - started)

    def state(self) -> Any:
        """Return the state of the share."""
        return self._trainer.state()


class Helper(Protocol):
    """Another worker, at work while this one goes on: what it is asked for is waited for by calling the answer."""

    @property
    def name(self) -> str:
        """Host and process."""

    def begin(self, assignment: Assignment, *, checkpoint: bytes | None, part: range) -> None:
        """Let it begin with the replicates `part`."""

    def train_epoch(self) -> Callable[[], ShareEpoch]:
        """Let it train an epoch."""

    def state(self) -> Callable[[], Any]:
        """Let it tell the state of its share."""


class SpreadTrial:
    """Trains a share here and the others on helpers, which have begun; no share is an epoch ahead of another.

    Replicates without a stacked form do not know of each other, so they come to what they come to in one worker. A
    checkpoint holds each replicate's own state, whoever trained it: the next attempt may be spread otherwise.
    """

    num_stacks = 1

    def __init__(self, assignment: Assignment, trainer: Trainer, helpers: Sequence[Helper]) -> None:
        """Train with `trainer` here; `helpers` have the replicates after its own, in order."""
        self._assignment, self._trainer, self._helpers = assignment, trainer, helpers
        self._here = Share(trainer)
        self._notes: list[Note] = []

    @property
    def epoch(self) -> int:
        """The last epoch that a leg told of."""
        return self._trainer.epoch

    def train_leg(self, ends: Callable[[int], bool]) -> Leg:
        """Train on to an epoch after which the leg `ends`, and tell of it."""
        legs: list[Leg] = []
        while not legs or not (ends(self.epoch) or self.epoch >= self._assignment.epochs):
            legs.append(self._train_epoch())
        return chain_legs(legs)

    def take_notes(self) -> tuple[Note, ...]:
        """Return what has been noted since the last call, here and elsewhere."""
        notes, self._notes = self._notes, []
        return tuple(notes)

    def state(self) -> list[Any]:
        """Return the state of every share, in order."""
        asked = [helper.state() for helper in self._helpers]
        return [self._here.state(), *(answer() for answer in asked)]

    def seal(self, states: Sequence[list[Any]]) -> bytes | None:
        """Return the checkpoint of the trial, given the states of all shares."""
        (shares,) = states
        return self._trainer.seal(shares)

    def _train_epoch(self) -> Leg:
        asked = [helper.train_epoch() for helper in self._helpers]
        own = self._here.train_epoch()
        started = time.perf_counter()
        others = [answer() for answer in asked]
        waited = time.perf_counter() - started
        shares = [own, *others]
        self._notes += [note for share in shares for note in share.notes]
        epochs = {share.leg.epoch for share in shares}
        if len(epochs) > 1:
            raise RuntimeError(
                f"the shares of a trial must keep in step; they are at epochs {sorted(epochs)}"
            )
        whole = join_legs([share.leg for share in shares])
        return replace(whole, elsewhere_seconds=sum(other.seconds for other in others) - waited)
