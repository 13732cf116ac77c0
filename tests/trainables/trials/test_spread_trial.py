"""Replicates spread over workers come to what they come to in one, and go on from each other's checkpoints."""

import pickle
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Any

import pytest

from tests.trainables.loops import Row, descend, fine_tune, regression_data, regression_task
from tests.trainables.modules import build_picture
from tests.trainables.small import train_in_peace, trial_spec
from trainables.base.hyperparameters import Hyperparameters
from trainables.base.records import TrialReport
from trainables.data.stack_data import StackData
from trainables.networks.memory import MemoryLimits
from trainables.trials.reporting import trainer_of
from trainables.trials.spread_trial import ReplicateShard, ShardEpoch
from trainables.trials.trial_spec import TrialSpec
from trainables.user_code.loop import Loop, LoopData


class Beside:
    """A helper in this process; all that passes between it and the worker is pickled, as on the way to another one."""

    name = "there:2"

    def __init__(
        self, data: StackData, *, clock: Callable[[], float] = time.perf_counter, **means: Any
    ) -> None:
        self._data, self._means = data, {"limits": None, "build": None, "loop": None} | means
        self._clock = clock
        self.part: range | None = None

    def begin(self, task: TrialSpec, *, checkpoint: bytes | None, part: range) -> None:
        self.part = part
        trainer = trainer_of(carried(task), self._data, checkpoint=checkpoint, part=part, **self._means)
        self._shard = ReplicateShard(trainer, self._clock)

    def train_epoch(self) -> Callable[[], ShardEpoch]:
        return lambda: carried(self._shard.train_epoch())

    def state(self) -> Callable[[], Any]:
        return lambda: carried(self._shard.state())


def carried(sent: Any) -> Any:
    return pickle.loads(pickle.dumps(sent))


def train(
    task: TrialSpec, data: StackData, *, num_helpers: int, limits: MemoryLimits | None = None, **named: Any
) -> list[TrialReport]:
    means = {name: value for name, value in named.items() if name in ("build", "loop")}
    helpers = [Beside(data, limits=limits, **means) for _ in range(num_helpers)]
    return list(
        train_in_peace(
            task,
            data,
            worker="here:1",
            helpers=helpers,
            limits=limits,
            seconds_between_checkpoints=0.0,
            **named,
        )
    )


def content(reports: Sequence[TrialReport]) -> list[Any]:
    """Return all that reports tell but times and workers."""
    return [
        (r.epoch, r.objective, r.epochs, r.replicates, r.models, r.evaluations, r.checkpoint) for r in reports
    ]


MODULES = trial_spec(
    model="own", dropout=0.4, batch_norm=True, patience=1, reads_test=True, keeps_models=True
)
KINDS: dict[str, Callable[[StackData], tuple[TrialSpec, StackData, dict[str, Any]]]] = {
    "modules": lambda digits: (MODULES, digits, {"build": build_picture}),
    "a loop": lambda digits: (regression_task(reads_test=True), regression_data(), {"loop": descend}),
    "a loop with a state": lambda digits: (
        trial_spec(
            model="own",
            depth=1,
            width=12,
            batch_size=200,
            rungs=(1, 2),
            layers_at=(0, 1, 2),
            keeps_models=True,
        ),
        digits,
        {"loop": fine_tune},
    ),
}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("num_helpers", [1, 2])
def test_they_come_to_the_numbers_of_one_worker(digits: StackData, kind: str, num_helpers: int) -> None:
    task, data, means = KINDS[kind](digits)
    alone = train(task, data, num_helpers=0, **means)
    spread = train(task, data, num_helpers=num_helpers, **means)
    assert content(spread) == content(alone)
    assert spread[0].worker == ", ".join(["here:1"] + ["there:2"] * num_helpers)


@pytest.mark.parametrize("kind", ["modules", "a loop with a state"])
def test_a_checkpoint_serves_however_the_next_attempt_is_spread(digits: StackData, kind: str) -> None:
    task, data, means = KINDS[kind](digits)
    first, *rest = train(task, data, num_helpers=1, **means)
    assert first.checkpoint is not None
    expected = [report.replicates for report in rest]
    for num_helpers in (0, 2):
        resumed = train(task, data, num_helpers=num_helpers, checkpoint=first.checkpoint, **means)
        assert [report.replicates for report in resumed] == expected
        assert {record.epoch for report in resumed for record in report.epochs} >= {2}


def test_a_shard_is_halved_where_memory_is_short(digits: StackData) -> None:
    limits = MemoryLimits()
    limits.note(0, 1)
    halved = train(MODULES, digits, num_helpers=1, limits=limits, build=build_picture)
    assert content(halved) == content(train(MODULES, digits, num_helpers=0, build=build_picture))


class Clock:
    """A clock that a loop puts forward by a second for each epoch that it trains."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def __call__(self) -> float:
        return self.seconds

    def loop(self, hyperparameters: Hyperparameters, data: LoopData, seed: int) -> Iterator[Row]:
        for row in descend(hyperparameters, data, seed):
            self.seconds += 1
            yield row


def test_the_time_of_all_workers_is_counted() -> None:
    task, data, here = regression_task(rungs=(3,)), regression_data(), Clock()
    (alone,) = train(task, data, num_helpers=0, loop=here.loop, clock=here)
    num_networks = len(task.seeds)
    assert (alone.first_epoch_seconds, alone.busy_seconds) == (num_networks, 3 * num_networks)
    # Helpers that work while they are waited for: nothing is busy twice.
    helpers = [Beside(data, loop=here.loop, clock=here) for _ in range(2)]
    (spread,) = train_in_peace(task, data, worker="", helpers=helpers, loop=here.loop, clock=here)
    assert (spread.first_epoch_seconds, spread.busy_seconds) == (num_networks, 3 * num_networks)
    # Helpers that work beside this worker, and are not waited for.
    theirs = [Clock() for _ in range(2)]
    helpers = [Beside(data, loop=clock.loop, clock=clock) for clock in theirs]
    (spread,) = train_in_peace(task, data, worker="", helpers=helpers, loop=here.loop, clock=here)
    assert all(clock.seconds >= 3 for clock in theirs)
    assert spread.busy_seconds == 3 * num_networks
    assert spread.first_epoch_seconds is not None
    assert spread.busy_seconds - spread.first_epoch_seconds == 2 * (num_networks - 2), "of this worker's own"


def test_a_shard_that_falls_out_of_step_is_told(digits: StackData) -> None:
    task, data, _ = KINDS["a loop with a state"](digits)
    first, *_ = train(task, data, num_helpers=1, loop=fine_tune)
    stateless: Loop = lambda hp, data, seed: fine_tune(hp, data, seed)  # noqa: E731
    helper = Beside(data, loop=stateless)
    went_on = train_in_peace(
        task, data, worker="", helpers=[helper], checkpoint=first.checkpoint, loop=fine_tune
    )
    with pytest.raises(RuntimeError, match=r"must keep in step; they are at epochs \[1, 2\]"):
        list(went_on)


def test_shards_are_as_even_as_can_be(digits: StackData) -> None:
    data = replace(digits, train=digits.train[:, :64])
    helpers = [Beside(data, loop=fine_tune) for _ in range(2)]
    task = trial_spec(model="own", depth=1, width=4, batch_size=64, rungs=(1,), layers_at=())
    list(train_in_peace(task, data, worker="", helpers=helpers, loop=fine_tune))
    assert [helper.part for helper in helpers] == [range(1, 2), range(2, 3)]
