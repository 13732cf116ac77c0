"""The network of a plain script computes what the study's network computes, from weights drawn alike."""

from typing import Any

import pytest
import torch
from torch import nn

from tests.studies.exchange.recipes import recipe, run_as_module
from tests.trainables.small import splits_of
from tests.trainables.twin import named_as_in_stack, plain_network
from trainables import datasets
from trainables.data.stack_data import StackData
from trainables.models.cnn import build_module
from trainables.training.stack import Stack

FORMS: list[dict[str, Any]] = [
    {},
    {"batch_norm": True, "dropout": 0.3},
    {"activation": "tanh", "init": "fitting"},
    {"activation": "sigmoid", "init": "xavier_normal", "init_gain": 2.0},
    {"width": (16, 8, 8, 4), "depth": 4, "init": "default"},
    {"residual": "plain", "depth": 4},
    {"residual": "scaled", "depth": 4, "batch_norm": True},
    {"residual": "zero", "width": (16, 16, 8, 8), "depth": 4},
]


def stack_of(form: dict[str, Any]) -> Stack:
    data = StackData.make(
        datasets.load("digits"), splits_of(datasets.load("digits"), [0]), torch.device("cpu")
    )
    return Stack.make("mlp", recipe(**form).hyperparameters, data, seeds=[5])


def learnt(network: nn.Module) -> list[nn.Parameter]:
    """Return the parameters of a script's network in the order of its layers, skips' factors apart."""
    return [value for name, value in network.named_parameters() if not name.startswith("factors")]


@pytest.mark.parametrize("form", FORMS, ids=str)
def test_with_the_same_weights_it_gives_the_same_logits_and_gradients(form: dict[str, Any]) -> None:
    stack = stack_of(form)
    twin = plain_network(stack, 0)
    network = run_as_module(recipe(**form))["Network"]()
    theirs = named_as_in_stack(twin)
    factors = [value for name, value in theirs.items() if name.endswith("factor")]
    others: list[torch.Tensor] = [
        value
        for value in twin.parameters()
        if value.requires_grad and all(value is not factor for factor in factors)
    ]
    with torch.no_grad():
        for own, value in zip(learnt(network), others, strict=True):
            own.copy_(value)
        places = [index for index in range(len(network.blocks)) if f"blocks.{index}.factor" in theirs]
        for place, value in zip(places, factors, strict=True):
            value.fill_(0.7)
            network.factors[place].fill_(0.7)
    inputs = stack.data.inputs[:50]
    network.eval()
    twin.eval()
    torch.testing.assert_close(network(inputs), twin(inputs))
    assert [tuple(h.shape) for h in network.hidden] == [(50, width) for width in stack.hyperparameters.widths]


@pytest.mark.parametrize("form", FORMS, ids=str)
def test_its_first_weights_are_drawn_as_the_studys(form: dict[str, Any]) -> None:
    wide = {**form, "width": 256, "depth": 3}
    space = run_as_module(recipe(**wide))
    torch.manual_seed(3)
    network = space["Network"]()
    space["initialise"](network)
    twin = plain_network(stack_of(wide), 0)
    own = [layer for layer in network.modules() if isinstance(layer, nn.Linear)]
    theirs = [layer for layer in twin.modules() if isinstance(layer, nn.Linear)]
    for layer, expected in zip(own, theirs, strict=True):
        weight, wanted = layer.weight.detach(), expected.weight.detach()
        assert float(weight.std()) == pytest.approx(float(wanted.std()), rel=0.1)
        assert (float(weight.abs().max()) > 2 * float(weight.std())) == (form.get("init") != "default")
        assert (layer.bias is None) == (expected.bias is None)
        assert layer.bias is None or not layer.bias.any()


@pytest.mark.parametrize("batch_norm", [False, True])
def test_a_convolutional_network_computes_the_same(batch_norm: bool) -> None:
    form: dict[str, Any] = {"model": "cnn", "batch_norm": batch_norm, "dropout": 0.4, "width": 8}
    given = recipe(**form)
    network = run_as_module(given)["Network"]().eval()
    theirs = build_module(given.hyperparameters, (8, 8), 10).eval()
    with torch.no_grad():
        for own, value in zip(network.parameters(), theirs.parameters(), strict=True):
            own.copy_(value)
    images = torch.rand(5, 1, 8, 8)
    torch.testing.assert_close(network(images), theirs(images))
    assert len(network.hidden) == 4
