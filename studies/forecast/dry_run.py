"""Tries out a user's own networks before training: each level once, forward and backward on one batch."""

import time
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import torch
from torch import nn

from search_spaces import Value
from studies.base.errors import UsageError
from studies.base.messages import show
from studies.definition.ranges import ends
from studies.forecast.pilot import amid_ranges
from studies.planning.plan import Plan
from studies.user_files.interface_checks import place_of
from studies.user_files.loader import naming_file
from trainables.base.hyperparameters import Hyperparameters
from trainables.base.seeds import derive_seed
from trainables.data.dataset import Dataset
from trainables.data.splits import split_block
from trainables.data.stack_data import StackData
from trainables.training.loop import run_steps
from trainables.training.stack import Stack
from trainables.user_code.code import UserCode
from trainables.user_code.random_numbers import generators_kept

BUILT_WITH = ("depth", "width", "activation", "dropout", "batch_norm", "init", "init_gain", "residual")
"""Hyperparameters that only the code that builds a network can apply."""

MAX_EXAMPLES = 64
"""Most examples in the batch that a network is tried on."""

MAX_SECONDS = 20.0
"""After this time no further setting is tried."""

_ADVICE = "Correct the file; nothing was trained."


def try_networks(plan: Plan, dataset: Dataset) -> tuple[str, ...]:
    """Build networks with each level and at the ends of each range, and train each on one batch.

    Returns warnings: hyperparameters that build() never reads, weights without a gradient, and the like. Raises
    UsageError with file and line if a network cannot be built or trained, or if the loss of every network that was
    tried is not finite before training.
    """
    code = plan.code
    assert code is not None, "only a user's own networks need trying out"
    with generators_kept():
        warnings = tuple(_warnings(plan, code, dataset))
    return tuple(f"{place_of(code, 'build')}: {warning}" for warning in warnings)


def _warnings(plan: Plan, code: UserCode, dataset: Dataset) -> Mapping[str, None]:
    """Return the warnings about the networks, each once."""
    data = _data(plan, dataset)
    read: set[str] = set()
    warnings: dict[str, None] = {}
    started, tried = time.monotonic(), list[bool]()
    for setting in _settings(plan):
        values = Hyperparameters.from_dict(plan.hyperparameters(setting), own=plan.study.hyperparameters)
        shown = ", ".join(
            f"{name} {show(value)}" for name, value in setting.items() if name in _read_by_build(plan)
        )
        is_finite, odd = _try_one(code, observed(values, read), data, f" with {shown}" if shown else "")
        warnings |= dict.fromkeys(odd)
        tried.append(is_finite)
        if time.monotonic() - started > MAX_SECONDS:
            break
    else:
        warnings |= dict.fromkeys(_unread(plan, read))
    if not any(tried):
        raise UsageError([_never_finite(code, dataset, len(tried))], _ADVICE)
    return warnings


def _never_finite(code: UserCode, dataset: Dataset, num_tried: int) -> str:
    each = "its network's loss" if num_tried == 1 else f"the loss of each of the {num_tried} networks tried"
    largest = float(np.nanmax(np.abs(dataset.inputs), initial=0))
    scale = f'; inputs are as large as {largest:.3g}, and load() can ask for "scale": True' * (largest > 1000)
    return f"{place_of(code, 'build')}: build(): {each} is not finite before any training{scale}"


def _data(plan: Plan, dataset: Dataset) -> StackData:
    split = split_block(dataset.targets, seed=plan.seed, block=0, official_test=dataset.official_test)
    return StackData.make(dataset, [split, split], torch.device("cpu"))


