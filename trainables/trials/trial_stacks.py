"""A trial's replicates in training: one stack, or several that take turns because memory is short."""

import itertools
from collections.abc import Callable, Sequence
from contextlib import nullcontext

from trainables import models
from trainables.base.records import Note, NoteKind
from trainables.data.stack_data import StackData
from trainables.networks.memory import MemoryLimits, is_out_of_memory, make_room, num_values
from trainables.networks.module_stack import BuildModule
from trainables.training.loop import train_epochs
from trainables.training.stack import Stack
from trainables.training.stack_state import StackState, join
from trainables.training.trained_epoch import TrainedEpoch
from trainables.trials.checkpoint import CheckpointError, put_back, restore, save_state
from trainables.trials.report_interval import ReportInterval, interval_of, join_intervals
from trainables.trials.trial_spec import TrialSpec
from trainables.user_code.random_numbers import generators_kept

Ends = Callable[[int], bool]
"""Returns whether an interval ends after this epoch."""


class TrialStacks:
    """Trains a trial interval by interval. If memory runs out, its stacks are halved and the interval is repeated.

    The numbers are those of one whole stack except for rounding, dropout's masks included. Several stacks take turns:
    all but one are kept as states on the host, so that memory holds the activations of one.
    """

    def __init__(
        self,
        trial_spec: TrialSpec,
        data: StackData,
        *,
        checkpoint: bytes | None,
        limits: MemoryLimits,
        build: BuildModule | None = None,
        part: range | None = None,
    ) -> None:
        """Start after `checkpoint` if there is one, with stacks as small as `limits` require.

        With `build` the networks are the modules that it returns. With `part` only these replicates are trained.
        """
        self._trial_spec, self._data, self._checkpoint, self._limits = trial_spec, data, checkpoint, limits
        self._build, self._own = build, part or range(len(trial_spec.seeds))
        self._resting: StackState | None = None
        self._size_of_one = (
            models.num_values(trial_spec.model, trial_spec.hyperparameters, data.input_shape)
            if build is None
            else num_values(trial_spec.hyperparameters, data.num_features)
        )
        most = limits.most(self._size_of_one) or len(self._own)
        self.num_stacks = -(-len(self._own) // most)
        self.epoch = -1
        """The last epoch of the latest interval; -1 before the first interval."""
        self._whole: _Turn | None = None
        self._notes: list[Note] = []
        self._refusal: str | None = None

    def train_interval(self, ends: Ends) -> ReportInterval:
        """Train on to an epoch after which the interval `ends`, and return the interval's results.

        Raises MemoryError if not even one network fits. If a checkpoint cannot be used, a note says so, and the trial
        starts over.
        """
        with generators_kept() if self._build is not None else nullcontext():
            return self._train_interval(ends)

    def _train_interval(self, ends: Ends) -> ReportInterval:
        while True:
            try:
                interval = self._try_interval(lambda epoch: epoch > self.epoch and ends(epoch))
            except CheckpointError as error:
                self._note(
                    NoteKind.CHECKPOINT_REFUSED,
                    f"started over, because its checkpoint cannot be used: {error}",
                )
                self._checkpoint = None
            except (RuntimeError, MemoryError) as error:
                if not is_out_of_memory(error):
                    raise
                # The frames in the error's traceback keep the stack alive.
                self._halve(error.with_traceback(None))
            else:
                self.epoch = interval.epoch
                return interval
            self._whole = None
            make_room()

    def take_notes(self) -> tuple[Note, ...]:
        """Return the notes since the last call."""
        notes, self._notes = self._notes, []
        return tuple(notes)

    def state(self) -> StackState:
        """Return the state after the latest interval, which must not be the last."""
        if self._whole is not None:
            self._resting = StackState.of(self._whole.stack).copied()
        assert self._resting is not None, "asked for before the first leg"
        return self._resting

    def seal(self, states: Sequence[StackState]) -> bytes:
        """Return the checkpoint of the trial from the states of all its replicates, in order."""
        return save_state(join(states), self._trial_spec)

    def _try_interval(self, ends: Ends) -> ReportInterval:
        if self.num_stacks > 1:
            return self._take_turns(ends)
        if self._whole is None:
            self._whole = self._turn(self._own)
        return self._train(self._whole, ends)

    def _take_turns(self, ends: Ends) -> ReportInterval:
        """Train every stack up to the epoch at which the first one's interval ends."""
        intervals: list[ReportInterval] = []
        states: list[StackState] = []
        for part in self._parts():
            turn = self._turn(part)
            intervals.append(
                turn.train(
                    (lambda epoch: epoch == intervals[0].epoch) if intervals else ends, after=self.epoch
                )
            )
            if intervals[0].epoch < self._trial_spec.epochs:
                states.append(StackState.of(turn.stack).copied())
            del turn  # frees its memory before the next one is made
        if states:
            self._resting = join(states)
        return join_intervals(intervals)

    def _train(self, turn: "_Turn", ends: Ends) -> ReportInterval:
        """Train an interval with one stack; add a note, once in a trial, if its steps could not be captured."""
        interval = turn.train(ends, after=self.epoch)
        if turn.stack.step.refusal is not None and self._refusal is None:
            self._refusal = turn.stack.step.refusal
            self._note(
                NoteKind.GRAPH_REFUSED,
                f"steps are launched kernel by kernel, as no graph holds them: {self._refusal}",
            )
        return interval

    def _parts(self) -> list[range]:
        """Return the replicates of each stack, divided as evenly as possible, the largest first."""
        return cut(self._own, self.num_stacks)

    def _turn(self, part: range) -> "_Turn":
        """Make a stack in its latest state; the initialisation is measured unless it has been reported."""
        task = self._trial_spec
        stack = Stack.make(
            task.model, task.hyperparameters, self._data, seeds=task.seeds, part=part, build=self._build
        )
        pending: list[TrainedEpoch] = []
        if self._resting is not None:
            start = self._own.start
            put_back(stack, self._resting.part(range(part.start - start, part.stop - start)))
        elif self._checkpoint is not None:
            if self.epoch < 0:
                pending = list(train_epochs(stack, epochs=0, layers_at=task.layers_at))
            restore(stack, self._checkpoint, task, part=part)
        return _Turn(task, stack, part, pending)

    def _halve(self, error: BaseException) -> None:
        before = max(map(len, self._parts()))
        if before == 1:
            raise MemoryError(
                f"memory does not hold a single network of this trial: {_first_line(error)}\n"
                "Use a smaller width, depth or batch_size, or fewer trials at once (--workers, a larger "
                "--gpus-per-trial)."
            ) from error
        self.num_stacks = min(2 * self.num_stacks, len(self._own))
        after = max(map(len, self._parts()))
        self._limits.note(self._size_of_one, after)
        self._note(
            NoteKind.STACK_HALVED,
            f"memory ran out after epoch {max(self.epoch, 0)} with {before} replicates in a stack, so they are trained "
            f"in {self.num_stacks} stacks of at most {after}: {_first_line(error)}",
        )

    def _note(self, kind: NoteKind, text: str) -> None:
        self._notes.append(Note(kind=kind, text=text))


class _Turn:
    """One stack in training, from interval to interval."""

    def __init__(self, trial_spec: TrialSpec, stack: Stack, part: range, pending: list[TrainedEpoch]) -> None:
        self._trial_spec, self.stack, self._part, self._pending = trial_spec, stack, part, pending
        self._epochs = train_epochs(
            stack,
            epochs=trial_spec.epochs,
            layers_at=trial_spec.layers_at,
            scored_at=trial_spec.scored_at,
        )

    def train(self, ends: Ends, *, after: int) -> ReportInterval:
        """Train until the interval `ends`, and return the results of epochs later than `after`."""
        trained, self._pending = self._pending, []
        for epoch in self._epochs:
            trained.append(epoch)
            if ends(epoch.epoch):
                break
        told = [epoch for epoch in trained if epoch.epoch > after]
        return interval_of(self._trial_spec, self.stack, told, part=self._part)


def cut(replicates: range, num_parts: int) -> list[range]:
    """Return consecutive parts of `replicates`, divided as evenly as possible, the largest first.

    >>> cut(range(10), 4)
    [range(0, 3), range(3, 5), range(5, 8), range(8, 10)]
    """
    ends = [replicates.start - (-place * len(replicates) // num_parts) for place in range(num_parts + 1)]
    return [range(start, stop) for start, stop in itertools.pairwise(ends)]


def _first_line(error: BaseException) -> str:
    return (str(error) or type(error).__name__).splitlines()[0]
