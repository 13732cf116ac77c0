"""The parts of a study: its search and confirm phases, smallest effects, and thresholds of the verdicts."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from optuna.distributions import BaseDistribution

from search_spaces import Value
from trainables.base.metrics import Metric as Metric  # for the files of studies

Nuisance: TypeAlias = BaseDistribution | Mapping[str, BaseDistribution] | Mapping[str, Any]
"""The range of a nuisance: one of Optuna's distributions, or its plain form such as {"low": 1e-4, "high": 0.1,
"log": True} or {"choices": [32, 64]}; where the range differs by optimizer, a mapping from optimizer to range."""


MOST_BLOCKS = 80
"""The last look that is planned by default: by then nearly every question of the studies that we ship is answered."""
MIN_BLOCKS_OF_LOOKS = 10
"""With fewer blocks no claim passes the gates, so that a look there could close nothing."""


@dataclass(frozen=True, kw_only=True)
class Search:
    """The search phase: how many trials, who proposes them, and the epochs (rungs) at which ASHA compares them.

    A study with cells states `trials_per_cell`, one without them `trials` and `trials_per_cell=None`.

    >>> from studies import Search
    >>> Search(trials_per_cell=4, rungs=(3, 9)).sampler
    'qmc'
    """

    trials_per_cell: int | None = 6
    trials: int | None = None
    rungs: tuple[int, ...] = (6, 18)
    reduction_factor: int = 3
    sampler: str = "qmc"


@dataclass(frozen=True, kw_only=True)
class Confirm:
    """The confirm phase: its epochs; without cells, how many of the best are confirmed, against which default.

    `default` gives the values of factors and nuisances that the best are compared with; those it leaves out take
    their space's default. If it is empty, no default is trained.

    >>> from studies import Confirm
    >>> Confirm(epochs=30).best
    3
    """

    epochs: int = 18
    best: int = 3
    default: Mapping[str, Value] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class SmallestEffect:
    """The smallest differences worth acting on: log-loss in nats, error as a fraction.

    >>> from studies import SmallestEffect
    >>> SmallestEffect(log_loss=0.05)
    SmallestEffect(log_loss=0.05, error=0.005)
    """

    log_loss: float = 0.02
    error: float = 0.005

    def __eq__(self, other: object) -> bool:
        """Whether the differences are the same, declared or not."""
        if not isinstance(other, SmallestEffect):
            return NotImplemented
        return (self.log_loss, self.error) == (other.log_loss, other.error)


@dataclass(frozen=True, kw_only=True, eq=False)
class DefaultSmallestEffect(SmallestEffect):
    """The smallest effect of a study that declares none: it names no effect that matters to anybody in particular."""


@dataclass(frozen=True, kw_only=True)
class ErrorShares:
    """What each family of claims may spend of the error rate of a report; together at most .05.

    At most the sum of them is the share of studies whose page says anything false. The shares at best are divided by
    the number of looks.

    >>> from studies import ErrorShares
    >>> ErrorShares(interactions=0.0).loss_at_best
    0.025
    """

    loss_at_best: float = 0.025
    """The primary outcome, each level at its best cell, and the comparison with a linear model."""
    error_rate_at_best: float = 0.0025
    averages: float = 0.0075
    """The primary outcome, averaged over the other factors."""
    simple_effects: float = 0.005
    """The primary outcome at one level of another factor."""
    interactions: float = 0.005
    growth: float = 0.0025
    """Growth of gradients at initialisation: averages, simple effects and interactions together."""
    beyond_sample: float = 0.0025
    """What is said of new data from the same source."""


@dataclass(frozen=True, kw_only=True)
class Thresholds:
    """Above which values a network's training is called unstable; each verdict's rule names its threshold.

    DIVERGED has none. EXPLODING: total growth above `total_growth`, or growth per layer above `growth` with total
    growth above `growth_total`; VANISHING is its mirror.

    >>> from studies import Thresholds
    >>> Thresholds(total_growth=1000.0).spike_rate
    0.01
    """

    blown_up: float = 2.0
    """BLOWN UP: training loss over its initial value."""
    untrained: float = 0.95
    """UNTRAINED: final training loss over ln C, the loss of guessing."""
    total_growth: float = 100.0
    growth: float = 1.6
    growth_total: float = 10.0
    watch: float = 10.0
    """WATCH: total growth, or its inverse."""
    spike_rate: float = 0.01
    """SPIKY: share of steps that spike."""
    dead_fraction: float = 0.5
    """DEAD: share of a layer's units."""
    stalled: float = 1e-5
    """STALLED: median update ratio."""
    hot: float = 0.1
    """HOT: median update ratio."""
