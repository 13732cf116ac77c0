"""A user's own training loop: the data that it gets, and checks of what it yields."""

import math
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from types import FrameType
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from trainables.base.errors import TrainableError
from trainables.base.metrics import COLUMNS, TEST, VALIDATION, Metric
from trainables.data.stack_data import StackData
from trainables.gradients.measured_epoch import ReplicateMeasures

Loop: TypeAlias = Callable[..., Iterator[Mapping[str, Any]]]
"""`train(hyperparameters, data, seed)` yields one dict of metrics per epoch, as many as `data.epochs`.
With a fourth parameter, `state=None`, it can resume after an interruption: `state` is then what it yielded last as
`checkpoint`. Python's, NumPy's and torch's global generators are seeded for it; on resuming they are restored to their
state at that yield, when it reads `data.epochs` to begin its epochs. `seed` is below 2**32, which every library
accepts. A loop without `state` is started over, with the same numbers if it is deterministic.
"""

CHECKPOINT, GRADIENTS, INITIAL = "checkpoint", "gradients", "initial_gradients"
WEIGHTS = "weights"
"""Entries of a yielded dict besides numbers: a state to resume from, what `watch` measured, and the weights, of which
the last ones of the best configuration are kept."""


class LoopError(TrainableError, ValueError):
    """A training loop does not follow the interface."""


@dataclass(frozen=True, kw_only=True)
class Part:
    """The examples of one part of a block: inputs (examples, features) and targets (examples,)."""

    inputs: NDArray[Any]
    targets: NDArray[Any]

    def __len__(self) -> int:
        """Return the number of examples."""
        return len(self.targets)


class LoopData:
    """The data of one replicate: the parts of its block, scaled by the training part if the dataset is scaled.

    `test` is None except in the last epoch of the confirm phase: so the test part is read once, and never in the
    search. `epochs` is the number of dicts to yield; `classes` is empty if targets are real numbers; `input_shape` is
    an example's shape before flattening.
    """

    def __init__(
        self,
        data: StackData,
        replicate: int,
        *,
        block: int,
        epochs: int,
        on_epochs_read: Callable[[FrameType], None] = lambda reader: None,
    ) -> None:
        """Take one replicate's share of a stack's data; `on_epochs_read` is called with the frame reading `epochs`."""
        self._epochs, self._on_epochs_read = epochs, on_epochs_read
        self._data = data.part(range(replicate, replicate + 1))
        self.train = self._part(self._data.train)
        self.validation = self._part(self._data.validation)
        self.test: Part | None = None
        self.block = block
        self.classes, self.input_shape = data.classes, data.input_shape

    @property
    def epochs(self) -> int:
        """The number of dicts to yield: `for epoch in range(start, data.epochs)` begins the epochs."""
        self._on_epochs_read(sys._getframe(1))
        return self._epochs

    def hand_out_test(self) -> None:
        """Make the test part available."""
        self.test = self._part(self._data.test)

    def _part(self, rows: Tensor) -> Part:
        inputs, targets = self._data.gather(rows)[0], self._data.targets[rows[0]]
        return Part(inputs=inputs.cpu().numpy(), targets=targets.cpu().numpy())


@dataclass(frozen=True, kw_only=True)
class LoopOutput:
    """What a loop yielded for one epoch: numbers by name, measured gradients, and a state to resume from.

    `weights` are not copied: a loop that trains on may change them.
    """

    numbers: Mapping[str, float]
    gradients: ReplicateMeasures | None = None
    initial: ReplicateMeasures | None = None
    state: Any = field(default=None, repr=False)
    weights: Mapping[str, Any] | None = field(default=None, repr=False)

    def has_diverged(self, primary: str) -> bool:
        """Return whether the primary metric is not finite, on either part."""
        scores = [
            self.numbers[part + primary] for part in (VALIDATION, TEST) if part + primary in self.numbers
        ]
        return not all(map(math.isfinite, scores))


def required_metrics(metrics: Sequence[Metric]) -> tuple[str, ...]:
    """Return the metrics that a loop must yield for each part: a study's own, else loss and accuracy."""
    return tuple(metric.name for metric in metrics) or COLUMNS


def read(yielded: Any, names: Sequence[str], *, epoch: int, has_test: bool) -> LoopOutput:
    """Return a checked epoch of a loop; raise LoopError that says what is wrong with `yielded`."""
    if not isinstance(yielded, Mapping):
        raise LoopError(
            f"train() must yield a dict of metrics an epoch; in epoch {epoch} it yielded {yielded!r:.80}"
        )
    rest = dict(yielded)
    state, weights = rest.pop(CHECKPOINT, None), _weights(rest.pop(WEIGHTS, None))
    gradients, initial = (_measures(rest.pop(name, None), name) for name in (GRADIENTS, INITIAL))
    numbers = {_name(name): _number(name, value, epoch) for name, value in rest.items()}
    _check_names(numbers, names, epoch=epoch, has_test=has_test)
    return LoopOutput(numbers=numbers, gradients=gradients, initial=initial, state=state, weights=weights)


def _check_names(numbers: Mapping[str, float], names: Sequence[str], *, epoch: int, has_test: bool) -> None:
    parts = (VALIDATION, TEST) if has_test else (VALIDATION,)
    missing = [part + name for part in parts for name in names if part + name not in numbers]
    if missing:
        why = (
            "data.test is there now, in the last epoch of the confirm phase"
            if has_test
            else "each epoch has it"
        )
        raise LoopError(
            f"train() must yield {' and '.join(missing)} in epoch {epoch} ({why}); it yielded {', '.join(numbers)}"
        )
    early = [] if has_test else [name for name in numbers if name.startswith(TEST)]
    if early:
        raise LoopError(
            f"train() yielded {early[0]} in epoch {epoch}, where data.test is None: the test part is read once, in the "
            "last epoch of the confirm phase; yield it only if data.test is not None"
        )


def _name(name: Any) -> str:
    if not (isinstance(name, str) and name.isidentifier()):
        raise LoopError(
            f"train() must name its metrics as one names a variable, such as val_rmse; got {name!r:.80}"
        )
    return name


def _number(name: str, value: Any, epoch: int) -> float:
    if value is None:
        return math.nan
    try:
        return float(value.item() if isinstance(value, Tensor | np.ndarray) else value)
    except (TypeError, ValueError, RuntimeError) as error:
        raise LoopError(f"train() must yield numbers; {name} in epoch {epoch} is {value!r:.80}") from error


def _weights(value: Any) -> Mapping[str, Any] | None:
    """Return the yielded weights (tensors or NumPy arrays by name); raise LoopError if they are something else."""
    if value is None:
        return None
    if isinstance(value, Mapping) and value:
        wrong = [
            name
            for name, each in value.items()
            if not (isinstance(name, str) and isinstance(each, Tensor | np.ndarray))
        ]
        if not wrong:
            return value
        value = {wrong[0]: value[wrong[0]]}
    raise LoopError(
        f"train() must yield as weights what model.state_dict() returns, tensors or arrays by name; got {value!r:.80}"
    )


def _measures(value: Any, name: str) -> ReplicateMeasures | None:
    if value is None or isinstance(value, ReplicateMeasures):
        return value
    raise LoopError(f"{name} must be what end_epoch() of a watch returns; got {value!r:.80}")
