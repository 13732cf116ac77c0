"""Layer measures equal what autograd says, and the theory of signal propagation."""

import dataclasses
import math
from dataclasses import asdict

import numpy as np
import pytest
import torch
from torch import nn

from tests.trainables.rounding import SAME
from tests.trainables.signals import in_float64
from tests.trainables.twin import Residual, named_as_in_stack, plain_network
from trainables.base.hyperparameters import Hyperparameters
from trainables.base.records import LayerRecord
from trainables.data.stack_data import StackData
from trainables.gradients.gradient_norms import Measured
from trainables.gradients.measured_epoch import MeasuredEpoch
from trainables.training import gradient_recorder
from trainables.training.evaluation import cross_entropy
from trainables.training.gradient_recorder import GradientRecorder
from trainables.training.loop import epoch_order, run_steps, train
from trainables.training.stack import Stack

pytestmark = [pytest.mark.numeric, pytest.mark.usefixtures("each_way")]

SEEDS = (1, 2, 3)


def keep_signals(network: nn.Sequential) -> list[torch.Tensor]:
    """Have autograd keep dL/dh_l: return a list that the next forward pass fills with every h_l."""
    signals: list[torch.Tensor] = []

    def keep(module: nn.Module, inputs: object, output: torch.Tensor) -> None:
        output.retain_grad()
        signals.append(output)

    for block in list(network)[:-1]:
        block.register_forward_hook(keep)
    return signals


@pytest.mark.parametrize("residual", ["none", "plain", "scaled", "zero"])
@pytest.mark.parametrize("activation", ["relu", "tanh", "sigmoid"])
@pytest.mark.parametrize("batch_norm", [False, True], ids=["plain", "batch-norm"])
def test_one_step_equals_autograd(
    digits: StackData, activation: str, batch_norm: bool, residual: str
) -> None:
    """Every measure of a step, in float64, against autograd on the plain network."""
    hp = Hyperparameters(
        depth=4,
        width=(32, 32, 32, 24),
        activation=activation,
        batch_norm=batch_norm,
        residual=residual,
        optimizer="sgd",
        learning_rate=0.1,
        momentum=0.0,
    )
    data = dataclasses.replace(digits, inputs=digits.inputs.double())
    stack = Stack.make("mlp", hp, data, seeds=SEEDS)
    if residual == "zero":
        stack.model.parameters.value("blocks.1.factor").fill_(0.7)
    kill_a_unit(stack, to=-1e6 if activation == "relu" else 50.0)
    twins = [plain_network(stack, replicate) for replicate in range(3)]
    rows = data.train[:, :64]
    recorder = stack.step.recorder(1)
    with torch.no_grad():
        run_steps(stack, [rows], recorder)
    for replicate, (twin, measured) in enumerate(zip(twins, recorder.end_epoch().replicates(), strict=True)):
        signals, responses = keep_signals(twin), keep_responses(twin)
        loss = nn.functional.cross_entropy(twin(data.inputs[rows[replicate]]), data.targets[rows[replicate]])
        torch.autograd.backward(loss)
        named = named_as_in_stack(twin)
        assert measured.layers[-1].dead_fraction > 0
        for record, signal, response in zip(measured.layers, signals, responses, strict=True):
            weight = named[f"blocks.{record.layer - 1}.weight"]
            assert weight.grad is not None
            assert signal.grad is not None
            moved = weight.detach() - 0.1 * weight.grad
            expected = LayerRecord(
                layer=record.layer,
                grad_l2=float(weight.grad.norm()),
                grad_l2_max=float(weight.grad.norm()),
                grad_rms=rms(weight.grad),
                delta_rms=rms(signal.grad),
                weight_rms=rms(moved),
                update_ratio=0.1 * float(weight.grad.norm()) / float(moved.norm()),
                activation_mean=float(signal.detach().mean()),
                activation_std=float(signal.detach().std(correction=0)),
                dead_fraction=dead_fraction(activation, response),
            )
            assert asdict(record) == pytest.approx(asdict(expected), rel=1e-9)


def kill_a_unit(stack: Stack, *, to: float) -> None:
    """Put what a unit of the last hidden layer adds to its inputs so far off that the unit never responds."""
    name = "shift" if stack.hyperparameters.batch_norm else "bias"
    last = stack.hyperparameters.depth - 1
    stack.model.parameters.value(f"blocks.{last}.{name}")[..., 0] = to


def keep_responses(network: nn.Sequential) -> list[torch.Tensor]:
    """Return a list that the next forward pass fills with what tells whether a unit is dead, layer by layer.

    That is the activation, or h_l where a skip is added to a ReLU.
    """
    responses: list[torch.Tensor] = []
    for block in list(network)[:-1]:
        branch = block.branch if isinstance(block, Residual) else block
        assert isinstance(branch, nn.Sequential)
        activation = branch[-2]
        heard = block if isinstance(block, Residual) and isinstance(activation, nn.ReLU) else activation
        heard.register_forward_hook(lambda module, inputs, output: responses.append(output.detach()))
    return responses


