"""Signal propagation at initialisation follows the theory: exact identities in float64, growth within 3 %."""

import math

import pytest
import torch
from torch import Tensor

from tests.trainables.signals import (
    at_initialisation,
    growth,
    in_float64,
    make_stack,
    mean_growth,
    mean_weight_ratio,
)
from trainables.base.hyperparameters import Hyperparameters
from trainables.data.stack_data import StackData
from trainables.models.mlp import MLP
from trainables.networks.layers import ACTIVATIONS, BatchNorm, ReLU
from trainables.training.evaluation import cross_entropy

pytestmark = pytest.mark.numeric

WIDTH = 192


class Identity(ReLU):
    """No activation at all, for linear networks."""

    def forward(self, inputs: Tensor, *, training: bool, out: Tensor | None = None) -> Tensor:
        """Return the inputs."""
        return inputs if out is None else out.copy_(inputs)

    def backward(self, gradient: Tensor) -> Tensor:
        """Return the gradient."""
        return gradient


@pytest.fixture(autouse=True)
def _linear_networks_exist(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(ACTIVATIONS, "linear", Identity)


def inner_products(hp: Hyperparameters, data: StackData, *, eps: float = BatchNorm.eps) -> Tensor:
    """Return <W_l, dL/dW_l> of each hidden layer, shape (layers, replicates), in float64."""
    stack = make_stack(hp, in_float64(data))
    model = stack.model
    assert isinstance(model, MLP)
    for block in model.blocks:
        if block.norm is not None:
            block.norm.eps = eps
    rows = stack.data.train[:, :256]
    logits = model.forward(stack.data.inputs[rows], training=True)
    model.backward(cross_entropy(logits, stack.data.targets[rows])[1])
    pairs = [(block.linear.weight, block.linear.weight_gradient) for block in model.blocks]
    return torch.stack([(weight * gradient).sum((1, 2)) for weight, gradient in pairs])


class TestExactIdentities:
    @pytest.mark.parametrize(
        ("activation", "gain"),
        [("relu", 0.5), ("relu", 1.0), ("relu", 2.0), ("linear", 1.0), ("linear", 1.5)],
    )
    def test_without_biases_every_layer_has_the_same_inner_product(
        self, digits: StackData, activation: str, gain: float
    ) -> None:
        hp = Hyperparameters(
            depth=7, width=(64, 48, 32, 64, 64, 40, 64), activation=activation, init_gain=gain
        )
        products = inner_products(hp, digits)
        assert float(products.abs().min()) > 1e-6
        torch.testing.assert_close(products, products[:1].expand_as(products), rtol=1e-11, atol=0.0)

    def test_biases_break_it(self, digits: StackData) -> None:
        """The identity is a property of the network, not of the way it is computed."""
        hp = Hyperparameters(depth=4, activation="tanh", init="lecun_normal")
        products = inner_products(hp, digits)
        assert float((products - products[:1]).abs().max() / products.abs().max()) > 0.01

    def test_weights_that_feed_a_batch_norm_have_none(self, digits: StackData) -> None:
        """The product is of the order of epsilon, and 0 without it."""
        hp = Hyperparameters(depth=5, batch_norm=True)
        sizes = [float(inner_products(hp, digits, eps=eps).abs().max()) for eps in (1e-2, 1e-4, 0.0)]
        assert sizes[0] > 30 * sizes[1] > 0
        assert sizes[2] < 1e-14

    def test_a_branch_that_starts_at_zero_leaves_the_signal_alone(self, digits: StackData) -> None:
        hp = Hyperparameters(depth=20, residual="zero")
        for record in at_initialisation(hp, digits):
            assert len({layer.delta_rms for layer in record.layers}) == 1
            assert growth(record.layers) == 1.0


class TestGrowth:
    """Geometric mean of four networks, 10 blocks unless the case names another depth."""

    @pytest.mark.parametrize("batch_norm", [False, True], ids=["plain", "batch-norm"])
    @pytest.mark.parametrize("dropout", [0.0, 0.1, 0.3, 0.5])
    def test_of_he_networks_with_dropout(self, digits: StackData, dropout: float, batch_norm: bool) -> None:
        kept = 1 - dropout
        expected = (1 - kept / math.pi) ** -0.5 if batch_norm else kept**-0.5
        hp = Hyperparameters(depth=10, width=WIDTH, dropout=dropout, batch_norm=batch_norm, batch_size=128)
        assert mean_growth(hp, digits) == pytest.approx(expected, rel=0.03)

    @pytest.mark.parametrize("gain", [0.5, 1.0, 2.0])
    @pytest.mark.parametrize(("activation", "init"), [("relu", "he_normal"), ("linear", "lecun_normal")])
    def test_is_the_gain_and_the_weights_miss_it(
        self, digits: StackData, activation: str, init: str, gain: float
    ) -> None:
        hp = Hyperparameters(depth=7, width=WIDTH, activation=activation, init=init, init_gain=gain)
        assert mean_growth(hp, digits) == pytest.approx(gain, rel=0.03)
        assert 0.5 < mean_weight_ratio(hp, digits) < 2

    def test_of_sigmoid_is_about_a_quarter(self, digits: StackData) -> None:
        hp = Hyperparameters(depth=7, width=WIDTH, activation="sigmoid", init="lecun_normal")
        assert mean_growth(hp, digits) == pytest.approx(0.24, rel=0.03)

    def test_of_tanh_at_half_the_gain_is_a_half_and_the_weights_miss_it(self, digits: StackData) -> None:
        hp = Hyperparameters(depth=7, width=WIDTH, activation="tanh", init="lecun_normal", init_gain=0.5)
        assert mean_growth(hp, digits) == pytest.approx(0.5, rel=0.03)
        assert mean_weight_ratio(hp, digits) == pytest.approx(1.0, abs=0.1)

    def test_of_torchs_default_vanishes(self, digits: StackData) -> None:
        """Uniform within 1/sqrt(n) has a variance of 1/(3n): 1/sqrt(6) of He's standard deviation."""
        hp = Hyperparameters(depth=7, width=WIDTH, init="default")
        assert mean_growth(hp, digits) == pytest.approx(6**-0.5, rel=0.03)

    @pytest.mark.parametrize("depth", [7, 50])
    def test_of_batch_norm_holds_in_deep_networks(self, digits: StackData, depth: int) -> None:
        hp = Hyperparameters(depth=depth, width=WIDTH, batch_norm=True)
        assert mean_growth(hp, digits) == pytest.approx((1 - 1 / math.pi) ** -0.5, rel=0.03)

    def test_of_residual_networks(self, digits: StackData) -> None:
        """A branch of He's size at least doubles the squared signal in each block, scaled ones e at most in all."""
        plain = Hyperparameters(depth=20, width=WIDTH, residual="plain")
        assert mean_growth(plain, digits) > 2**0.5
        scaled = Hyperparameters(depth=20, width=WIDTH, residual="scaled")
        assert 1 < mean_growth(scaled, digits) ** 19 < math.e
