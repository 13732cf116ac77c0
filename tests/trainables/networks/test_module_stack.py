"""A stack of a user's own modules gives what separate plain runs of them give."""

import dataclasses

import pytest
import torch
from torch import Tensor, nn

from tests.trainables.modules import Picture, build_picture, plain_picture, train_picture
from tests.trainables.rounding import SAME
from tests.trainables.signals import in_float64
from tests.trainables.small import train_in_peace, trial_spec, values
from trainables.base.hyperparameters import Hyperparameters
from trainables.base.records import EpochRecord, LayerRecord
from trainables.data.stack_data import StackData
from trainables.networks.memory import MemoryLimits
from trainables.networks.module_stack import BuildModule
from trainables.training.evaluation import evaluate
from trainables.training.loop import epoch_order, train
from trainables.training.stack import Stack
from trainables.trials.artifact import from_bytes, metadata_of
from trainables.trials.reporting import train_trial_spec

pytestmark = pytest.mark.numeric

SEEDS = (11, 12, 13)


def make(hp: Hyperparameters, data: StackData, build: BuildModule = build_picture, **parts: range) -> Stack:
    return Stack.make("own", hp, data, seeds=SEEDS, build=build, **parts)


@pytest.mark.parametrize(
    "changes",
    [
        {"optimizer": "sgd", "learning_rate": 0.05, "batch_norm": True},
        {"optimizer": "adam", "batch_norm": True, "label_smoothing": 0.1},
        {"optimizer": "rmsprop", "clip_norm": 0.5},
    ],
    ids=lambda changes: str(changes["optimizer"]),
)
def test_replicate_equals_plain_module(digits: StackData, changes: dict[str, object]) -> None:
    hp, digits = Hyperparameters(**{"learning_rate": 1e-3, **changes}), in_float64(digits)  # type: ignore[arg-type]
    stack = make(hp, digits)
    history = list(train(stack, epochs=2, layers_at=range(3)))[1:]
    for replicate, seed in enumerate(SEEDS):
        twin = plain_picture(hp, seed).double()
        expected = train_picture(twin, hp, digits, replicate=replicate, seed=seed, epochs=2)
        for epoch, plain in zip(history, expected, strict=True):
            assert values(epoch[replicate]) == pytest.approx(plain, rel=SAME)
        state = stack.model.state_dict(replicate)
        assert list(state) == list(twin.state_dict())
        for name, tensor in twin.state_dict().items():
            torch.testing.assert_close(state[name], tensor, rtol=1e-7, atol=1e-9)


def one_batch(data: StackData) -> StackData:
    """Return the data with 100 examples of training, which are one batch."""
    return dataclasses.replace(data, train=data.train[:, :100])


def test_layers_equal_autograds(digits: StackData) -> None:
    hp = Hyperparameters(batch_size=100, optimizer="sgd", learning_rate=0.05, batch_norm=True, clip_norm=0.01)
    data = one_batch(in_float64(digits))
    start, first = train(make(hp, data), epochs=1, layers_at=(0, 1))
    for replicate, seed in enumerate(SEEDS):
        for epoch, records in enumerate([start, first]):
            rows = data.train[replicate][epoch_order(seed, epoch, 100)]
            assert_layers(
                records[replicate].layers,
                plain_picture(hp, seed).double(),
                data.inputs[rows],
                data.targets[rows],
            )


def assert_layers(
    layers: tuple[LayerRecord, ...],
    twin: Picture,
    inputs: Tensor,
    targets: Tensor,
) -> None:
    """Compare records of one batch with what autograd gives."""
    logits = twin(inputs.view(-1, 8, 8))
    for signal in twin.hidden:
        signal.retain_grad()
    torch.autograd.backward(nn.functional.cross_entropy(logits, targets))
    weights = [twin.first.weight, twin.second.weight, twin.dense.weight]
    assert len(layers) == 3
    for layer, signal, weight in zip(layers, twin.hidden, weights, strict=True):
        hidden, delta = signal.detach(), signal.grad
        assert delta is not None
        assert weight.grad is not None
        assert layer.grad_l2 == pytest.approx(float(weight.grad.norm()), rel=1e-10)
        assert layer.grad_rms == pytest.approx(float(weight.grad.square().mean().sqrt()), rel=1e-10)
        assert layer.delta_rms == pytest.approx(float(delta.square().mean().sqrt()), rel=1e-10)
        assert layer.activation_mean == pytest.approx(float(hidden.mean()), rel=1e-10)
        assert layer.activation_std == pytest.approx(float(hidden.std(correction=0)), rel=1e-10)
        by_unit = hidden.transpose(0, 1).flatten(1)
        assert layer.dead_fraction == pytest.approx(float((by_unit == 0).all(1).float().mean()))


