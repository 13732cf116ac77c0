"""Whole epochs in kernels are those of plain torch networks of any shape, dropout's masks included."""

import itertools
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from tests.trainables.kernels import called
from tests.trainables.rounding import nudged
from tests.trainables.small import values
from tests.trainables.twin import Residual, named_as_in_stack, plain_network, plain_scores, train_plain
from trainables.base.hyperparameters import Hyperparameters
from trainables.base.seeds import derive_seed
from trainables.data.stack_data import StackData
from trainables.kernels import compiling
from trainables.training.compiled_step import CompiledStep
from trainables.training.evaluation import evaluate
from trainables.training.loop import train
from trainables.training.stack import Stack

pytestmark = [
    pytest.mark.numeric,
    pytest.mark.usefixtures("by_kernels"),
    pytest.mark.skipif(not compiling.HAS_NUMBA, reason="nothing can be compiled"),
]

SEEDS = (5, 6, 7)
EPOCHS = 2
CLOSE = 1e-7
"""Batch norms over two or three examples enlarge rounding more than those of any network that learns."""
UNSTEADY = 1e-9
"""Where a last bit of the first weights makes so much of a difference, it may make any, as where the two examples of
a batch norm almost agree: such a replicate says nothing of the arithmetic."""


def made(num_rows: int, features: int, classes: int, *, seed: int = 0, training_rows: int = 20) -> StackData:
    """Return random examples in float64, of which each of three replicates has a selection."""
    generator = np.random.default_rng(seed)

    def rows(count: int) -> Tensor:
        chosen = [generator.choice(num_rows, count, replace=False) for _ in SEEDS]
        return torch.from_numpy(np.stack(chosen))

    return StackData(
        inputs=torch.from_numpy(generator.standard_normal((num_rows, features))),
        targets=torch.from_numpy(generator.integers(0, classes, num_rows)),
        train=rows(training_rows),
        validation=rows(num_rows // 2),
        test=rows(num_rows // 2),
        num_classes=classes,
    )


class Mask(nn.Module):
    """Dropout by the words that a layer of one network gets in each step of its epochs."""

    def __init__(self, rate: float, *, layer: int, place: int, steps: int) -> None:
        super().__init__()
        self.kept, self.layer, self.place, self.steps = round((1 - rate) * 65536), layer, place, steps
        self.step = itertools.count()

    def forward(self, inputs: Tensor) -> Tensor:
        """Return inputs (examples, units) times the mask."""
        if not self.training:
            return inputs
        epoch, step = divmod(next(self.step), self.steps)
        key, units = derive_seed(SEEDS[0], "dropout", epoch + 1), inputs.shape[1]
        words = np.empty(-(-inputs.numel() // 8) * 4, np.uint32)
        counters = key & 0xFFFFFFFF, key >> 32 & 0xFFFFFFFF, self.layer, step, self.place
        called.fill_words(words, *map(np.uint32, counters))
        bits = words.view(np.uint16)[: inputs.numel()].reshape(units, -1).T
        return inputs * torch.from_numpy(np.where(bits < self.kept, 65536 / self.kept, 0.0))


def put_masks(network: nn.Sequential, rate: float, *, place: int, steps: int) -> None:
    """Replace the network's dropout by the kernels' own masks."""
    *blocks, _ = network.children()
    for layer, block in enumerate(blocks):
        branch = block.branch if isinstance(block, Residual) else block
        assert isinstance(branch, nn.Sequential)
        branch[-1] = Mask(rate, layer=layer, place=place, steps=steps)


def plain_outcome(
    twin: nn.Sequential, hp: Hyperparameters, data: StackData, *, replicate: int, has_ties: bool
) -> Tensor:
    """Return all that training a plain network comes to: its scores, then its parameters."""
    steps = -(-data.train.shape[1] // hp.batch_size)
    if hp.dropout:
        put_masks(twin, hp.dropout, place=replicate, steps=steps)
    history = train_plain(twin, hp, data, replicate=replicate, seed=SEEDS[replicate], epochs=EPOCHS)
    scores = plain_scores(twin, data, data.test[replicate])
    return outcome([*history, scores], named_as_in_stack(twin), has_ties=has_ties)


def outcome(
    scores: Sequence[Sequence[float | None]], parameters: Mapping[str, Tensor], *, has_ties: bool
) -> Tensor:
    """Return scores, without accuracies where logits have ties, which rounding breaks, and parameters, in one row."""
    compared = [value for each in scores for value in each[:: 2 if has_ties else 1]]
    flat = [parameters[name].detach().flatten() for name in sorted(parameters)]
    return torch.cat([torch.tensor(compared, dtype=torch.float64), *flat])


def difference(found: Tensor, expected: Tensor) -> float:
    """Return the largest difference, relative to numbers above 1."""
    return float(((found - expected).abs() / expected.abs().clamp(min=1.0)).max())


def assert_equals_plain(hp: Hyperparameters, data: StackData, *, has_ties: bool = False) -> None:
    """Compare everything with plain networks, but for replicates in which rounding decides."""
    stack = Stack.make("mlp", hp, data, seeds=SEEDS)
    assert isinstance(stack.step, CompiledStep)
    twins = [plain_network(stack, replicate) for replicate in range(len(SEEDS))]
    history = list(train(stack, epochs=EPOCHS))
    test_loss, test_accuracy = evaluate(stack.model, data, data.test)
    for replicate, twin in enumerate(twins):
        other = nudged(twin)
        expected = plain_outcome(twin, hp, data, replicate=replicate, has_ties=has_ties)
        state, learnt = stack.model.state_dict(replicate), named_as_in_stack(twin)
        scores = [
            *(values(records[replicate]) for records in history),
            (float(test_loss[replicate]), float(test_accuracy[replicate])),
        ]
        parameters = {name: state[name].view_as(learnt[name]) for name in learnt}
        found = outcome(scores, parameters, has_ties=has_ties)
        if not difference(found, expected) <= CLOSE:  # NaN is not
            of_nudge = plain_outcome(other, hp, data, replicate=replicate, has_ties=has_ties)
            assert difference(of_nudge, expected) > UNSTEADY, difference(found, expected)


@st.composite
def networks(draw: st.DrawFn) -> Hyperparameters:
    """Draw networks of 1 to 20 units a layer, in batches of 2 to 20 of 20 examples, of which none is left alone."""
    widths = draw(st.lists(st.integers(1, 20), min_size=1, max_size=3))
    if draw(st.booleans()):
        widths[1:] = [widths[0]] * (len(widths) - 1)
    changes: dict[str, Any] = {
        "activation": st.sampled_from(["relu", "tanh", "sigmoid"]),
        "batch_norm": st.booleans(),
        "residual": st.sampled_from(["none", "plain", "scaled", "zero"]),
        "dropout": st.sampled_from([0.0, 0.1, 0.5, 0.9]),
        "batch_size": st.sampled_from([2, 3, 5, 6, 7, 8, 9, 11, 20]),
        "momentum": st.sampled_from([0.0, 0.9]),
        "clip_norm": st.sampled_from([None, 0.1]),
        "label_smoothing": st.sampled_from([0.0, 0.2]),
        "weight_decay": st.sampled_from([0.0, 0.01]),
    }
    drawn = {name: draw(strategy) for name, strategy in changes.items()}
    return Hyperparameters(
        depth=len(widths), width=tuple(widths), optimizer="sgd", learning_rate=0.05, **drawn
    )


@settings(max_examples=40)
@given(hp=networks(), features=st.integers(1, 20), classes=st.integers(2, 5), seed=st.integers(0, 999))
def test_networks_of_any_shape_are_plain_ones(
    hp: Hyperparameters, features: int, classes: int, seed: int
) -> None:
    # A single unit that is dropped leaves the biases alone, some of which are equal.
    assert_equals_plain(hp, made(40, features, classes, seed=seed), has_ties=True)


@pytest.mark.parametrize("optimizer", ["adam", "adamw", "rmsprop"])
@pytest.mark.parametrize("residual", ["none", "zero"])
def test_with_dropout_every_optimizer_is_torchs(optimizer: str, residual: str) -> None:
    options: dict[str, Any] = {"optimizer": optimizer, "residual": residual, "dropout": 0.3, "clip_norm": 0.5}
    hp = Hyperparameters(depth=3, width=13, batch_size=7, learning_rate=1e-3, eps=1e-4, **options)
    assert_equals_plain(hp, made(40, 9, 3))


def test_all_examples_may_be_one_batch_and_one_example_a_network() -> None:
    assert_equals_plain(Hyperparameters(depth=2, width=5, batch_size=1), made(40, 3, 2, training_rows=1))
    assert_equals_plain(
        Hyperparameters(depth=2, width=5, batch_size=64, batch_norm=True), made(40, 3, 2, training_rows=2)
    )


@pytest.mark.parametrize("num_rows", [1, 2, 127, 128, 129, 256, 300])
@pytest.mark.parametrize("batch_norm", [False, True])
def test_evaluation_takes_any_number_of_examples(num_rows: int, batch_norm: bool) -> None:
    data = made(300, 7, 3)
    hp = Hyperparameters(depth=2, width=9, batch_norm=batch_norm, residual="plain", dropout=0.5, batch_size=5)
    stack = Stack.make("mlp", hp, data, seeds=SEEDS)
    for _ in train(stack, epochs=1):
        pass
    inputs = torch.randn(3, num_rows, 7, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    found = stack.model.forward(inputs, training=False)
    assert found.shape == (3, 3, num_rows)
    for replicate in range(3):
        twin = plain_network(stack, replicate).eval()
        norms = [module for module in twin.modules() if isinstance(module, nn.BatchNorm1d)]
        state = stack.model.state_dict(replicate)
        for layer, norm in enumerate(norms):
            norm.running_mean = state[f"blocks.{layer}.running_mean"]
            norm.running_var = state[f"blocks.{layer}.running_variance"]
        with torch.no_grad():
            torch.testing.assert_close(found[replicate].T, twin(inputs[replicate]))
