"""Watching a loop of one's own gives the records that a stack gives, and changes nothing in it."""

import dataclasses

import pytest
import torch
from torch import nn

from tests.trainables.modules import Picture, build_picture, plain_picture
from tests.trainables.rounding import SAME
from tests.trainables.signals import in_float64
from trainables.base.hyperparameters import Hyperparameters
from trainables.base.records import LayerRecord
from trainables.data.stack_data import StackData
from trainables.training.loop import epoch_order, train
from trainables.training.stack import Stack
from trainables.watch import Watch, watch

pytestmark = pytest.mark.numeric

HP = Hyperparameters(optimizer="sgd", learning_rate=0.05, batch_norm=True, clip_norm=0.5, batch_size=40)
SEED = 11


def one_replicate(data: StackData) -> StackData:
    return dataclasses.replace(data, train=data.train[:1], validation=data.validation[:1], test=data.test[:1])


def train_epoch(network: Picture, optimizer: torch.optim.Optimizer, data: StackData, epoch: int) -> None:
    network.train()
    rows = data.train[0][epoch_order(SEED, epoch, data.train.shape[1])]
    for batch in torch.split(rows, HP.batch_size):
        optimizer.zero_grad()
        logits = network(data.inputs[batch].view(-1, 8, 8))
        torch.autograd.backward(nn.functional.cross_entropy(logits, data.targets[batch]))
        nn.utils.clip_grad_norm_(network.parameters(), 0.5)
        optimizer.step()
    network.eval()
    with torch.no_grad():
        network(data.inputs[:3].view(-1, 8, 8))


def made(dtype: torch.dtype = torch.float32) -> tuple[Picture, torch.optim.Optimizer]:
    network = plain_picture(HP, SEED).to(dtype)
    return network, torch.optim.SGD(network.parameters(), lr=HP.learning_rate, momentum=HP.momentum)


def told(record: LayerRecord) -> list[float | None]:
    return list(dataclasses.asdict(record).values())


def test_records_are_those_of_a_stack(digits: StackData) -> None:
    data = one_replicate(in_float64(digits))
    stack = Stack.make("own", HP, data, seeds=(SEED,), build=build_picture)
    expected = [records[0] for records in train(stack, epochs=2, layers_at=(1, 2))]
    network, optimizer = made(torch.float64)
    with watch(network, optimizer, clip_norm=0.5) as watched:
        for epoch, record in enumerate(expected, start=1):
            train_epoch(network, optimizer, data, epoch)
            measures = watched.end_epoch()
            assert measures.metrics == pytest.approx(record.metrics)
            for layer, mine in zip(record.layers, measures.layers, strict=True):
                if (
                    epoch == 1
                ):  # how many steps there will be is not known, so that moments are of all of them
                    mine = dataclasses.replace(
                        mine, activation_mean=layer.activation_mean, activation_std=layer.activation_std
                    )
                assert told(mine) == pytest.approx(told(layer), rel=SAME)
    assert measures.metrics["clip_fraction"] > 0


def test_watching_changes_no_number_and_leaves_no_hook(digits: StackData) -> None:
    def trained(*, is_watched: bool) -> dict[str, torch.Tensor]:
        network, optimizer = made()
        if is_watched:
            with watch(network, optimizer):
                train_epoch(network, optimizer, one_replicate(digits), 1)
        else:
            train_epoch(network, optimizer, one_replicate(digits), 1)
        hooks = [m._forward_pre_hooks or m._forward_hooks for m in network.modules()]
        assert not any(hooks)
        return network.state_dict()

    plain = trained(is_watched=False)
    assert all(torch.equal(value, plain[name]) for name, value in trained(is_watched=True).items())


def backward(network: nn.Module) -> None:
    torch.autograd.backward(network(torch.ones(5, 4)).square().sum())


@pytest.fixture
def small() -> tuple[nn.Sequential, Watch, torch.optim.Optimizer]:
    network = nn.Sequential(nn.Linear(4, 4), nn.Tanh(), nn.Linear(4, 3), nn.Linear(3, 2))
    optimizer = torch.optim.Adam(network.parameters(), lr=0.01)
    return network, watch(network, optimizer), optimizer


Small = tuple[nn.Sequential, Watch, torch.optim.Optimizer]


def test_an_initialisation_is_a_backward_pass_without_a_step(small: Small) -> None:
    network, watched, _ = small
    backward(network)
    measures = watched.end_epoch()
    assert [layer.update_ratio for layer in measures.layers] == [None, None]
    weight = next(network.parameters())
    assert weight.grad is not None
    assert measures.layers[0].grad_l2 == pytest.approx(float(weight.grad.norm()), rel=1e-5)
    assert measures.layers[0].weight_rms == pytest.approx(float(weight.detach().square().mean().sqrt()))


def test_gradients_that_add_up_count_as_one_step(small: Small) -> None:
    network, watched, optimizer = small
    backward(network)
    backward(network)
    optimizer.step()
    gradient = network.get_parameter("2.weight").grad
    assert gradient is not None
    measures = watched.end_epoch()
    assert measures.layers[1].grad_l2 == pytest.approx(float(gradient.norm()), rel=1e-5)
    assert measures.layers[1].update_ratio is not None
    assert measures.layers[1].update_ratio > 0


def test_an_epoch_without_a_backward_pass_is_an_error(small: Small) -> None:
    network, watched, _ = small
    with pytest.raises(ValueError, match="no backward pass in training mode"):
        watched.end_epoch()
    backward(network)
    watched.end_epoch()
    with pytest.raises(ValueError, match="no backward pass in training mode"):
        watched.end_epoch()


def test_a_pass_that_fails_does_not_disturb_the_next(small: Small) -> None:
    network, watched, _ = small
    with pytest.raises(RuntimeError, match="shapes cannot be multiplied"):
        network(torch.ones(5, 3))
    backward(network)
    assert len(watched.end_epoch().layers) == 2
