"""Numbers of parameters, counted by hand and as the stack that is trained has them."""

import pytest
import torch

from studies.forecast.network_sizes import network_sizes
from studies.planning.plan import Plan
from studies.study import Search, Study
from trainables import datasets, models
from trainables.base.hyperparameters import Hyperparameters
from trainables.base.mask_generator import RandomWords


def plan_of(**changes: object) -> Plan:
    """Return a plan of networks of width 8."""
    named = {
        "question": "?",
        "factors": {"depth": (1, 3), "batch_norm": (False, True)},
        "fixed": {"width": 8},
        "search": Search(trials_per_cell=1),
        **changes,
    }
    return Plan(name="sizes", study=Study(**named), dataset_fingerprint="")  # type: ignore[arg-type]


def test_the_fewest_and_the_most_parameters_are_counted_over_all_combinations() -> None:
    sizes = network_sizes(plan_of(), datasets.load("digits"))
    assert sizes is not None
    assert sizes.fewest == 64 * 8 + 8 + 8 * 10 + 10
    assert sizes.most == 64 * 8 + 2 * 8 * 8 + 3 * 2 * 8 + 8 * 10 + 10
    assert f"Total params: {sizes.most:,}" in sizes.layers
    assert sizes.layers.count("BatchNorm1d") == 3


@pytest.mark.parametrize("residual", ["none", "plain", "zero"])
def test_the_plain_network_has_as_many_parameters_as_one_of_the_stack(residual: str) -> None:
    hyperparameters = Hyperparameters(depth=4, width=8, batch_norm=True, residual=residual)
    plain = models.plain_module("mlp", hyperparameters, (64,), 10)
    stack = models.build(
        "mlp",
        hyperparameters,
        num_features=64,
        num_classes=10,
        init_seeds=[1, 2],
        words=RandomWords(torch.Generator(), first=0, whole=2),
        device=torch.device("cpu"),
        dtype=torch.float32,
    )
    assert sum(parameter.numel() for parameter in plain.parameters()) == stack.parameters.values.numel() // 2


def test_a_convolutional_network_of_images() -> None:
    plan = plan_of(model="cnn", factors={"depth": (1, 2)}, fixed={"width": 4})
    sizes = network_sizes(plan, datasets.load("digits"))
    assert sizes is not None
    assert "Conv2d" in sizes.layers
    assert sizes.fewest < sizes.most
