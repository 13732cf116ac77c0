"""The convolutional network: its layers, its dropout, what it refuses, and its replicates in a stack."""

import math
from dataclasses import replace

import pytest
import torch
from torch import nn

from trainables import models
from trainables.base.hyperparameters import Hyperparameters
from trainables.data.stack_data import StackData
from trainables.models.cnn import Dropout, build_module, num_values
from trainables.training.loop import train
from trainables.training.stack import Stack

pytestmark = pytest.mark.numeric

SEEDS = (11, 12, 13)
SMALL = Hyperparameters(depth=2, width=4, batch_norm=True, dropout=0.5, learning_rate=3e-3, batch_size=50)


def build(shape: tuple[int, ...] = (28, 28), *, seed: int = 1, **changes: object) -> nn.Module:
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        return build_module(Hyperparameters(**{"width": 32, **changes}), shape, 10)  # type: ignore[arg-type]


def layers(module: nn.Module) -> list[nn.Conv2d | nn.Linear]:
    return [each for each in module.modules() if isinstance(each, nn.Conv2d | nn.Linear)]


class TestLayers:
    def test_three_blocks_of_two_convolutions_and_two_dense_layers(self) -> None:
        shapes = [tuple(layer.weight.shape) for layer in layers(build(dropout=0.5, batch_norm=True))]
        assert shapes == [
            (32, 1, 3, 3),
            (32, 32, 3, 3),
            (64, 32, 3, 3),
            (64, 64, 3, 3),
            (128, 64, 3, 3),
            (128, 128, 3, 3),
            (512, 128 * 3 * 3),
            (256, 512),
            (10, 256),
        ]

    @pytest.mark.parametrize("batch_norm", [False, True])
    def test_it_computes_what_torchs_layers_in_a_row_compute(self, batch_norm: bool) -> None:
        network = build((3, 9, 12), depth=2, width=4, batch_norm=batch_norm, activation="tanh")
        norms = [each for each in network.modules() if isinstance(each, nn.BatchNorm2d | nn.BatchNorm1d)]
        convolutions, dense = layers(network)[:4], layers(network)[4:]
        row: list[nn.Module] = []
        for number, layer in enumerate(convolutions):
            row += [layer, *norms[number : number + 1], nn.Tanh()]
            row += [nn.MaxPool2d(2)] if number % 2 else []
        row.append(nn.Flatten())
        for number, layer in enumerate(dense[:2], start=4):
            row += [layer, *norms[number : number + 1], nn.Tanh()]
        pictures = torch.rand(7, 3, 9, 12)
        torch.testing.assert_close(network(pictures), nn.Sequential(*row, dense[2])(pictures))
        assert len(norms) == (6 if batch_norm else 0)

    def test_convolutions_have_half_the_dropout_of_dense_layers(self) -> None:
        rates = [
            round(1 - each._kept / 65536, 4)
            for each in build(dropout=0.5).modules()
            if isinstance(each, Dropout)
        ]
        assert rates == [0.25, 0.25, 0.25, 0.5, 0.5]
        assert not any(isinstance(each, Dropout) for each in build(dropout=0.0).modules())

    def test_a_list_of_widths_is_each_blocks_channels(self) -> None:
        network = build((8, 8), width=(6, 4, 5))
        assert [layer.out_channels for layer in layers(network) if isinstance(layer, nn.Conv2d)] == [
            6,
            6,
            4,
            4,
            5,
            5,
        ]

    def test_biases_are_zero_and_none_feeds_a_batch_norm(self) -> None:
        plain, normed = build((8, 8)), build((8, 8), batch_norm=True)
        assert all(layer.bias is not None and not layer.bias.any() for layer in layers(plain))
        assert [layer.bias is not None for layer in layers(normed)] == [False] * 8 + [True]

    def test_weights_are_drawn_by_what_goes_into_them(self) -> None:
        network = build(init_gain=2.0)
        *hidden, output = layers(network)
        for layer in hidden[1:]:
            expected = 2 * math.sqrt(2 / layer.weight[0].numel())
            assert float(layer.weight.detach().std()) == pytest.approx(expected, rel=0.05)
        assert float(output.weight.detach().std()) == pytest.approx(math.sqrt(2 / 256), rel=0.05)

    def test_a_seed_decides_the_weights(self) -> None:
        first, again, other = (layers(build((8, 8), seed=seed))[0].weight for seed in (1, 1, 2))
        assert torch.equal(first, again)
        assert not torch.equal(first, other)


