"""A stack gives what separate plain networks give, and its replicates never disturb each other."""

import dataclasses
import math

import pytest
import torch

from tests.trainables.rounding import SAME, difference, is_rounding, nudged
from tests.trainables.signals import in_float64
from tests.trainables.small import values
from tests.trainables.twin import plain_network, plain_scores, train_plain
from trainables.base.hyperparameters import Hyperparameters
from trainables.base.records import EpochRecord
from trainables.data.stack_data import StackData
from trainables.training.evaluation import evaluate
from trainables.training.loop import train
from trainables.training.stack import Stack

pytestmark = [pytest.mark.numeric, pytest.mark.usefixtures("each_way")]

SEEDS = (11, 12, 13)
RATES = {"sgd": 0.05, "adam": 1e-3, "rmsprop": 1e-3, "adamw": 1e-3}


def run(hp: Hyperparameters, data: StackData, epochs: int = 3) -> tuple[Stack, list[list[EpochRecord]]]:
    stack = Stack.make("mlp", hp, data, seeds=SEEDS)
    return stack, list(train(stack, epochs=epochs))


def assert_equals_plain(hp: Hyperparameters, data: StackData) -> None:
    """Train the stack and each replicate's plain twin for three epochs in float64 and compare every number.

    An epoch has three full batches of 64 and one of 8.
    """
    data = dataclasses.replace(in_float64(data), train=data.train[:, :200])
    stack = Stack.make("mlp", hp, data, seeds=SEEDS)
    twins = [plain_network(stack, replicate) for replicate in range(len(SEEDS))]
    history = list(train(stack, epochs=3))
    test_loss, test_accuracy = evaluate(stack.model, data, data.test)
    for replicate, (twin, seed) in enumerate(zip(twins, SEEDS, strict=True)):
        expected = train_plain(twin, hp, data, replicate=replicate, seed=seed, epochs=3)
        for epoch, plain in enumerate(expected):
            assert values(history[epoch][replicate]) == pytest.approx(plain, rel=SAME)
        scores = plain_scores(twin, data, data.test[replicate])
        assert (float(test_loss[replicate]), float(test_accuracy[replicate])) == pytest.approx(
            scores, rel=SAME
        )


def losses_in_float32(
    hp: Hyperparameters, data: StackData, *, twins_hp: Hyperparameters | None = None
) -> tuple[list[float], list[float]]:
    """Return how far the losses of each replicate, and of a nudged twin, are from its plain twin's after an epoch."""
    stack = Stack.make("mlp", hp, data, seeds=SEEDS)
    twins = [plain_network(stack, replicate) for replicate in range(len(SEEDS))]
    (records,) = train(stack, epochs=1)
    found, of_twins = [], []
    for replicate, (twin, seed) in enumerate(zip(twins, SEEDS, strict=True)):
        plain, off = (
            train_plain(network, twins_hp or hp, data, replicate=replicate, seed=seed, epochs=1)[0][::2]
            for network in (twin, nudged(twin))
        )
        found.append(difference(values(records[replicate])[::2], plain))
        of_twins.append(difference(off, plain))
    return found, of_twins


@pytest.mark.parametrize("batch_norm", [False, True], ids=["plain", "batch-norm"])
@pytest.mark.parametrize("optimizer", ["sgd", "adam", "rmsprop", "adamw"])
def test_replicate_equals_plain_network(digits: StackData, optimizer: str, batch_norm: bool) -> None:
    assert_equals_plain(
        Hyperparameters(
            depth=3, optimizer=optimizer, learning_rate=RATES[optimizer], batch_norm=batch_norm, dropout=0.0
        ),
        digits,
    )


@pytest.mark.parametrize("batch_norm", [False, True], ids=["plain", "batch-norm"])
@pytest.mark.parametrize("optimizer", ["sgd", "adam", "rmsprop", "adamw"])
def test_in_float32_it_is_the_same_but_for_rounding(
    digits: StackData, optimizer: str, batch_norm: bool
) -> None:
    hp = Hyperparameters(
        depth=3, optimizer=optimizer, learning_rate=RATES[optimizer], batch_norm=batch_norm, dropout=0.0
    )
    found, of_twins = losses_in_float32(hp, digits)
    assert is_rounding(found, of_twins), f"{found} against {of_twins}"


@pytest.mark.parametrize("changes", [{"precision": "bfloat16"}, {"learning_rate": 0.001001}], ids=str)
def test_a_small_fault_in_float32_is_no_rounding(digits: StackData, changes: dict[str, object]) -> None:
    hp = Hyperparameters(depth=3, activation="tanh", dropout=0.0, learning_rate=0.001)
    faulty = dataclasses.replace(hp, **changes)  # type: ignore[arg-type]
    found, of_twins = losses_in_float32(faulty, digits, twins_hp=hp)
    assert not is_rounding(found, of_twins), f"{found} against {of_twins}"


