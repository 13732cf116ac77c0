"""The networks that a plan would train: how many parameters they have, and the layers of the largest."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import product
from typing import TYPE_CHECKING

from search_spaces import Value
from studies.forecast.pilot import amid_ranges
from studies.planning.plan import Plan

if TYPE_CHECKING:
    from torch import nn

    from trainables.data.dataset import Dataset

SHAPING = ("depth", "width", "activation", "dropout", "batch_norm", "residual")
"""Hyperparameters that a network's layers follow from; a user's own may, too."""

MAX_TRIED = 200
"""Most networks that are built; of a plan with more the first are."""


@dataclass(frozen=True, kw_only=True)
class NetworkSizes:
    """The fewest and the most trained parameters of a network, and torchinfo's table of the largest one."""

    fewest: int
    most: int
    layers: str


def network_sizes(plan: Plan, dataset: "Dataset") -> NetworkSizes | None:
    """Return the sizes of a plan's networks, nuisances in the middle of their ranges; None for a user's own train()."""
    if plan.loop is not None or not dataset.classes:
        return None
    from trainables.use.architecture import architecture, num_parameters
    from trainables.user_code.random_numbers import generators_kept

    shape = dataset.shape or (dataset.num_features,)
    with generators_kept():
        networks = [_network(plan, setting, shape, dataset.num_classes) for setting in _settings(plan)]
    largest = max(networks, key=num_parameters)
    return NetworkSizes(
        fewest=min(map(num_parameters, networks)),
        most=num_parameters(largest),
        layers=architecture(largest, shape),
    )


def _settings(plan: Plan) -> Iterator[Mapping[str, Value]]:
    """Yield each combination of the levels that shape a network, the others at their first level."""
    factors = plan.study.factors
    shaping = [name for name in factors if name in (*SHAPING, *plan.study.hyperparameters)]
    first: dict[str, Value] = {name: levels[0] for name, levels in factors.items()}
    for number, levels in enumerate(product(*(factors[name] for name in shaping))):
        if number == MAX_TRIED:
            return
        setting = {**first, **dict(zip(shaping, levels, strict=True))}
        yield {**setting, **amid_ranges(plan, setting)}


def _network(
    plan: Plan, setting: Mapping[str, Value], shape: tuple[int, ...], num_classes: int
) -> "nn.Module":
    from trainables import models
    from trainables.base.hyperparameters import Hyperparameters

    values = Hyperparameters.from_dict(plan.hyperparameters(setting), own=plan.study.hyperparameters)
    if plan.build is not None:
        return plan.build(values, shape, num_classes)
    return models.plain_module(plan.study.model, values, shape, num_classes)
