"""Tests whether a training loop gives the same numbers from its checkpoint as uninterrupted, on a few examples."""

import inspect
import traceback
from dataclasses import dataclass, replace
from typing import Any

from torch import Tensor

from trainables.base.records import Note, NoteKind
from trainables.data.stack_data import StackData
from trainables.trials.loop_trial import LoopTrial, takes_state
from trainables.trials.report_interval import ReportInterval
from trainables.trials.trial_spec import TrialSpec
from trainables.user_code.loop import Loop
from trainables.user_code.random_numbers import UserRandom

FEW_EXAMPLES = 200
"""Examples of each part in the test; if the loop fails on so few, all are used."""
MAX_EPOCHS = 20
"""A loop that yields no checkpoint in so many epochs is not tested."""


@dataclass(frozen=True, kw_only=True)
class ResumeMismatch:
    """How a loop that resumes from its checkpoint differs from the same loop without interruption.

    `is_repeatable`: two uninterrupted runs agree, so that starting over gives the right numbers.
    """

    words: str
    is_repeatable: bool = True


@dataclass(frozen=True, kw_only=True)
class _End:
    """An epoch's records, and the state after it."""

    interval: ReportInterval
    state: dict[str, Any] | None

    @property
    def numbers(self) -> dict[str, float | None]:
        """The numbers of the epoch."""
        (record,) = self.interval.epochs
        columns = (record.train_loss, record.train_accuracy, record.val_loss, record.val_accuracy)
        names = ("train_loss", "train_accuracy", "val_loss", "val_accuracy")
        return {**dict(zip(names, columns, strict=True)), **record.metrics}

    def draws_like(self, other: "_End") -> bool:
        """Return whether both left the global random generators equal; True if either has no state."""
        if self.state is None or other.state is None:
            return True
        return UserRandom.is_same(self.state["random"], other.state["random"])


def usable(
    checkpoint: bytes, loop: Loop, trial_spec: TrialSpec, data: StackData
) -> tuple[bytes | None, tuple[Note, ...]]:
    """Return the checkpoint if the loop resumes from it correctly; else None, to start over, and a note with why."""
    mismatch = find_resume_mismatch(loop, trial_spec, data)
    if mismatch is None or not mismatch.is_repeatable:
        return checkpoint, ()
    text = f"started over, because its numbers would be others: {mismatch.words}"
    return None, (Note(kind=NoteKind.CHECKPOINT_REFUSED, text=text),)


def find_resume_mismatch(loop: Loop, trial_spec: TrialSpec, data: StackData) -> ResumeMismatch | None:
    """Train the first replicate to its first checkpoint and one epoch on, uninterrupted and from the checkpoint.

    Returns None if both give the same numbers and leave the random generators equal, or if there is nothing to compare.
    Raises what the uninterrupted loop raises.
    """
    if not takes_state(loop) or trial_spec.epochs < 2:
        return None
    first = data.part(range(1))
    task = replace(
        trial_spec,
        blocks=trial_spec.blocks[:1],
        seeds=trial_spec.seeds[:1],
        layers_at=(),
        reads_test=False,
        keeps_models=False,
    )
    try:
        return _compare(loop, task, _few(first))
    except Exception:  # for example batches larger than the data, or a missing class: repeat it on all data
        return _compare(loop, task, first)


def _few(data: StackData) -> StackData:
    def some(rows: Tensor) -> Tensor:
        return rows[:, :: -(-rows.shape[1] // FEW_EXAMPLES)]

    return replace(data, train=some(data.train), validation=some(data.validation), test=some(data.test))


def _compare(loop: Loop, task: TrialSpec, data: StackData) -> ResumeMismatch | None:
    in_one_go = _in_one_go(loop, task, data)
    if in_one_go is None:
        return None
    checkpoint, epoch, whole = in_one_go
    try:
        rest = _epoch_of(LoopTrial(task, data, loop, checkpoint=checkpoint))
    except Exception as error:
        return ResumeMismatch(
            words=f"from the checkpoint of epoch {epoch} it raises {_format_error(error, loop)}"
        )
    words = _difference(whole, rest, epoch)
    if words is None:
        return None
    again = _in_one_go(loop, task, data)
    is_repeatable = again is not None and _difference(whole, again[2], epoch) is None
    return ResumeMismatch(words=words, is_repeatable=is_repeatable)


def _in_one_go(loop: Loop, task: TrialSpec, data: StackData) -> tuple[bytes, int, _End] | None:
    """Return the first checkpoint, its epoch, and the result of the next epoch; None without a checkpoint."""
    trial = LoopTrial(task, data, loop, checkpoint=None)
    while trial.epoch < min(task.epochs - 1, MAX_EPOCHS):
        _epoch_of(trial)
        checkpoint = trial.seal([trial.state()])
        if checkpoint is not None:
            return checkpoint, trial.epoch, _epoch_of(trial)
    return None


def _epoch_of(trial: LoopTrial) -> _End:
    interval = trial.train_interval(lambda epoch: True)
    (state,) = trial.state()
    return _End(interval=interval, state=state)


def _difference(whole: _End, rest: _End, epoch: int) -> str | None:
    """Return how two runs of the epoch after `epoch` differ, None if they do not."""
    after = f"in epoch {epoch + 1}, the one after its checkpoint"
    if not whole.draws_like(rest):
        return (
            f"{after}, its random numbers are not those of a run in one go; they are put back when it reads "
            "data.epochs: read that after everything else is set up, as in `for epoch in range(start, data.epochs)`, "
            "and draw no random number between a yield and the next epoch"
        )
    ours, theirs = whole.numbers, rest.numbers
    for name in ours:
        if repr(ours[name]) != repr(theirs.get(name)):
            return (
                f"{after}, {name} is {theirs.get(name)!r} and in one go {ours[name]!r}; what it yields as checkpoint "
                "lacks something that its epochs depend on, such as an optimizer's or a schedule's state, or that of "
                "a random generator of its own"
            )
    return None


def _format_error(error: Exception, loop: Loop) -> str:
    """Name an error with the last of the loop's own lines that led to it."""
    code = getattr(inspect.unwrap(loop), "__code__", None)
    frames = [
        frame
        for frame in traceback.extract_tb(error.__traceback__)
        if code is not None and frame.filename == code.co_filename
    ]
    where = f" (line {frames[-1].lineno})" if frames else ""
    return f"{type(error).__name__}: {error}{where}"
