"""Layer measures equal what autograd says, and the theory of signal propagation."""

import math

import pytest
import torch
from torch import nn

from tests.trainables.twin import plain_network
from trainables.evaluation import cross_entropy
from trainables.gradients import GradientRecorder
from trainables.hyperparameters import Hyperparameters
from trainables.records import LayerRecord
from trainables.training import Stack, StackData, train

SEEDS = (1, 2, 3)


def growth(layers: tuple[LayerRecord, ...]) -> float:
    """Naive growth per block: exp of minus the slope of ln delta_rms over layers."""
    xs = torch.tensor([float(layer.layer) for layer in layers])
    ys = torch.tensor([math.log(layer.delta_rms) for layer in layers])
    slope = ((xs - xs.mean()) * (ys - ys.mean())).sum() / (xs - xs.mean()).square().sum()
    return math.exp(-float(slope))


def keep_signals(network: nn.Sequential) -> list[torch.Tensor]:
    """Have autograd keep dL/dh_l: return a list that the next forward pass fills with every h_l."""
    signals: list[torch.Tensor] = []

    def keep(module: nn.Module, inputs: object, output: torch.Tensor) -> None:
        output.retain_grad()
        signals.append(output)

    for layer in network:
        if isinstance(layer, nn.Dropout):
            layer.register_forward_hook(keep)
    return signals


def initialisation(hp: Hyperparameters, data: StackData) -> list[tuple[LayerRecord, ...]]:
    stack = Stack.make("mlp", hp, data, seeds=SEEDS)
    first = next(train(stack, epochs=0, layers_at=[0]))
    return [record.layers for record in first]


@pytest.mark.parametrize("activation", ["relu", "tanh", "sigmoid"])
@pytest.mark.parametrize("batch_norm", [False, True], ids=["plain", "batch-norm"])
def test_one_step_equals_autograd(digits: StackData, activation: str, batch_norm: bool) -> None:
    hp = Hyperparameters(
        depth=4,
        activation=activation,
        batch_norm=batch_norm,
        optimizer="sgd",
        learning_rate=0.1,
        momentum=0.0,
    )
    stack = Stack.make("mlp", hp, digits, seeds=SEEDS)
    twins = [plain_network(stack, replicate) for replicate in range(3)]
    rows = digits.train[:, :64]
    recorder = GradientRecorder(stack.model, num_steps=1)
    logits = stack.model.forward(digits.inputs[rows], training=True)
    stack.model.backward(cross_entropy(logits, digits.targets[rows])[1])
    recorder.after_backward()
    stack.optimizer.step()
    recorder.after_update()
    for replicate, (twin, records) in enumerate(zip(twins, recorder.records(), strict=True)):
        signals = keep_signals(twin)
        loss = nn.functional.cross_entropy(
            twin(digits.inputs[rows[replicate]]), digits.targets[rows[replicate]]
        )
        torch.autograd.backward(loss)
        linears = [layer for layer in twin if isinstance(layer, nn.Linear)][:-1]
        for record, linear, signal in zip(records, linears, signals, strict=True):
            assert linear.weight.grad is not None
            assert signal.grad is not None
            norm = float(linear.weight.grad.norm())
            assert record.grad_l2 == pytest.approx(norm, rel=1e-4)
            assert record.grad_l2_max == pytest.approx(norm, rel=1e-4)
            assert record.grad_rms == pytest.approx(norm / linear.weight.numel() ** 0.5, rel=1e-4)
            assert record.delta_rms == pytest.approx(float(signal.grad.square().mean().sqrt()), rel=1e-4)
            with torch.no_grad():
                moved = linear.weight - 0.1 * linear.weight.grad
            assert record.update_ratio == pytest.approx(0.1 * norm / float(moved.norm()), rel=1e-3)


@pytest.mark.parametrize("batch_norm", [False, True], ids=["plain", "batch-norm"])
@pytest.mark.parametrize("dropout", [0.0, 0.1, 0.3, 0.5])
def test_growth_at_initialisation_follows_theory(digits: StackData, dropout: float, batch_norm: bool) -> None:
    kept = 1 - dropout
    expected = (1 - kept / math.pi) ** -0.5 if batch_norm else kept**-0.5
    hp = Hyperparameters(depth=10, width=192, dropout=dropout, batch_norm=batch_norm, batch_size=128)
    stack = Stack.make("mlp", hp, digits_of(digits, 4), seeds=(1, 2, 3, 4))
    records = next(train(stack, epochs=0, layers_at=[0]))
    mean = sum(math.log(growth(record.layers)) for record in records) / len(records)
    assert math.exp(mean) == pytest.approx(expected, rel=0.03)


def digits_of(data: StackData, replicates: int) -> StackData:
    """The same data for another number of replicates, all of them with the first one's rows."""

    def repeat(rows: torch.Tensor) -> torch.Tensor:
        return rows[:1].expand(replicates, -1).contiguous()

    return StackData(
        inputs=data.inputs,
        targets=data.targets,
        train=repeat(data.train),
        validation=repeat(data.validation),
        test=repeat(data.test),
        num_classes=data.num_classes,
    )


def test_exact_identity_of_relu_layers(digits: StackData) -> None:
    """Without biases the inner product of W_l and its gradient is the same for every layer."""
    stack = Stack.make("mlp", Hyperparameters(depth=6), digits, seeds=SEEDS)
    rows = digits.train[:, :256]
    logits = stack.model.forward(digits.inputs[rows], training=True)
    stack.model.backward(cross_entropy(logits, digits.targets[rows])[1])
    products = torch.stack(
        [(block.weight * block.weight_gradient).sum((1, 2)) for block in stack.model.blocks]
    )
    assert torch.allclose(products, products[:1].expand_as(products), rtol=1e-3, atol=1e-5)


def test_dead_layer_is_seen(digits: StackData) -> None:
    stack = Stack.make("mlp", Hyperparameters(depth=3), digits, seeds=SEEDS)
    stack.model.parameters.value("blocks.1.bias")[1].fill_(-1e6)
    epochs = list(train(stack, epochs=1, layers_at=[1]))
    assert epochs[0][1].layers[1].dead_fraction == 1.0
    assert epochs[0][0].layers[1].dead_fraction < 0.5


def test_saturated_units_count_as_dead(digits: StackData) -> None:
    for activation in ("tanh", "sigmoid"):
        stack = Stack.make("mlp", Hyperparameters(depth=3, activation=activation), digits, seeds=SEEDS)
        stack.model.parameters.value("blocks.2.bias")[0].fill_(50.0)
        layers = next(train(stack, epochs=0, layers_at=[0]))[0].layers
        assert layers[2].dead_fraction == 1.0
        assert layers[0].dead_fraction < 0.5


def test_initialisation_is_measured_without_a_trace(digits: StackData) -> None:
    stack = Stack.make("mlp", Hyperparameters(batch_norm=True), digits, seeds=SEEDS)
    before = stack.model.state_dict(0)
    (records,) = train(stack, epochs=0, layers_at=[0])
    after = stack.model.state_dict(0)
    assert all(torch.equal(before[name], after[name]) for name in before)
    assert all(layer.update_ratio is None for record in records for layer in record.layers)


def test_long_epochs_are_sampled(digits: StackData) -> None:
    stack = Stack.make("mlp", Hyperparameters(batch_size=16), digits, seeds=SEEDS)
    (records,) = train(stack, epochs=1, layers_at=[1])
    assert all(layer.update_ratio is not None and 0 < layer.update_ratio < 1 for layer in records[0].layers)