@pytest.mark.parametrize(
    "changes",
    [
        {"activation": "tanh", "init": "xavier_normal"},
        {"activation": "sigmoid", "batch_norm": True},
        {"clip_norm": 0.5},
        {"label_smoothing": 0.1},
        {"clip_norm": 0.01, "optimizer": "sgd", "learning_rate": 0.05, "batch_norm": True},
        {"label_smoothing": 0.5, "clip_norm": 1.0, "batch_norm": True},
        {"weight_decay": 0.01, "optimizer": "sgd", "learning_rate": 0.05},
        {"weight_decay": 0.01, "optimizer": "adam"},
        {"weight_decay": 0.01, "optimizer": "rmsprop"},
        {"depth": 4, "width": (48, 32, 24, 16), "batch_norm": True, "init": "default"},
        {"depth": 1, "batch_size": 200, "init_gain": 0.5},
        {"residual": "plain", "depth": 4, "width": (48, 48, 32, 32), "batch_norm": True},
        {"residual": "scaled", "init": "lecun_normal", "activation": "tanh"},
        {"residual": "zero", "optimizer": "sgd", "learning_rate": 0.05, "clip_norm": 0.5},
        {"init": "fitting", "activation": "sigmoid"},
        {"optimizer": "rmsprop", "alpha": 0.9, "eps": 1e-4},
        {"optimizer": "adam", "betas": (0.8, 0.9), "eps": 1e-3},
        {"optimizer": "adamw", "decoupled_weight_decay": 5.0, "betas": (0.8, 0.9), "eps": 1e-3},
    ],
    ids=lambda changes: "-".join(changes),
)
def test_options_equal_torchs_own(digits: StackData, changes: dict[str, object]) -> None:
    base = Hyperparameters(depth=3, learning_rate=1e-3, dropout=0.0)
    assert_equals_plain(dataclasses.replace(base, **changes), digits)  # type: ignore[arg-type]


def test_same_seeds_give_same_numbers(digits: StackData) -> None:
    hp = Hyperparameters(depth=3, dropout=0.5, batch_norm=True)
    first, second = run(hp, digits)[1], run(hp, digits)[1]
    assert [[values(r) for r in epoch] for epoch in first] == [[values(r) for r in epoch] for epoch in second]


def test_measuring_layers_changes_no_number(digits: StackData) -> None:
    hp = Hyperparameters(depth=3, dropout=0.5, batch_norm=True)
    plain = run(hp, digits)[1]
    measured = list(train(Stack.make("mlp", hp, digits, seeds=SEEDS), epochs=3, layers_at=range(4)))
    assert len(measured) == 4
    assert [[values(r) for r in epoch] for epoch in measured[1:]] == [[values(r) for r in e] for e in plain]


def test_learns(digits: StackData) -> None:
    _, history = run(Hyperparameters(dropout=0.1, batch_norm=True, learning_rate=3e-3), digits, epochs=5)
    assert all(record.val_accuracy is not None and record.val_accuracy > 0.9 for record in history[-1])


@pytest.mark.parametrize("poison", [math.nan, math.inf])
def test_divergence_stays_with_its_replicate(digits: StackData, poison: float) -> None:
    hp = Hyperparameters(depth=3, dropout=0.0, batch_norm=True, clip_norm=1.0)
    healthy = run(hp, digits)[1]
    stack = Stack.make("mlp", hp, digits, seeds=SEEDS)
    stack.model.parameters.value("blocks.1.weight")[1].fill_(poison)
    history = list(train(stack, epochs=3))
    assert stack.diverged == [False, True, False]
    for sick, well in zip(history, healthy, strict=True):
        assert values(sick[1]) == (None, None, None, None)
        assert values(sick[0]) == values(well[0])
        assert values(sick[2]) == values(well[2])


def test_divergence_is_for_good(digits: StackData) -> None:
    stack = Stack.make("mlp", Hyperparameters(depth=3), digits, seeds=SEEDS)
    stack.diverged[0] = True
    (epoch,) = train(stack, epochs=1)
    assert epoch[0].val_loss is None
    assert epoch[1].val_loss is not None


def test_too_high_a_rate_diverges(digits: StackData) -> None:
    hp = Hyperparameters(depth=7, optimizer="sgd", learning_rate=1e6)
    stack, _ = run(hp, digits)
    assert stack.diverged == [True, True, True]


def test_single_last_example_is_left_out(digits: StackData) -> None:
    odd = dataclasses.replace(digits, train=digits.train[:, :65])
    (epoch,) = train(Stack.make("mlp", Hyperparameters(batch_norm=True), odd, seeds=SEEDS), epochs=1)
    assert all(record.train_loss is not None for record in epoch)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
def test_gpu_equals_cpu(digits: StackData) -> None:
    hp = Hyperparameters(depth=3, dropout=0.0, batch_norm=True)
    data = in_float64(digits)
    moved = {
        name: getattr(data, name).cuda() for name in ("inputs", "targets", "train", "validation", "test")
    }
    on_gpu = dataclasses.replace(data, **moved)
    for cpu, gpu in zip(run(hp, data)[1], run(hp, on_gpu)[1], strict=True):
        for one, other in zip(cpu, gpu, strict=True):
            assert values(other) == pytest.approx(values(one), rel=SAME)
