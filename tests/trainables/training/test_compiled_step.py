"""A compiled step trains as torch's operations do, goes on from their state, and gives way to them where it must."""

import math
from collections.abc import Callable
from dataclasses import astuple, replace
from typing import Any

import numpy as np
import pytest
import torch

from tests.trainables.corpus import corpus, texts
from tests.trainables.rounding import SAME
from tests.trainables.signals import in_float64, with_replicates
from tests.trainables.small import splits_of, trial_spec, values
from trainables.base.hyperparameters import Hyperparameters
from trainables.base.records import EpochRecord
from trainables.data.scaling import Scaling
from trainables.data.stack_data import StackData
from trainables.kernels import cache, compiling
from trainables.models.mlp import MLP
from trainables.training.compiled_step import CompiledStep
from trainables.training.loop import batches_of, run_steps, train
from trainables.training.schedules import Plateau
from trainables.training.stack import Stack
from trainables.training.stack_state import StackState
from trainables.training.training_step import TrainingStep
from trainables.trials.checkpoint import restore, save

pytestmark = [
    pytest.mark.numeric,
    pytest.mark.skipif(not compiling.HAS_NUMBA, reason="nothing can be compiled"),
]

SEEDS = (11, 12, 13)
OPTIMIZERS = ["sgd", "adam", "rmsprop", "adamw"]
RATES = {"sgd": 0.05, "adam": 1e-3, "rmsprop": 1e-3, "adamw": 1e-3}
SMALL: dict[str, Any] = {"depth": 3, "width": 16, "activation": "tanh"}
Make = Callable[..., Stack]


