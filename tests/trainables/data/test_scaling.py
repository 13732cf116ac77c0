"""Scaling: each replicate's training part at mean 0 and variance 1, and nothing else read."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from tests.trainables.small import splits_of
from trainables import datasets
from trainables.base.hyperparameters import Hyperparameters
from trainables.data.dataset import Dataset
from trainables.data.splits import Split
from trainables.data.stack_data import StackData
from trainables.training.loop import train
from trainables.training.stack import Stack
from trainables.trials.artifact import from_bytes
from trainables.trials.reporting import train_trial_spec
from trainables.trials.trial_spec import TrialSpec

SYNTHETIC = datasets.load("synthetic")
CPU = torch.device("cpu")
BLOCKS = (0, 1)


def test_each_training_part_has_mean_zero_and_variance_one() -> None:
    data = StackData.make(SYNTHETIC, splits_of(SYNTHETIC, BLOCKS), CPU)
    gathered = data.gather(data.train).double()
    assert gathered.mean(1).abs().max() < 1e-6
    assert (gathered.var(1, correction=0) - 1).abs().max() < 1e-5
    validation = data.gather(data.validation).double()
    assert validation.mean(1).abs().max() > 0.01, "the validation part was fitted too"


def test_it_equals_scikit_learns_scaler_block_by_block() -> None:
    from sklearn.preprocessing import StandardScaler

    splits = splits_of(SYNTHETIC, BLOCKS)
    data = StackData.make(SYNTHETIC, splits, CPU)
    for replicate, split in enumerate(splits):
        scaler = StandardScaler().fit(SYNTHETIC.inputs[split.train].astype(np.float64))
        expected = scaler.transform(SYNTHETIC.inputs[split.test])
        assert data.gather(data.test)[replicate].numpy() == pytest.approx(expected, abs=1e-5)


def test_features_of_one_group_share_mean_and_deviation() -> None:
    groups = np.repeat([0, -1], 10)
    data = StackData.make(replace(SYNTHETIC, groups=groups), splits_of(SYNTHETIC, BLOCKS), CPU)
    train = data.gather(data.train).double()
    assert train[:, :, :10].mean((1, 2)).abs().max() < 1e-6
    assert train[:, :, :10].var((1, 2), correction=0).numpy() == pytest.approx(np.ones(2), abs=1e-5)
    assert (train[:, :, 10:] == data.inputs[data.train][:, :, 10:]).all()


@pytest.mark.parametrize("group", [0, -1])
@pytest.mark.parametrize("constant", [0.0, 1.0, 0.1, 1e9])
def test_a_feature_that_never_changes_in_training_says_nothing(group: int, constant: float) -> None:
    splits = splits_of(SYNTHETIC, BLOCKS)[:1]
    inputs = SYNTHETIC.inputs.copy()
    inputs[splits[0].train, 0] = constant
    groups = np.array([group, *range(1, 20)])
    data = StackData.make(replace(SYNTHETIC, inputs=inputs, groups=groups), splits, CPU)
    assert (data.gather(data.test)[0, :, 0] == 0).all()


def poisoned(split: Split) -> Dataset:
    inputs = SYNTHETIC.inputs.copy()
    inputs[split.test] = 1e9
    return replace(SYNTHETIC, inputs=inputs)


def test_a_poisoned_test_part_changes_nothing_in_training() -> None:
    split = splits_of(SYNTHETIC, BLOCKS)[0]
    hp = Hyperparameters(depth=2, width=8, batch_norm=True, learning_rate=0.01)
    records, states = [], []
    for dataset in (SYNTHETIC, poisoned(split)):
        stack = Stack.make("mlp", hp, StackData.make(dataset, [split], CPU), seeds=(3,))
        records.append(list(train(stack, epochs=2, layers_at=(0, 1, 2))))
        states.append(stack.model.state_dict(0))
    assert records[0] == records[1]
    assert all(torch.equal(states[0][name], states[1][name]) for name in states[0])


def test_a_part_of_a_stack_is_scaled_as_in_the_whole() -> None:
    data = StackData.make(SYNTHETIC, splits_of(SYNTHETIC, BLOCKS), CPU)
    second = data.part(range(1, 2))
    assert torch.equal(second.gather(second.test)[0], data.gather(data.test)[1])


def test_a_kept_network_holds_its_own_scaling() -> None:
    data = StackData.make(SYNTHETIC, splits_of(SYNTHETIC, BLOCKS), CPU)
    task = TrialSpec(
        number=1,
        model="mlp",
        objective="val_loss",
        hyperparameters=Hyperparameters(depth=1, width=4, learning_rate=0.01),
        blocks=BLOCKS,
        seeds=(1, 2),
        rungs=(1,),
        layers_at=(),
        reads_test=True,
        keeps_models=True,
    )
    *_, last = train_trial_spec(task, data, worker="here")
    assert data.scaling is not None
    for replicate, model in enumerate(last.models):
        kept = from_bytes(model)
        assert torch.equal(kept["scaling.mean"], data.scaling.mean[replicate, 0])
        assert torch.equal(kept["scaling.factor"], data.scaling.factor[replicate, 0])