def dead_fraction(activation: str, response: torch.Tensor) -> float:
    """Naive share of units that respond to no example: 0 everywhere, or within 3 % of a saturated end everywhere."""
    match activation:
        case "relu":
            is_dead = response == 0
        case "tanh":
            is_dead = response.abs() > 0.97
        case _:
            is_dead = (response < 0.015) | (response > 0.985)
    return float(is_dead.all(0).double().mean())


def rms(values: torch.Tensor) -> float:
    """Naive root mean square."""
    return float(values.detach().square().mean().sqrt())


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


def test_long_epochs_are_sampled(digits: StackData, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of 68 steps every third is measured, with the numbers that measuring all of them gives for those."""

    def measured() -> MeasuredEpoch:
        stack = Stack.make("mlp", Hyperparameters(), digits, seeds=SEEDS)
        batches = list(torch.split(digits.train, 16, dim=1))
        recorder = stack.step.recorder(len(batches))
        with torch.no_grad():
            run_steps(stack, batches, recorder)
        return recorder.end_epoch()

    sampled = measured()
    monkeypatch.setattr(gradient_recorder, "MIN_SAMPLED_STEPS", 68)
    every = measured()
    assert (every.stride, len(every.examples)) == (1, 68)
    assert (sampled.stride, len(sampled.examples)) == (3, 23)
    for kind in Measured:
        step = 1 if kind is Measured.GRADIENTS else 3
        assert np.array_equal(sampled.norms[kind, ::step, :-1], every.norms[kind, ::step, :-1])
    weights = every.norms[Measured.WEIGHTS, ::3, 0, 0]
    layer = sampled.replicates()[0].layers[0]
    assert layer.weight_rms == pytest.approx(np.median(weights) / every.weight_sizes[0] ** 0.5)
    updates = every.norms[Measured.UPDATES, ::3, 0, 0]
    assert layer.update_ratio == pytest.approx(np.median(updates / weights))


def test_a_unit_that_hands_on_its_input_is_not_dead(digits: StackData) -> None:
    for residual, expected in (("none", 1.0), ("plain", 0.0)):
        stack = Stack.make("mlp", Hyperparameters(depth=3, residual=residual), digits, seeds=SEEDS)
        stack.model.parameters.value("blocks.1.bias").fill_(-1e6)
        layers = next(train(stack, epochs=0, layers_at=[0]))[0].layers
        assert layers[1].dead_fraction == pytest.approx(expected, abs=0.2)


def test_epochs_tell_of_the_whole_gradient(digits: StackData) -> None:
    hp = Hyperparameters(clip_norm=1e-3)
    epochs = list(train(Stack.make("mlp", hp, digits, seeds=SEEDS), epochs=2, layers_at=range(3)))
    assert all(
        record.metrics == {"num_nonfinite": 0.0, "clip_fraction": 1.0, "spike_rate": 0.0}
        for epoch in epochs[1:]
        for record in epoch
    )
    assert all(record.metrics["clip_fraction"] == 0 for record in epochs[0])
    (unmeasured,) = train(Stack.make("mlp", hp, digits, seeds=SEEDS), epochs=1)
    assert unmeasured[0].metrics == {}


def test_gradients_that_are_not_finite_are_counted(digits: StackData) -> None:
    stack = Stack.make("mlp", Hyperparameters(), digits, seeds=SEEDS)
    stack.model.parameters.value("blocks.1.weight")[1].fill_(math.nan)
    (epoch,) = train(stack, epochs=1, layers_at=[1])
    assert [record.metrics["num_nonfinite"] for record in epoch] == [0.0, 17.0, 0.0]
    assert math.isnan(epoch[1].layers[0].delta_rms)
    assert math.isfinite(epoch[0].layers[0].delta_rms)


def test_a_last_batch_of_another_size_is_measured_as_the_others(digits: StackData) -> None:
    """delta_rms of one layer over 64 + 64 + 3 examples is the median of what each batch gives."""
    data = dataclasses.replace(in_float64(digits), train=digits.train[:, :131])
    stack = Stack.make("mlp", Hyperparameters(optimizer="sgd", learning_rate=1e-12), data, seeds=SEEDS)
    order = torch.stack([epoch_order(seed, 1, 131) for seed in SEEDS])
    expected = []
    for rows in torch.split(data.train.gather(1, order), 64, dim=1):
        logits = stack.model.forward(data.inputs[rows], training=True)
        stack.model.backward(cross_entropy(logits, data.targets[rows])[1])
        expected.append(rms(stack.model.deltas.buffers.layers[0][0]))
    (epoch,) = train(stack, epochs=1, layers_at=[1])
    assert epoch[0].layers[0].delta_rms == pytest.approx(sorted(expected)[1], rel=1e-9)


@pytest.mark.parametrize("gain", [0.5, 16.0], ids=["vanishing", "exploding"])
def test_gradients_whose_squares_leave_float32_are_measured(digits: StackData, gain: float) -> None:
    """At initialisation and in training, as in float64; a sum of squares in float32 would be 0 or infinite."""
    hp = Hyperparameters(
        depth=20,
        width=32,
        activation="sigmoid" if gain < 1 else "relu",
        init="fitting",
        init_gain=gain,
        optimizer="sgd",
        learning_rate=1e-30,
    )
    first_layers = []
    for data in (digits, dataclasses.replace(digits, inputs=digits.inputs.double())):
        stack = Stack.make("mlp", hp, data, seeds=SEEDS)
        epochs = list(train(stack, epochs=1, layers_at=[0, 1]))
        first_layers.append([record.layers[0] for records in epochs for record in records])
    for single, double in zip(*first_layers, strict=True):
        assert not 1e-17 < double.delta_rms < 1e17
        assert single.delta_rms == pytest.approx(double.delta_rms, rel=1e-3)
        assert single.grad_l2 == pytest.approx(double.grad_l2, rel=1e-3)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
@pytest.mark.parametrize("optimizer", ["sgd", "adam", "rmsprop", "adamw"])
def test_no_step_makes_the_host_wait(digits: StackData, optimizer: str) -> None:
    moved = {
        name: getattr(digits, name).cuda() for name in ("inputs", "targets", "train", "validation", "test")
    }
    data = dataclasses.replace(digits, **moved)
    hp = Hyperparameters(
        dropout=0.5, batch_norm=True, residual="zero", clip_norm=1.0, optimizer=optimizer, learning_rate=1e-3
    )
    stack = Stack.make("mlp", hp, data, seeds=SEEDS)
    list(train(stack, epochs=1, layers_at=[0, 1]))
    batches = list(torch.split(data.train, 64, dim=1))
    recorder = stack.step.recorder(len(batches))
    before = torch.cuda.get_sync_debug_mode()
    torch.cuda.set_sync_debug_mode("error")
    try:
        with torch.no_grad():
            run_steps(stack, batches, recorder)
    finally:
        torch.cuda.set_sync_debug_mode(before)
    assert recorder.end_epoch().replicates()[0].metrics["num_nonfinite"] == 0


@pytest.mark.usefixtures("by_torch")
def test_the_whole_gradient_is_that_of_all_parameters(digits: StackData) -> None:
    digits = in_float64(digits)
    stack = Stack.make("mlp", Hyperparameters(batch_norm=True), digits, seeds=SEEDS)
    twins = [plain_network(stack, replicate) for replicate in range(3)]
    rows = digits.train[:, :64]
    logits = stack.model.forward(digits.inputs[rows], training=True)
    stack.model.backward(cross_entropy(logits, digits.targets[rows])[1])
    expected = []
    for replicate, twin in enumerate(twins):
        loss = nn.functional.cross_entropy(
            twin(digits.inputs[rows[replicate]]), digits.targets[rows[replicate]]
        )
        torch.autograd.backward(loss)
        expected.append(float(nn.utils.clip_grad_norm_(twin.parameters(), 1.0)))
    assert stack.model.parameters.gradient_norms().tolist() == pytest.approx(expected, rel=SAME)
    for clip_norm, share in ((0.99 * min(expected), 1.0), (1.01 * max(expected), 0.0)):
        recorder = GradientRecorder(stack.model, num_steps=1)
        recorder.after_backward()
        recorder.after_measure()
        metrics = [measured.metrics for measured in recorder.end_epoch(clip_norm=clip_norm).replicates()]
        assert [each["clip_fraction"] for each in metrics] == [share] * 3


def test_spikes_are_told_by_the_steps_of_the_epoch_before(digits: StackData) -> None:
    stack = Stack.make("mlp", Hyperparameters(), digits, seeds=SEEDS)
    recorder = GradientRecorder(stack.model, num_steps=1)
    rates = []
    for factor in (1.0, 9.0, 1.0, 11.0):
        rows = digits.train[:, :64]
        logits = stack.model.forward(digits.inputs[rows], training=True)
        stack.model.backward(cross_entropy(logits, digits.targets[rows])[1] * factor)
        recorder.after_backward()
        recorder.after_measure()
        rates.append(recorder.end_epoch().replicates()[0].metrics["spike_rate"])
    assert rates == [0.0, 0.0, 0.0, 1.0]
