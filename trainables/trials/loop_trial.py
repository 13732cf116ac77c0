"""A trial whose replicates are trained by the user's own loop, one after the other, epoch by epoch."""

import inspect
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict
from types import FrameType
from typing import Any, TypeAlias

import torch

from trainables.base.metrics import TEST, VALIDATION
from trainables.base.records import EpochRecord, Note, NoteKind, Outcome, ReplicateRecord
from trainables.base.seeds import seed_for_libraries
from trainables.data.stack_data import StackData
from trainables.gradients.measured_epoch import ReplicateMeasures
from trainables.trials import loop_checkpoint
from trainables.trials.artifact import to_bytes
from trainables.trials.checkpoint import CheckpointError
from trainables.trials.report_interval import ReportInterval
from trainables.trials.trial_spec import TrialSpec
from trainables.user_code.epochs import is_in_epoch
from trainables.user_code.loop import Loop, LoopData, LoopError, LoopOutput, read, required_metrics
from trainables.user_code.random_numbers import UserRandom

IN_COLUMNS = ("train_loss", "train_accuracy", "val_loss", "val_accuracy", "learning_rate")
"""Scores of a classifier's epoch that have database columns; of other loops only the learning rate has one."""

LoopState: TypeAlias = list[dict[str, Any] | None]
"""The state from which each replicate can resume; None if its loop yielded none."""


class LoopTrial:
    """Trains a trial interval by interval like TrialStacks, with a user's loop instead of a stack.

    All replicates finish an epoch before any starts the next. Each has its own data, seed and state of the global
    random generators, so it gets the numbers that it would get alone. A replicate whose primary metric is not finite is
    not trained any further.
    """

    num_stacks = 1

    def __init__(
        self,
        trial_spec: TrialSpec,
        data: StackData,
        loop: Loop,
        *,
        checkpoint: bytes | None,
        part: range | None = None,
    ) -> None:
        """Start after `checkpoint` if the loop can resume from one, else from the beginning.

        With `part` only these replicates are trained.
        """
        self.epoch = 0
        self._trial_spec, self._notes = trial_spec, list[Note]()
        states = self._opened(loop, checkpoint)
        self._replicates = [
            _Replicate(trial_spec, data, loop, number, states[number] if states else None)
            for number in part or range(len(trial_spec.seeds))
        ]

    def train_interval(self, ends: Callable[[int], bool]) -> ReportInterval:
        """Train on to an epoch after which the interval `ends`, and return the interval's results."""
        records: list[EpochRecord] = []
        while True:
            self.epoch += 1
            for replicate in self._replicates:
                records += replicate.train_epoch(self.epoch)
            if ends(self.epoch) or self.epoch == self._trial_spec.epochs:
                break
        if self.epoch == self._trial_spec.epochs:
            for replicate in self._replicates:
                replicate.close()
        return ReportInterval(
            epoch=self.epoch,
            epochs=tuple(sorted(records, key=lambda record: (record.epoch, record.replicate))),
            measuring_seconds=0.0,
            replicates=tuple(replicate.record() for replicate in self._replicates),
            models=self._models(),
            evaluations=(),
        )

    def state(self) -> LoopState:
        """Return the state that each replicate yielded."""
        return [replicate.state() for replicate in self._replicates]

    def seal(self, states: Sequence[LoopState]) -> bytes | None:
        """Return the checkpoint of the trial from the states of all its replicates, in order.

        None if one of them has no state.
        """
        each = [state for part in states for state in part]
        if any(state is None for state in each):
            return None
        return loop_checkpoint.save(each, self._trial_spec, epoch=self.epoch)

    def _models(self) -> tuple[bytes, ...]:
        """Return all replicates' weights after the last epoch, if they are wanted and every loop yielded them."""
        if not self._trial_spec.keeps_models or self.epoch < self._trial_spec.epochs:
            return ()
        models = [replicate.model() for replicate in self._replicates]
        return tuple(model for model in models if model is not None) if all(models) else ()

    def take_notes(self) -> tuple[Note, ...]:
        """Return the notes since the last call."""
        notes, self._notes = self._notes, []
        return tuple(notes)

    def _opened(self, loop: Loop, checkpoint: bytes | None) -> list[dict[str, Any]] | None:
        if checkpoint is None or not takes_state(loop):
            return None
        try:
            states, self.epoch = loop_checkpoint.load(checkpoint, self._trial_spec)
        except CheckpointError as error:
            text = f"started over, because its checkpoint cannot be used: {error}"
            self._notes.append(Note(kind=NoteKind.CHECKPOINT_REFUSED, text=text))
            return None
        return states


def takes_state(loop: Loop) -> bool:
    """Return whether a loop has a parameter `state`, with which it resumes from what it yielded as `checkpoint`."""
    return "state" in inspect.signature(loop).parameters