def test_a_dead_channel_is_dead_wherever_it_looks(digits: StackData) -> None:
    stack = make(Hyperparameters(), digits)
    state = stack.model.parameters.value("first.bias")
    state[1, 2] = -1e6
    (epoch,) = train(stack, epochs=1, layers_at=(1,))
    assert [record.layers[0].dead_fraction for record in epoch] == [0, 0.25, 0]


def test_a_part_has_the_numbers_of_the_whole(digits: StackData) -> None:
    hp = Hyperparameters(dropout=0.5, batch_norm=True)
    whole = list(train(make(hp, digits), epochs=2, layers_at=range(3)))
    part = list(train(make(hp, digits, part=range(1, 3)), epochs=2, layers_at=range(3)))
    for epoch, cut in zip(whole, part, strict=True):
        assert [values(record) for record in epoch[1:]] == [values(record) for record in cut]


def test_neither_other_code_nor_measuring_changes_a_number_and_globals_stay(digits: StackData) -> None:
    hp = Hyperparameters(dropout=0.5, batch_norm=True)
    torch.manual_seed(1)
    before = torch.get_rng_state()
    measured = list(train(make(hp, digits), epochs=2, layers_at=range(3)))[1:]
    assert torch.equal(torch.get_rng_state(), before)
    torch.manual_seed(2)
    plain = list(train(make(hp, digits), epochs=2))
    assert [[values(r) for r in epoch] for epoch in measured] == [[values(r) for r in e] for e in plain]
    losses = [values(record) for record in plain[0]]
    assert len(set(losses)) == len(losses)


def test_stacks_that_take_turns_for_want_of_memory_have_the_numbers_of_one(digits: StackData) -> None:
    task = trial_spec(dropout=0.5, batch_norm=True, rungs=(1, 2), layers_at=(0, 1, 2), model="own")
    little = MemoryLimits()
    little.note(0, 2)
    whole, halved = (
        list(train_trial_spec(task, digits, worker="w", build=build_picture, limits=limits))
        for limits in (MemoryLimits(), little)
    )
    assert len(halved) == len(whole)
    for one, other in zip(halved, whole, strict=True):
        assert [values(record) for record in one.epochs] == [values(record) for record in other.epochs]
        assert one.replicates == other.replicates


def test_a_checkpoint_goes_on_as_if_nothing_had_happened(digits: StackData) -> None:
    task = trial_spec(dropout=0.5, batch_norm=True, rungs=(1, 2), layers_at=(1, 2), model="own")

    def reports(checkpoint: bytes | None) -> list[EpochRecord]:
        made = list(
            train_in_peace(
                task,
                digits,
                worker="w",
                build=build_picture,
                checkpoint=checkpoint,
                seconds_between_checkpoints=0,
            )
        )
        saved.append(made[0].checkpoint)
        return [record for report in made for record in report.epochs if record.epoch == 2]

    saved: list[bytes | None] = []
    whole = reports(None)
    assert saved[0] is not None
    assert reports(saved[0]) == whole


def test_kept_models_bear_the_modules_own_names_shape_and_classes(digits: StackData) -> None:
    task = trial_spec(rungs=(1,), layers_at=(), model="own", keeps_models=True, reads_test=True)
    (report,) = train_in_peace(task, digits, worker="w", build=build_picture)
    kept, metadata = from_bytes(report.models[2]), metadata_of(report.models[2])
    assert (metadata["input_shape"], metadata["classes"]) == ([8, 8], [str(digit) for digit in range(10)])
    twin = plain_picture(task.hyperparameters, 0)
    twin.load_state_dict(kept)
    twin.eval()
    rows = digits.test[2]
    with torch.no_grad():
        loss = nn.functional.cross_entropy(twin(digits.inputs[rows].view(-1, 8, 8)), digits.targets[rows])
    assert float(loss) == pytest.approx(report.replicates[2].test_loss, rel=1e-5)
    assert sum(map(sum, report.evaluations[2].confusion)) == len(rows)


