"""Memory runs out: the stack is halved, and the trial comes to the numbers of the whole one."""

import json
import math
import random
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import asdict, replace
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from tests.trainables.little_memory import REPLICATES, train_large
from tests.trainables.rounding import SAME
from tests.trainables.signals import in_float64
from tests.trainables.small import train_in_peace, trial_spec
from trainables.base.hyperparameters import Hyperparameters
from trainables.base.records import NoteKind, TrialReport
from trainables.data.stack_data import StackData
from trainables.kernels import cache
from trainables.networks.memory import MemoryLimits
from trainables.training import schedules, training_step
from trainables.training.evaluation import cross_entropy
from trainables.training.loop import train
from trainables.training.stack import Stack
from trainables.training.stack_state import StackState, join
from trainables.trials import reporting
from trainables.trials.artifact import from_bytes
from trainables.trials.checkpoint import save, save_state
from trainables.trials.reporting import train_trial_spec
from trainables.trials.trial_spec import TrialSpec

pytestmark = pytest.mark.numeric


class LittleMemory:
    """A GPU, as it were, that holds stacks of so many replicates from some step on."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.most, self.steps_before, self.stacks = 99, 0, list[int]()
        loss = cross_entropy

        def lose(logits: torch.Tensor, *given: Any, **named: Any) -> Any:
            self.stacks.append(len(logits))
            if len(logits) > self.most and len(self.stacks) > self.steps_before:
                raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 MiB.\nGPU 0 has ...")
            return loss(logits, *given, **named)

        monkeypatch.setattr(training_step, "cross_entropy", lose)


@pytest.fixture
def memory(by_torch: None, monkeypatch: pytest.MonkeyPatch) -> LittleMemory:
    """Memory that a test makes as small as it likes; checkpoints come as often as it likes, too."""
    monkeypatch.setattr(reporting, "CHECKPOINT_BYTES_PER_SECOND", math.inf)
    return LittleMemory(monkeypatch)


@pytest.fixture
def data(digits: StackData) -> StackData:
    """Five replicates on a part of the digits, in float64: with fewer replicates a product may add up otherwise."""
    blocks = torch.tensor([0, 1, 2, 0, 1])
    return replace(
        in_float64(digits),
        train=digits.train[blocks, :200],
        validation=digits.validation[blocks, :60],
        test=digits.test[blocks, :60],
    )


def five(**changes: Any) -> TrialSpec:
    """Return an assignment of five replicates with everything that a report can hold."""
    fields: dict[str, Any] = {"blocks": (0, 1, 2, 3, 4), "seeds": (11, 12, 13, 14, 15), "rungs": (1, 3, 4)}
    options: dict[str, Any] = {"reads_test": True, "keeps_models": True, "dropout": 0.4, "batch_norm": True}
    return trial_spec(**{**fields, "layers_at": (0, 1, 3), **options, **changes})


def reports(task: TrialSpec, data: StackData, **named: Any) -> list[TrialReport]:
    return list(train_in_peace(task, data, worker="here:1", **named))


def leaves(found: Any) -> Iterator[Any]:
    """Yield everything in a report, in order."""
    if isinstance(found, Mapping):
        for _, value in sorted(found.items()):
            yield from leaves(value)
    elif isinstance(found, list | tuple):
        for value in found:
            yield from leaves(value)
    elif isinstance(found, bytes):
        yield from leaves({name: tensor.flatten().tolist() for name, tensor in from_bytes(found).items()})
    else:
        yield found


def assert_same(found: list[TrialReport], expected: list[TrialReport]) -> None:
    """Compare everything but times, notes and checkpoints; numbers but for rounding."""
    same: dict[str, Any] = {"busy_seconds": 0.0, "measuring_seconds": 0.0, "first_epoch_seconds": None}
    same |= {"notes": (), "checkpoint": None}
    assert len(found) == len(expected)
    left, right = (
        list(leaves([asdict(replace(report, **same)) for report in reports])) for reports in (found, expected)
    )
    is_float = [isinstance(value, float) for value in right]
    assert [isinstance(value, float) for value in left] == is_float

    def chosen(values: list[Any], *, floats: bool) -> list[Any]:
        return [value for value, known in zip(values, is_float, strict=True) if known is floats]

    assert chosen(left, floats=False) == chosen(right, floats=False)
    np.testing.assert_allclose(chosen(left, floats=True), chosen(right, floats=True), rtol=SAME, atol=1e-12)


@pytest.mark.parametrize(
    "changes",
    [
        {"optimizer": "sgd"},
        {"optimizer": "adam"},
        {"optimizer": "rmsprop", "schedule": "plateau"},
        {"patience": 1, "learning_rate": 0.3},
    ],
)
def test_two_stacks_come_to_the_numbers_of_one(
    data: StackData, memory: LittleMemory, monkeypatch: pytest.MonkeyPatch, changes: dict[str, Any]
) -> None:
    monkeypatch.setattr(schedules, "PLATEAU_PATIENCE", 0)
    whole = reports(five(**changes), data)
    memory.stacks, memory.most = [], 3
    halved = reports(five(**changes), data)
    assert_same(halved, whole)
    assert [report.epoch for report in halved] == [1, 3, 4], "one report a rung for all replicates"
    (note,) = halved[0].notes
    assert note.kind is NoteKind.STACK_HALVED
    assert note.text == (
        "memory ran out after epoch 0 with 5 replicates in a stack, so they are trained in 2 stacks of at most 3: "
        "CUDA out of memory. Tried to allocate 2.00 MiB."
    )
    assert set(memory.stacks[1:]) == {2, 3}
    assert [report.notes for report in halved[1:]] == [()] * 2


def test_down_to_one_replicate(data: StackData, memory: LittleMemory) -> None:
    whole = reports(five(depth=3, width=(16, 16, 8), residual="zero"), data)
    memory.stacks, memory.most = [], 1
    single = reports(five(depth=3, width=(16, 16, 8), residual="zero"), data)
    assert_same(single, whole)
    assert [note.kind for note in single[0].notes] == [NoteKind.STACK_HALVED] * 3
    assert memory.stacks[3:] == [1] * len(memory.stacks[3:])


def test_in_the_middle_of_training_nothing_is_told_twice(data: StackData, memory: LittleMemory) -> None:
    whole = reports(five(), data)
    steps_of_an_epoch = 4
    memory.stacks, memory.most, memory.steps_before = [], 3, 3 + 2 * steps_of_an_epoch + 2
    halved = reports(five(), data)
    assert_same(halved, whole)
    assert [len(report.notes) for report in halved] == [0, 1, 0]
    assert halved[1].notes[0].text.startswith("memory ran out after epoch 1 with 5 replicates")


def test_it_goes_back_to_the_latest_checkpoint_and_no_further(data: StackData, memory: LittleMemory) -> None:
    task = five(rungs=(1, 2, 3, 4))
    whole = reports(task, data, seconds_between_checkpoints=0.0)
    num_steps = len(memory.stacks)
    memory.stacks, memory.most, memory.steps_before = [], 3, num_steps - 1
    halved = reports(task, data, seconds_between_checkpoints=0.0)
    assert_same(halved, whole)
    # The last epoch is trained again, by two stacks, and no other.
    assert memory.stacks[num_steps:] == [3] * 4 + [2] * 4


def test_a_checkpoint_serves_whole_and_halved_trials_alike(data: StackData, memory: LittleMemory) -> None:
    whole = reports(five(), data, seconds_between_checkpoints=0.0)
    memory.most = 3
    halved = reports(five(), data, seconds_between_checkpoints=0.0)
    again = reports(five(), data, checkpoint=whole[1].checkpoint)
    assert again[-1].notes[0].kind is NoteKind.STACK_HALVED
    memory.most = 99
    taken_up = reports(five(), data, checkpoint=halved[1].checkpoint)
    for resumed in (again, taken_up):
        (last,) = resumed
        epochs = tuple(record for record in last.epochs if record.epoch > 0)
        assert_same([replace(last, epochs=epochs)], whole[2:])


def test_a_damaged_checkpoint_is_told_by_a_halved_trial_too(data: StackData, memory: LittleMemory) -> None:
    whole = reports(five(), data)
    memory.most = 3
    limits = MemoryLimits()
    reports(five(), data, limits=limits)
    over = reports(five(), data, limits=limits, checkpoint=b"spoilt")
    assert [note.kind for note in over[0].notes] == [NoteKind.CHECKPOINT_REFUSED]
    assert_same(over, whole)


def test_the_next_trial_of_that_size_begins_halved_and_a_smaller_one_whole(
    data: StackData, memory: LittleMemory
) -> None:
    limits = MemoryLimits()
    memory.most = 3
    reports(five(), data, limits=limits)
    memory.stacks = []
    for task in (five(number=8), five(number=9, width=32)):
        assert [report.notes for report in reports(task, data, limits=limits)] == [()] * 3
    assert set(memory.stacks) == {2, 3}
    memory.stacks, memory.most = [], 99
    reports(five(number=10, width=8), data, limits=limits)
    assert set(memory.stacks) == {5}


def test_a_network_that_does_not_fit_fails_with_advice(data: StackData, memory: LittleMemory) -> None:
    memory.most = 0
    with pytest.raises(
        MemoryError, match=r"not hold a single network.*\n.*smaller width, depth or batch_size"
    ):
        reports(five(), data)


@pytest.mark.usefixtures("by_torch")
def test_another_error_is_the_trials_own(data: StackData, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*given: Any, **named: Any) -> Any:
        raise RuntimeError("shapes differ")

    monkeypatch.setattr(training_step, "cross_entropy", fail)
    with pytest.raises(RuntimeError, match="shapes differ"):
        reports(five(), data)


def test_stacks_that_take_turns_report_as_often(data: StackData, memory: LittleMemory) -> None:
    ticks = iter(range(0, 10_000, 4))
    memory.most = 3
    slow = train_trial_spec(five(rungs=(9,)), data, worker="", clock=lambda: next(ticks))
    assert [report.epoch for report in slow] == list(range(1, 10)), "4 s for a stack are 8 s for both"


def test_a_state_cut_into_parts_is_whole_again_when_joined(data: StackData) -> None:
    task = five(depth=3, width=(16, 16, 8), optimizer="adam")
    stack = Stack.make(task.model, task.hyperparameters, data, seeds=task.seeds)
    for _ in train(stack, epochs=1, layers_at=task.layers_at):
        pass
    state = StackState.of(stack)
    parts = [state.part(range(start, stop)) for start, stop in ((0, 1), (1, 4), (4, 5))]
    assert save_state(join(parts), task) == save(stack, task)


@pytest.mark.parametrize(
    ("off", "megabytes"), [("", 40), ("1", 70)], ids=["compiled", "by-torch"]
)  # compiled steps hold one network's signals at a time
def test_memory_that_really_runs_out(monkeypatch: pytest.MonkeyPatch, off: str, megabytes: int) -> None:
    monkeypatch.setenv(cache.OFF, off)
    whole = train_large(REPLICATES)
    program = [sys.executable, "-m", "tests.trainables.little_memory", str(megabytes)]
    done = subprocess.run(program, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout)
    assert said["losses"] == pytest.approx([record.val_loss for record in whole.replicates], rel=1e-4)
    assert said["notes"][0][0] == "stack_halved"
    assert "can't allocate memory" in said["notes"][0][1]


class Noisy(nn.Module):
    """A network that draws from Python's and NumPy's global generators, as it is built and in each pass."""

    def __init__(self, num_features: int, num_classes: int) -> None:
        super().__init__()
        self.layer = nn.Linear(num_features, 8)
        self.output = nn.Linear(8, num_classes)
        self.register_buffer("signs", torch.tensor(np.random.choice([-1.0, 1.0], 8), dtype=torch.float32))
        self.scale = random.uniform(0.5, 2)

    def forward(self, inputs: Tensor) -> Tensor:
        hidden = self.layer(inputs.flatten(1)).relu() * self.signs * self.scale
        if self.training:
            hidden = hidden * random.uniform(0.8, 1.2) + float(np.random.normal()) / 10
        logits: Tensor = self.output(hidden)
        return logits


def build_noisy(hp: Hyperparameters, input_shape: tuple[int, ...], num_classes: int) -> nn.Module:
    return Noisy(math.prod(input_shape), num_classes)


def test_networks_that_draw_from_any_global_generator_go_on_as_in_one_go(digits: StackData) -> None:
    task = trial_spec(rungs=(1, 3), model="own")
    options: dict[str, Any] = {
        "worker": "here:1",
        "build": build_noisy,
        "seconds_between_checkpoints": 0,
    }

    def told(report: TrialReport) -> list[Any]:
        return [list(report.epochs), list(report.replicates)]

    random.seed(1)
    np.random.seed(1)
    before = random.getstate(), repr(np.random.get_state())
    whole = list(train_in_peace(task, digits, **options))
    assert (random.getstate(), repr(np.random.get_state())) == before
    random.seed(2)
    np.random.seed(2)
    (rest,) = train_in_peace(task, digits, checkpoint=whole[0].checkpoint, **options)
    of_epochs = [record for record in rest.epochs if record.epoch > 0]
    assert [of_epochs, list(rest.replicates)] == told(whole[1])
    little = MemoryLimits()
    little.note(0, 2)
    in_turns = list(train_in_peace(task, digits, limits=little, **options))
    losses, expected = ([r.train_loss for r in each[-1].epochs] for each in (in_turns, whole))
    assert losses == pytest.approx(expected, rel=1e-6), "but for rounding"
