"""Mixed precision: products of bfloat16 numbers, near float32's results, with everything kept in float32."""

from dataclasses import replace
from typing import Any

import pytest
import torch

from trainables.base.hyperparameters import Hyperparameters
from trainables.data.stack_data import StackData
from trainables.networks.layers import Linear
from trainables.networks.mixed_precision import MixedLinear, linear_of
from trainables.training.loop import train
from trainables.training.stack import Stack
from trainables.training.stack_state import StackState

pytestmark = pytest.mark.numeric

ROUNDING = 2**-8
"""The relative error of a number rounded to bfloat16."""


def drawn(*shape: int) -> torch.Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(sum(shape)))


def pair(*, bias: bool) -> tuple[Linear, MixedLinear]:
    """Return a plain and a mixed layer of the same parameters, with room of their own for gradients."""
    generator = torch.Generator().manual_seed(0)
    weight = torch.randn(2, 5, 7, generator=generator)
    added = torch.randn(2, 5, 1, generator=generator) if bias else None

    def buffers(like: torch.Tensor | None) -> torch.Tensor | None:
        return None if like is None else torch.empty_like(like)

    plain = Linear(weight, torch.empty_like(weight), added, buffers(added))
    return plain, MixedLinear(weight, torch.empty_like(weight), added, buffers(added))


@pytest.mark.parametrize("bias", [False, True])
def test_a_layers_passes_differ_by_rounding_alone(bias: bool) -> None:
    plain, mixed = pair(bias=bias)
    inputs, gradient = drawn(2, 7, 64), drawn(2, 5, 64)
    wanted, found = (layer.forward(inputs, training=True) for layer in (plain, mixed))
    assert found.dtype == torch.float32
    assert not torch.equal(found, wanted), "it was rounded"
    sizes = torch.bmm(plain.weight.abs(), inputs.abs())
    assert ((found - wanted).abs() <= 4 * ROUNDING * sizes).all()
    outs = [layer.backward(gradient, out=torch.empty_like(inputs)) for layer in (plain, mixed)]
    sizes = torch.bmm(plain.weight.abs().transpose(1, 2), gradient.abs())
    assert ((outs[1] - outs[0]).abs() <= 4 * ROUNDING * sizes).all()
    assert torch.equal(mixed.backward(gradient), outs[1])
    sizes = torch.bmm(gradient.abs(), inputs.abs().transpose(1, 2))
    assert ((mixed.weight_gradient - plain.weight_gradient).abs() <= 4 * ROUNDING * sizes).all()
    if bias:
        assert mixed.bias_gradient is not None
        assert plain.bias_gradient is not None
        assert torch.equal(mixed.bias_gradient, plain.bias_gradient)


def test_it_equals_torchs_own_automatic_mixed_precision() -> None:
    _, mixed = pair(bias=False)
    weight, inputs = mixed.weight.clone().requires_grad_(), drawn(2, 7, 64).requires_grad_()
    gradient = drawn(2, 5, 64)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        outputs = torch.bmm(weight, inputs)
    outputs.float().backward(gradient)  # type: ignore[no-untyped-call]
    with torch.no_grad():
        found = mixed.forward(inputs.detach(), training=True)
        into = mixed.backward(gradient)
    assert weight.grad is not None
    assert inputs.grad is not None
    for one, other in ((found, outputs.float()), (into, inputs.grad), (mixed.weight_gradient, weight.grad)):
        torch.testing.assert_close(one, other, rtol=2 * ROUNDING, atol=1e-3)


def test_tiny_gradients_keep_their_size() -> None:
    plain, mixed = pair(bias=False)
    inputs, gradient = drawn(2, 7, 64), 1e-30 * drawn(2, 5, 64)
    for layer in (plain, mixed):
        layer.forward(inputs, training=True)
    ratio = mixed.backward(gradient).abs().mean() / plain.backward(gradient).abs().mean()
    assert float(ratio) == pytest.approx(1, abs=ROUNDING)


@pytest.fixture
def some(digits: StackData) -> StackData:
    """A part of the digits."""
    return replace(digits, train=digits.train[:, :300], validation=digits.validation[:, :200])


def trained(data: StackData, **changes: Any) -> tuple[Stack, list[Any]]:
    hp = Hyperparameters(depth=3, learning_rate=3e-3, batch_norm=True, dropout=0.1, **changes)
    stack = Stack.make("mlp", hp, data, seeds=(1, 2, 3))
    return stack, list(train(stack, epochs=4, layers_at=(0, 4)))


def test_training_comes_near_float32s_results_and_keeps_its_state_in_float32(some: StackData) -> None:
    plain, expected = trained(some)
    mixed, found = trained(some, precision="bfloat16")
    tensors = StackState.of(mixed).tensors
    assert {tensor.dtype for tensor in tensors.values()} == {torch.float32, torch.float64}
    assert tensors["gradient_norms"].dtype == torch.float64
    assert not torch.equal(mixed.model.parameters.values, plain.model.parameters.values)
    for one, other in zip(found[0], expected[0], strict=True):
        for layer, wanted in zip(one.layers, other.layers, strict=True):
            assert layer.grad_l2 == pytest.approx(wanted.grad_l2, rel=0.05)
            assert layer.delta_rms == pytest.approx(wanted.delta_rms, rel=0.05)
    for one, other in zip(found[-1], expected[-1], strict=True):
        assert one.val_loss == pytest.approx(other.val_loss, rel=0.2)
        assert one.val_accuracy == pytest.approx(other.val_accuracy, abs=0.08)


def test_an_unknown_precision_lists_the_known() -> None:
    with pytest.raises(ValueError, match="choices: float32, bfloat16"):
        linear_of(Hyperparameters(precision="float16"))