class Counting(nn.Module):
    """A linear layer that counts its passes in a buffer that it assigns anew, and halves what is random."""

    def __init__(self, num_classes: int) -> None:
        super().__init__()
        self.linear = nn.Linear(64, num_classes)
        self.passes: Tensor
        self.register_buffer("passes", torch.zeros(()))

    def forward(self, inputs: Tensor) -> Tensor:
        """Return logits."""
        if self.training:
            self.passes = self.passes + 1
        logits: Tensor = self.linear(inputs.flatten(1))
        return logits


def test_one_layer_has_no_hidden_ones_and_buffers_may_be_assigned(digits: StackData) -> None:
    stack = make(Hyperparameters(), digits, lambda hp, shape, classes: Counting(classes))
    history = list(train(stack, epochs=1, layers_at=(0, 1)))
    assert [record.layers for record in history[1]] == [(), (), ()]
    assert history[1][0].metrics["num_nonfinite"] == 0
    num_steps = -(-digits.train.shape[1] // 64)  # the initialisation, measured before, is not counted
    assert stack.model.buffers()["passes"].tolist() == [num_steps] * 3


def test_divergence_stays_with_its_replicate(digits: StackData) -> None:
    hp = Hyperparameters(batch_norm=True, clip_norm=1.0)
    healthy = list(train(make(hp, digits), epochs=2))
    stack = make(hp, digits)
    stack.model.parameters.value("second")[1].fill_(float("nan"))
    sick = list(train(stack, epochs=2))
    assert stack.diverged == [False, True, False]
    assert [values(epoch[2]) for epoch in sick] == [values(epoch[2]) for epoch in healthy]


def test_mixed_precision_is_autocasts(digits: StackData) -> None:
    hp = Hyperparameters(precision="bfloat16")
    stack = make(hp, digits)
    with torch.no_grad():
        loss, _ = evaluate(stack.model, digits, digits.test)
    twin = plain_picture(hp, SEEDS[1]).eval()
    rows = digits.test[1]
    with torch.no_grad(), torch.autocast("cpu", torch.bfloat16):
        logits = twin(digits.inputs[rows].view(-1, 8, 8))
    assert logits.dtype is torch.bfloat16
    expected = nn.functional.cross_entropy(logits.float(), digits.targets[rows])
    assert float(loss[1]) == pytest.approx(float(expected), rel=1e-5)
    (epoch,) = train(stack, epochs=1, layers_at=(1,))
    assert epoch[0].layers[0].delta_rms > 0


class TestRefusals:
    def test_nothing_to_train(self, digits: StackData) -> None:
        with pytest.raises(ValueError, match="without parameters to train"):
            make(Hyperparameters(), digits, lambda *_: nn.Flatten())

    def test_forms_that_differ(self, digits: StackData) -> None:
        def build(hp: Hyperparameters, shape: tuple[int, ...], num_classes: int) -> nn.Module:
            width = int(torch.randint(2, 1000, ()))
            return nn.Sequential(nn.Flatten(), nn.Linear(64, width), nn.Linear(width, num_classes))

        with pytest.raises(ValueError, match="modules of one form, whatever the seed"):
            make(Hyperparameters(), digits, build)

    def test_a_layer_that_is_skipped(self, digits: StackData) -> None:
        class Skipping(Counting):
            def __init__(self, num_classes: int) -> None:
                super().__init__(num_classes)
                self.before, self.skips = nn.Linear(64, 64), False
                self.between = nn.Linear(64, 64)

            def forward(self, inputs: Tensor) -> Tensor:
                hidden = self.before(inputs.flatten(1))
                hidden = hidden if self.passes else self.between(hidden)
                return super().forward(hidden)

        stack = make(Hyperparameters(), digits, lambda hp, shape, classes: Skipping(classes))
        with pytest.raises(
            ValueError, match="layer between, which reads layer before, ran in the first pass"
        ):
            list(train(stack, epochs=1, layers_at=(1,)))