def _settings(plan: Plan) -> Iterator[Mapping[str, Value]]:
    """Yield the first levels with nuisances in the middle of their ranges, then each other level and range end."""
    first: dict[str, Value] = {name: levels[0] for name, levels in plan.study.factors.items()}
    base = {**first, **amid_ranges(plan, first)}
    yield base
    for name, levels in plan.study.factors.items():
        for level in levels[1:]:
            changed = {**first, name: level}
            yield {**changed, **amid_ranges(plan, changed)}
    for name, range_ in plan.study.nuisance_distributions(first).items():
        if name in _read_by_build(plan):
            yield from ({**base, name: end} for end in ends(range_))


def _read_by_build(plan: Plan) -> tuple[str, ...]:
    return (*BUILT_WITH, *plan.study.hyperparameters)


def _try_one(
    code: UserCode, hp: Hyperparameters, data: StackData, setting: str
) -> tuple[bool, tuple[str, ...]]:
    """Train two networks on one batch; return whether their loss was finite at first, and the warnings about them."""

    def build(*arguments: Any) -> nn.Module:
        module = code.build(*arguments)
        if not isinstance(module, nn.Module):
            raise UsageError(
                [f"build() must return a torch.nn.Module; got a {type(module).__name__}"], _ADVICE
            )
        return module

    with naming_file(code, f"build(){setting}: ", at=place_of(code, "build")):
        seeds = [derive_seed(0, "try", place) for place in range(2)]
        stack = Stack.make("own", hp, data, seeds=seeds, build=build)
        initial = stack.model.parameters.values.clone()
        rows = data.train[:, : min(MAX_EXAMPLES, hp.batch_size)]
        with torch.no_grad():
            losses = run_steps(stack, [rows])[0]
            logits = stack.model.forward(data.gather(rows), training=False)
    odd = list(_oddities(stack, initial))
    is_finite = bool(losses.isfinite().all())
    if not is_finite:
        odd.insert(0, f"build(){setting}: its network's loss is not finite before any training")
    elif not bool(logits.isfinite().all()):
        odd.insert(0, f"build(){setting}: its network gives values that are not finite after one step")
    return is_finite, tuple(odd)


def _oddities(stack: Stack, initial: torch.Tensor) -> Iterator[str]:
    parameters = stack.model.parameters
    idle = [name for name in parameters.names if not bool(parameters.gradient(name).any())]
    if idle:
        yield f"build(): no gradient reaches {', '.join(idle[:5])}{' and others' if idle[5:] else ''}"
    rest = initial[len(initial) - parameters.gradient_runs[-1].numel() :].view(1, 2, -1)
    runs = [*parameters.weight_runs(initial), rest]
    if all(torch.equal(run[:, 0], run[:, 1]) for run in runs):
        yield "build(): replicates start with the same weights: leave their seed to Studies"


def _unread(plan: Plan, read: set[str]) -> Iterator[str]:
    """Yield a warning for each hyperparameter of the study that build() never read."""
    study = plan.study
    unread = [name for name in _read_by_build(plan) if name not in read]
    for name in unread:
        if name in study.factors:
            yield f"factors.{name}: build() never reads hyperparameters.{name}, so that its levels do not differ"
        elif name in study.nuisances:
            yield f"nuisances.{name}: build() never reads hyperparameters.{name}, so that tuning it changes nothing"
        elif name in study.fixed:
            yield f"fixed.{name}: build() never reads hyperparameters.{name}, so that it has no effect"
        elif name in study.hyperparameters:
            yield f"hyperparameters.{name}: build() never reads it"


def observed(hyperparameters: Hyperparameters, read: set[str]) -> Hyperparameters:
    """Return equal hyperparameters that add the name of each one that is read to `read`."""
    own = hyperparameters.own
    everything = {*hyperparameters.__dataclass_fields__, *own}

    class Observed(Hyperparameters):
        def __getattribute__(self, name: str) -> Any:
            if name in own:
                read.add(name)
                return own[name]
            read.update({"own": own, "__dict__": everything}.get(name, [name]))
            return super().__getattribute__(name)

    copy: Hyperparameters = object.__new__(Observed)
    object.__getattribute__(copy, "__dict__").update(vars(hyperparameters))
    return copy