class TestDropout:
    @pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
    def test_it_drops_its_share_afresh_and_keeps_the_mean(self, layout: torch.memory_format) -> None:
        inputs = torch.ones(50, 7, 11, 13).contiguous(memory_format=layout).requires_grad_()
        dropout = Dropout(0.25)
        first, second = dropout(inputs), dropout(inputs)
        assert float((first == 0).double().mean()) == pytest.approx(0.25, abs=0.01)
        assert torch.equal(first.unique(), torch.tensor([0.0, 4 / 3]))
        assert float((first * second == 0).double().mean()) == pytest.approx(1 - 0.75**2, abs=0.015)
        assert first.is_contiguous(memory_format=layout)
        first.sum().backward()
        assert inputs.grad is not None
        assert torch.equal(inputs.grad, first.detach())

    def test_it_passes_on_outside_training(self) -> None:
        inputs = torch.rand(3, 5)
        assert Dropout(0.9).eval()(inputs) is inputs

    @pytest.mark.parametrize("rate", [1e-9, 1 - 1e-9])
    def test_it_neither_keeps_nor_drops_everything_by_rounding(self, rate: float) -> None:
        assert Dropout(rate)(torch.ones(1000)).isfinite().all()


class TestRefusal:
    @pytest.mark.parametrize(
        ("shape", "stated", "said"),
        [
            ((8, 8), {"depth": 4}, "at most 3 for 8 x 8 pixels; got 4"),
            ((28, 28), {"depth": 5}, "at most 4 for 28 x 28 pixels; got 5"),
            ((3, 32, 12), {"depth": 4}, "at most 3 for 32 x 12 pixels; got 4"),
            ((20,), {}, "model cnn needs images"),
            ((8, 8), {"residual": "plain"}, 'residual must be "none" with model cnn'),
        ],
    )
    def test_what_it_cannot_be_trained_on(
        self, shape: tuple[int, ...], stated: dict[str, object], said: str
    ) -> None:
        told = models.misfits("cnn", {name: [value] for name, value in stated.items()}, shape)
        assert len(told) == 1
        assert said in told[0]
        with pytest.raises(ValueError, match="cnn"):
            build(shape, **stated)  # type: ignore[arg-type]

    @pytest.mark.parametrize(("shape", "most"), [((8, 8), 3), ((28, 28), 4), ((3, 32, 32), 5)])
    def test_the_most_blocks_end_at_a_single_pixel(self, shape: tuple[int, ...], most: int) -> None:
        network = build(shape, depth=most, width=2)
        assert network(torch.rand(2, *shape)).shape == (2, 10)
        assert not models.misfits("cnn", {"depth": [1, most]}, shape)

    def test_other_models_have_nothing_to_say(self) -> None:
        assert models.misfits("mlp", {"depth": [50]}, (20,)) == []


class TestMemory:
    def test_more_of_anything_takes_more(self) -> None:
        hp = Hyperparameters(depth=3, width=16)
        small = num_values(hp, (28, 28))
        for changes in ({"width": 32}, {"batch_size": 128}):
            assert num_values(replace(hp, **changes), (28, 28)) > small  # type: ignore[arg-type]
        assert num_values(hp, (3, 32, 32)) > small > models.num_values("mlp", hp, (28, 28))

    @pytest.mark.parametrize("shape", [(8, 8), (3, 32, 32)])
    def test_its_weights_are_all_counted_but_biases_norms_and_the_output(
        self, shape: tuple[int, ...]
    ) -> None:
        hp = Hyperparameters(depth=3, width=16, batch_size=1)
        one, two = num_values(hp, shape), num_values(replace(hp, batch_size=2), shape)
        hidden = layers(build(shape, width=16))[:-1]
        assert 2 * one - two == sum(layer.weight.numel() for layer in hidden)


class TestStack:
    def trained(self, data: StackData, part: range | None = None) -> tuple[Stack, list[list[float | None]]]:
        stack = Stack.make("cnn", SMALL, data, seeds=SEEDS, part=part)
        epochs = list(train(stack, epochs=2, layers_at=(0, 2)))
        assert [len(record.layers) for record in epochs[0]] == [6] * len(stack.seeds)
        return stack, [[record.val_loss for record in records] for records in epochs[1:]]

    def test_parts_come_to_what_the_whole_comes_to(self, few_digits: StackData) -> None:
        whole, losses = self.trained(few_digits)
        assert losses == self.trained(few_digits)[1]
        (first, own), (rest, theirs) = (
            self.trained(few_digits, range(1)),
            self.trained(few_digits, range(1, 3)),
        )
        assert [a + b for a, b in zip(own, theirs, strict=True)] == losses
        for name, tensor in whole.model.state_dict(2).items():
            assert torch.equal(rest.model.state_dict(1)[name], tensor)
        assert list(first.model.state_dict(0)) == list(whole.model.state_dict(0))

    def test_it_learns(self, few_digits: StackData) -> None:
        stack = Stack.make("cnn", replace(SMALL, dropout=0.0, width=8), few_digits, seeds=SEEDS)
        *_, last = train(stack, epochs=8)
        assert all((record.val_accuracy or 0) > 0.6 for record in last)
