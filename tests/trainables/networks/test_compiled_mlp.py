"""Compiled networks share the stack's memory, and each computes the same in any part of the stack and on any thread."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch

from tests.trainables.signals import in_float64
from trainables.base.hyperparameters import Hyperparameters
from trainables.data.stack_data import StackData
from trainables.kernels import cache, compiling
from trainables.models.mlp import MLP
from trainables.networks.compiled_mlp import gathered
from trainables.training.loop import train
from trainables.training.stack import Stack

pytestmark = [
    pytest.mark.numeric,
    pytest.mark.skipif(not compiling.HAS_NUMBA, reason="nothing can be compiled"),
]

SEEDS = (11, 12, 13, 14, 15)
WHOLE: dict[str, Any] = {"depth": 3, "width": 24, "dropout": 0.3, "batch_norm": True, "residual": "zero"}


@pytest.fixture(autouse=True)
def compiled(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have kernels, whatever the environment says."""
    monkeypatch.delenv(cache.OFF, raising=False)


@pytest.fixture
def threads() -> Iterator[None]:
    """Set torch's number of threads back after the test."""
    before = torch.get_num_threads()
    yield
    torch.set_num_threads(before)


@pytest.fixture(params=["float32", "float64"])
def data(digits: StackData, request: pytest.FixtureRequest) -> StackData:
    """Five replicates, three full batches and a last one of 7 examples."""
    blocks = torch.tensor([0, 1, 2, 0, 1])
    few = replace(
        digits,
        train=digits.train[blocks, : 3 * 64 + 7],
        validation=digits.validation[blocks, :60],
        test=digits.test[blocks, :60],
    )
    return few if request.param == "float32" else in_float64(few)


def stack_of(data: StackData, part: range | None = None, **changes: Any) -> Stack:
    return Stack.make("mlp", Hyperparameters(**{**WHOLE, **changes}), data, seeds=SEEDS, part=part)


def trained(stack: Stack) -> tuple[list[str], list[dict[str, torch.Tensor]]]:
    """Return each replicate's records of two epochs, both measured, and its state in the end."""
    epochs = list(train(stack, epochs=2, layers_at=(0, 1, 2)))
    count = len(stack.seeds)
    records = [
        repr([replace(epoch[replicate], replicate=0) for epoch in epochs]) for replicate in range(count)
    ]
    return records, [stack.model.state_dict(replicate) for replicate in range(count)]


def assert_same(
    one: tuple[list[str], list[dict[str, torch.Tensor]]],
    other: tuple[list[str], list[dict[str, torch.Tensor]]],
) -> None:
    """Compare all that `trained` returns bit by bit."""
    assert one[0] == other[0]
    for own, its in zip(one[1], other[1], strict=True):
        assert own.keys() == its.keys()
        assert all(torch.equal(own[name], its[name]) for name in own)


@pytest.mark.parametrize("part", [range(1, 3), range(4, 5), range(0, 4)], ids=str)
def test_a_part_of_a_stack_comes_to_the_very_numbers_of_the_whole(data: StackData, part: range) -> None:
    records, states = trained(stack_of(data))
    cut = slice(part.start, part.stop)
    assert_same(trained(stack_of(data, part)), (records[cut], states[cut]))


@pytest.mark.parametrize("count", [2, 3, 8])
def test_threads_change_no_bit(data: StackData, threads: None, count: int) -> None:
    torch.set_num_threads(1)
    alone = trained(stack_of(data))
    torch.set_num_threads(count)
    assert_same(trained(stack_of(data)), alone)


@pytest.mark.parametrize("count", [1, 3])
def test_every_thread_flushes_subnormal_numbers_where_the_first_one_does(
    digits: StackData, threads: None, count: int
) -> None:
    """A worker flushes them, because they are slow. Here the third layer has signals of about 1e-39."""
    torch.set_num_threads(count)
    hp = Hyperparameters(depth=3, width=24, init_gain=1e-13)
    for flushed in (False, True):
        if not torch.set_flush_denormal(flushed):
            pytest.skip("this processor does not flush them")
        try:
            stack = Stack.make("mlp", hp, digits, seeds=SEEDS[:3])
            (records,) = train(stack, epochs=0, layers_at=[0])
        finally:
            torch.set_flush_denormal(False)
        assert [record.layers[2].activation_mean == 0 for record in records] == [flushed] * 3


def test_parameters_and_running_statistics_are_the_models_own(data: StackData) -> None:
    stack = stack_of(data)
    model = stack.model
    assert isinstance(model, MLP)
    before = {name: tensor.clone() for name, tensor in model.tensors().items()}
    places = {name: tensor.data_ptr() for name, tensor in model.tensors().items()}
    inputs = data.gather(data.validation)
    untrained = model.forward(inputs, training=False)
    for _ in train(stack, epochs=1):
        pass
    after = model.tensors()
    assert {name: tensor.data_ptr() for name, tensor in after.items()} == places
    assert not any(torch.equal(after[name], before[name]) for name in before)
    # What is written to the tensors is what evaluation computes with.
    assert not torch.equal(model.forward(inputs, training=False), untrained)
    for name, tensor in before.items():
        after[name].copy_(tensor)
    assert torch.equal(model.forward(inputs, training=False), untrained)


@pytest.mark.parametrize("shape", ["contiguous", "transposed", "expanded"])
def test_inputs_may_lie_in_memory_as_they_like(data: StackData, shape: str) -> None:
    model, inputs = stack_of(data).model, data.gather(data.validation)
    given = {
        "contiguous": inputs,
        "transposed": inputs.transpose(1, 2).contiguous().transpose(1, 2),
        "expanded": inputs[:1].expand(5, -1, -1),
    }[shape]
    assert torch.equal(
        model.forward(given, training=False), model.forward(given.contiguous(), training=False)
    )


def test_gathered_inputs_are_rows_one_replicate_after_the_other() -> None:
    inputs = torch.arange(24.0).reshape(2, 4, 3)
    batches = gathered(inputs, [3, 4])
    for replicate in range(2):
        np.testing.assert_array_equal(batches.inputs[batches.rows[replicate]], inputs[replicate])
    assert batches.ends.tolist() == [3, 4]
    assert not batches.is_scaled


def test_networks_differ_in_their_masks_alone(digits: StackData) -> None:
    """Equal networks on equal batches, with a rate of 0: whatever differs is a mask's doing."""
    rows = digits.train[:1, :64].expand(3, -1).contiguous()
    data = replace(digits, train=rows)
    for dropout, distinct in ((0.0, 1), (0.5, 6)):
        hp = Hyperparameters(depth=2, width=24, dropout=dropout, optimizer="sgd", learning_rate=0.0)
        stack = Stack.make("mlp", hp, data, seeds=(3, 3, 3))
        epochs = list(train(stack, epochs=2))
        # Not in its last bits: an epoch's order of examples changes those.
        losses = {f"{record.train_loss:.5f}" for epoch in epochs for record in epoch}
        assert len(losses) == distinct
        assert len({record.val_loss for epoch in epochs for record in epoch}) == 3