class _Replicate:
    """One replicate in training: its loop, suspended between epochs, and what that yielded last."""

    def __init__(
        self,
        trial_spec: TrialSpec,
        data: StackData,
        loop: Loop,
        number: int,
        before: Mapping[str, Any] | None,
    ) -> None:
        self._trial_spec, self._number = trial_spec, number
        self._names = required_metrics(trial_spec.metrics)
        self._primary = trial_spec.primary
        seed, block = trial_spec.seeds[number], trial_spec.blocks[number]
        self._generators = None if before is None else before["random"]
        self._are_restored = False
        self._data = LoopData(data, number, block=block, epochs=trial_spec.epochs, on_epochs_read=self._go_on)
        self._random = UserRandom(seed)
        self._last = LoopOutput(numbers={})
        self._takes_state = takes_state(loop)
        arguments: dict[str, Any] = {}
        self.has_diverged = False
        if before is not None:
            arguments["state"], self.has_diverged = before["state"], before["diverged"]
        with self._random.active():
            self._rows = loop(trial_spec.hyperparameters, self._data, seed_for_libraries(seed), **arguments)
        if not isinstance(self._rows, Iterator):
            raise LoopError(
                f"train() must be a generator that yields one dict an epoch; it returned {self._rows!r:.80}"
            )

    def _go_on(self, reader: FrameType) -> None:
        """Restore the generators of the checkpoint, after the loop's setup has drawn from them.

        A loop reads `data.epochs` last before its first epoch. If it also reads it during setup, they are restored each
        time; reading it within epochs restores nothing.
        """
        if self._generators is not None and not (self._are_restored and is_in_epoch(reader)):
            UserRandom.restore(self._generators)
            self._are_restored = True

    def train_epoch(self, epoch: int) -> list[EpochRecord]:
        """Train one epoch and return its record, preceded in epoch 1 by the initialisation's if that was measured."""
        if self.has_diverged:
            return [EpochRecord(replicate=self._number, epoch=epoch)]
        self._last = self._next(epoch)
        self.has_diverged = self._last.has_diverged(self._primary)
        records = [self._record(epoch, self._last)]
        initial = self._last.initial
        if epoch == 1 and initial is not None and 0 in self._trial_spec.layers_at:
            layers, metrics = initial.layers, initial.metrics
            records.insert(0, EpochRecord(replicate=self._number, epoch=0, layers=layers, metrics=metrics))
        return records

    def record(self) -> ReplicateRecord:
        """Return the replicate's current record."""
        outcome = Outcome.DIVERGED if self.has_diverged else Outcome.COMPLETE
        known = {} if self.has_diverged else self._last.numbers
        scores = {name: value for name, value in known.items() if name.startswith((VALIDATION, TEST))}
        columns = {name: scores.pop(name) for name in self._columns(ReplicateRecord) if name in scores}
        block = self._trial_spec.blocks[self._number]
        return ReplicateRecord(
            replicate=self._number, block=block, outcome=outcome, metrics=scores, **columns
        )

    def state(self) -> dict[str, Any] | None:
        """Return everything needed to resume, None if the loop yielded no checkpoint."""
        if not self._takes_state or (self._last.state is None and not self.has_diverged):
            return None
        return {"state": self._last.state, "random": self._random.state(), "diverged": self.has_diverged}

    def model(self) -> bytes | None:
        """Return the weights that the loop yielded last, None if it yielded none."""
        if self._last.weights is None:
            return None
        metadata = {
            "hyperparameters": asdict(self._trial_spec.hyperparameters),
            "input_shape": self._data.input_shape,
            "classes": self._data.classes,
        }
        weights = {name: torch.as_tensor(value).clone() for name, value in self._last.weights.items()}
        return to_bytes(weights, metadata)

    def close(self) -> None:
        """Close the loop's generator, which leaves its contexts."""
        with self._random.active():
            getattr(self._rows, "close", lambda: None)()

    def _next(self, epoch: int) -> LoopOutput:
        has_test = self._trial_spec.reads_test and epoch == self._trial_spec.epochs
        if has_test:
            self._data.hand_out_test()
        with self._random.active():
            try:
                yielded = next(self._rows)
            except StopIteration:
                asked = self._trial_spec.epochs
                raise LoopError(
                    f"train() ended after {epoch - 1} of {asked} epochs, and must yield one dict in each, as "
                    "data.epochs says; a loop that stops early yields its last scores again in those that are left"
                ) from None
        self._generators = None
        return read(yielded, self._names, epoch=epoch, has_test=has_test)

    def _record(self, epoch: int, said: LoopOutput) -> EpochRecord:
        numbers = {name: value for name, value in said.numbers.items() if not name.startswith(TEST)}
        if self.has_diverged:
            numbers = {}
        columns = {name: numbers.pop(name) for name in self._columns(EpochRecord) if name in numbers}
        measured = said.gradients if epoch in self._trial_spec.layers_at else None
        found = ReplicateMeasures(layers=(), metrics={}) if measured is None else measured
        return EpochRecord(
            replicate=self._number,
            epoch=epoch,
            metrics={**numbers, **found.metrics},
            layers=found.layers,
            **columns,
        )

    def _columns(self, kind: type[EpochRecord] | type[ReplicateRecord]) -> list[str]:
        """Return the names with their own fields in a record; those of losses and accuracies only for classifiers."""
        own = {*kind.__dataclass_fields__}
        names = (*IN_COLUMNS, "test_loss", "test_accuracy")
        return [
            name
            for name in names
            if name in own and (not self._trial_spec.metrics or name == "learning_rate")
        ]