@pytest.fixture(autouse=True)
def compiled(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have kernels, whatever the environment says."""
    monkeypatch.delenv(cache.OFF, raising=False)


@pytest.fixture
def data(digits: StackData) -> StackData:
    """Three full batches of 64 and one of 8, in float64."""
    return replace(
        in_float64(digits),
        train=digits.train[:, :200],
        validation=digits.validation[:, :60],
        test=digits.test[:, :60],
    )


def compiled_stack(data: StackData, *, seeds: tuple[int, ...] = SEEDS, **changes: Any) -> Stack:
    stack = Stack.make("mlp", Hyperparameters(**{**SMALL, **changes}), data, seeds=seeds)
    assert isinstance(stack.step, CompiledStep)
    return stack


def torch_stack(data: StackData, *, seeds: tuple[int, ...] = SEEDS, **changes: Any) -> Stack:
    """Return the same stack as where nothing can be compiled."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(cache.OFF, "1")
        stack = Stack.make("mlp", Hyperparameters(**{**SMALL, **changes}), data, seeds=seeds)
    assert type(stack.step) is TrainingStep
    return stack


def numbers(history: list[list[EpochRecord]]) -> list[float]:
    """Return all scores and layers' measures of a training, in one order, NaN where there is none."""
    found = [
        number
        for records in history
        for record in records
        for number in (*values(record), *(own for layer in record.layers for own in astuple(layer)))
    ]
    return [math.nan if number is None else number for number in found]


def assert_same_training(one: Stack, other: Stack, *, rel: float = SAME, epochs: int = 2) -> None:
    found, expected = (
        numbers(list(train(stack, epochs=epochs, layers_at=range(epochs + 1)))) for stack in (one, other)
    )
    assert found == pytest.approx(expected, rel=rel, abs=1e-12, nan_ok=True)


@pytest.mark.parametrize("augmentation", ["shift+rotation+zoom+shear", "flip"])
def test_augmented_images_are_those_of_torchs_step(data: StackData, augmentation: str) -> None:
    stacks = [make(data, augmentation=augmentation) for make in (compiled_stack, torch_stack)]
    assert_same_training(*stacks)
    (plain,) = train(compiled_stack(data), epochs=1)
    (changed,) = train(compiled_stack(data, augmentation=augmentation), epochs=1)
    assert plain[0].train_loss != changed[0].train_loss


def test_features_of_texts_are_those_of_torchs_step() -> None:
    written = corpus(*texts())
    data = StackData.make(written, splits_of(written, (0, 1, 2)), torch.device("cpu"))
    stacks = [make(data, batch_size=16, learning_rate=0.01) for make in (compiled_stack, torch_stack)]
    found, expected = (list(train(stack, epochs=2)) for stack in stacks)
    assert numbers(found) == pytest.approx(numbers(expected), rel=1e-4)


def scaled(data: StackData) -> StackData:
    """Return the data with a scaling of its own for each replicate, in the precision of the inputs."""
    parts = [rows.numpy() for rows in data.train]
    groups = np.arange(data.inputs.shape[1])
    fitted = Scaling.fit(data.inputs.numpy().astype(np.float32), groups, parts, torch.device("cpu"))
    like = data.inputs
    fill = None if fitted.fill is None else fitted.fill.to(like)
    return replace(data, scaling=Scaling(mean=fitted.mean.to(like), factor=fitted.factor.to(like), fill=fill))


@pytest.mark.parametrize("precision", ["float32", "float64"])
def test_inputs_scaled_in_the_kernel_are_those_scaled_before_it(data: StackData, precision: str) -> None:
    data = scaled(data if precision == "float64" else replace(data, inputs=data.inputs.float()))
    assert data.scaling is not None
    # Values to fill in are filled in before the kernel, even if none is missing.
    gathered = replace(data, scaling=replace(data.scaling, fill=torch.zeros_like(data.scaling.mean)))
    options: dict[str, Any] = {"dropout": 0.3, "batch_norm": True, "optimizer": "adam"}
    one, other = compiled_stack(data, **options), compiled_stack(gathered, **options)
    found, expected = (list(train(stack, epochs=2, layers_at=(0, 1, 2))) for stack in (one, other))
    assert repr(found) == repr(expected)
    assert torch.equal(one.model.parameters.values, other.model.parameters.values)


def test_inputs_scaled_in_the_kernel_are_those_of_torchs_step(data: StackData) -> None:
    assert_same_training(compiled_stack(scaled(data)), torch_stack(scaled(data)))


def test_missing_values_are_filled_in_as_in_torchs_step(data: StackData) -> None:
    holes = torch.rand(data.inputs.shape, generator=torch.Generator().manual_seed(0)) < 0.1
    data = scaled(replace(data, inputs=data.inputs.masked_fill(holes, math.nan)))
    assert data.scaling is not None
    assert data.scaling.fill is not None
    assert_same_training(compiled_stack(data), torch_stack(data))


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_each_replicate_has_its_own_rate(data: StackData, optimizer: str) -> None:
    options: dict[str, Any] = {
        "optimizer": optimizer,
        "learning_rate": RATES[optimizer],
        "schedule": "plateau",
    }
    stacks = [make(data, **options) for make in (compiled_stack, torch_stack)]
    for stack in stacks:
        stack.schedule.plateaus = [Plateau(rate=RATES[optimizer] / share) for share in (1, 5, 25)]
    assert_same_training(*stacks, epochs=1)
    found, expected = (stack.model.parameters.values for stack in stacks)
    torch.testing.assert_close(found, expected, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize(
    "changes",
    [
        *({"optimizer": optimizer, "learning_rate": RATES[optimizer]} for optimizer in OPTIMIZERS),
        {"optimizer": "sgd", "momentum": 0.0, "learning_rate": 0.05},
        {"optimizer": "adam", "batch_norm": True, "clip_norm": 0.5},
        {"optimizer": "rmsprop", "patience": 2, "weight_decay": 0.01},
    ],
    ids=lambda changes: "-".join(map(str, changes.values())),
)
def test_a_state_saved_by_either_way_goes_on_by_the_other(data: StackData, changes: dict[str, Any]) -> None:
    spec = trial_spec(rungs=(4,), layers_at=(), **{**SMALL, **changes})
    undisturbed = torch_stack(data, **changes)
    expected = numbers(list(train(undisturbed, epochs=4))[2:])
    ways: list[Make] = [compiled_stack, torch_stack]
    for first, second in (ways, ways[::-1], (compiled_stack, compiled_stack)):
        before, after = first(data, **changes), second(data, **changes)
        for _ in train(before, epochs=2):
            pass
        restore(after, save(before, spec), spec)
        assert numbers(list(train(after, epochs=4))) == pytest.approx(expected, rel=SAME)
        found, right = StackState.of(after).tensors, StackState.of(undisturbed).tensors
        assert found.keys() == right.keys()
        for name, tensor in right.items():
            torch.testing.assert_close(found[name], tensor, rtol=1e-7, atol=1e-10)


@pytest.mark.parametrize("changes", [{}, {"batch_norm": True, "residual": "zero"}], ids=["plain", "all"])
@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_a_replicate_that_does_not_train_is_left_alone_bit_by_bit(
    data: StackData, optimizer: str, changes: dict[str, Any]
) -> None:
    stacks = [compiled_stack(data, optimizer=optimizer, dropout=0.3, **changes) for _ in range(2)]
    states, sums = [], []
    for stack, is_stopped in zip(stacks, (False, True), strict=True):
        batches = batches_of(data.train, SEEDS, 1, 64)
        run_steps(stack, batches)
        before = StackState.of(stack).copied()
        stack.step.rates.set([0.01] * 3, [True, not is_stopped, True])
        sums.append(run_steps(stack, batches, stack.step.recorder(len(batches))))
        states.append((before, StackState.of(stack)))
    (_, trained), (before, stopped) = states
    for replicate, expected in ((0, trained), (1, before), (2, trained)):
        part = range(replicate, replicate + 1)
        for name, tensor in stopped.part(part).tensors.items():
            if tensor.shape:  # the step counter is that of the stack
                assert torch.equal(tensor, expected.part(part).tensors[name]), name
    assert sums[1][:, 1].tolist() == [0, 0]
    assert torch.equal(sums[1][:, ::2], sums[0][:, ::2])


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_measuring_without_training_changes_nothing(data: StackData, optimizer: str) -> None:
    stack = compiled_stack(data, optimizer=optimizer, batch_norm=True, dropout=0.3)
    batches = batches_of(data.train, SEEDS, 1, 64)
    run_steps(stack, batches)
    before = StackState.of(stack).copied()
    stack.step.measure(batches, stack.step.recorder(len(batches)))
    after = StackState.of(stack)
    assert after.tensors.keys() == before.tensors.keys()
    assert all(torch.equal(after.tensors[name], tensor) for name, tensor in before.tensors.items())


@pytest.mark.parametrize("precision", ["float32", "float64"])
@pytest.mark.parametrize("optimizer", OPTIMIZERS)
@pytest.mark.parametrize(
    "changes", [{}, {"batch_norm": True, "dropout": 0.3, "clip_norm": 0.5}], ids=["plain", "all"]
)
def test_measuring_changes_no_bit(
    data: StackData, optimizer: str, changes: dict[str, Any], precision: str
) -> None:
    if precision == "float32":
        data = replace(data, inputs=data.inputs.float())
    stacks = [compiled_stack(data, optimizer=optimizer, width=37, **changes) for _ in range(2)]
    for stack, layers_at in zip(stacks, ((), (0, 1, 2)), strict=True):
        for _ in train(stack, epochs=2, layers_at=layers_at):
            pass
    one, other = (StackState.of(stack).tensors for stack in stacks)
    assert all(torch.equal(tensor, other[name]) for name, tensor in one.items())


@pytest.mark.parametrize("activation", ["relu", "tanh", "sigmoid"])
@pytest.mark.parametrize("poison", [math.nan, math.inf])
def test_a_diverged_network_is_recorded_as_in_torchs_step(
    data: StackData, activation: str, poison: float
) -> None:
    stacks = [make(data, activation=activation, width=(16, 12, 8)) for make in (compiled_stack, torch_stack)]
    for stack in stacks:
        stack.model.parameters.value("blocks.1.weight")[1].fill_(poison)
    assert_same_training(*stacks)
    assert [stack.diverged for stack in stacks] == [[False, True, False]] * 2


def losses(make: Make, data: StackData, dropout: float) -> list[float]:
    """Return the training losses of many networks in their second epoch."""
    seeds = tuple(range(len(data.train)))
    *_, last = train(make(data, seeds=seeds, dropout=dropout, learning_rate=0.01, width=32), epochs=2)
    found = [record.train_loss for record in last]
    assert None not in found
    return [loss for loss in found if loss is not None]


def standard_errors(one: list[float], other: list[float]) -> float:
    """Return how many standard errors the means of two samples in pairs are apart."""
    differences = np.subtract(one, other)
    return float(abs(differences.mean()) / (differences.std(ddof=1) / math.sqrt(len(differences))))


def test_dropout_costs_what_it_does_in_torchs_step(digits: StackData) -> None:
    data = with_replicates(replace(digits, train=digits.train[:, :400]), 48)
    found = losses(compiled_stack, data, 0.3)
    assert standard_errors(found, losses(torch_stack, data, 0.3)) < 4
    # It would not be taken for another share.
    assert standard_errors(found, losses(torch_stack, data, 0.35)) > 4


def test_masks_are_those_of_a_trials_first_seed(data: StackData) -> None:
    one, again = (losses(compiled_stack, with_replicates(data, 4), 0.3) for _ in range(2))
    assert one == again
    assert len(set(one)) == 4


def test_mixed_precision_is_torchs(digits: StackData) -> None:
    stack = Stack.make("mlp", Hyperparameters(precision="bfloat16"), digits, seeds=SEEDS)
    assert type(stack.step) is TrainingStep
    (records,) = train(stack, epochs=1)
    assert all(record.val_loss is not None for record in records)


def test_without_a_compiler_torch_does_all(data: StackData, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compiling, "HAS_NUMBA", False)
    stack = Stack.make("mlp", Hyperparameters(**SMALL), data, seeds=SEEDS)
    assert type(stack.step) is TrainingStep
    assert isinstance(stack.model, MLP)
    assert stack.model.compiled is None
    expected = torch_stack(data)
    assert repr(list(train(stack, epochs=1))) == repr(list(train(expected, epochs=1)))


def test_recorders_are_not_exchanged(data: StackData) -> None:
    stacks = compiled_stack(data), torch_stack(data)
    batches = batches_of(data.train, SEEDS, 1, 64)
    for one, other in (stacks, stacks[::-1]):
        with pytest.raises(AssertionError, match="another step"):
            one.step.run(batches, other.step.recorder(len(batches)))
