"""ASHA among the trials of one cell, with exactly the decisions of Ray's AsyncHyperBandScheduler with one bracket."""

import math
from bisect import insort
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field

from studies.base.states import Decision


@dataclass
class _Rung:
    """The results at a rung of one group: rewards in ascending order, and the numbers of their trials.

    Ray keeps them unsorted and sorts them for every decision.
    """

    rewards: list[float] = field(default_factory=list)
    numbers: set[int] = field(default_factory=set)

    def cutoff(self, share: float) -> float:
        """Return the `share` quantile, bit for bit as numpy.percentile interpolates it; minus infinity if empty."""
        if not self.rewards:
            return -math.inf
        place = (len(self.rewards) - 1) * share
        index = math.floor(place)
        low, high = self.rewards[index], self.rewards[min(index + 1, len(self.rewards) - 1)]
        weight = place - index
        return high - (high - low) * (1 - weight) if weight >= 0.5 else low + (high - low) * weight


class Asha:
    """Asynchronous successive halving (Li et al., 2020) within independent groups of trials.

    A study with cells has one group for each cell, one without has a single group. A decision depends only on the
    group's results so far, in their order of arrival.
    """

    def __init__(self, *, rungs: Sequence[int], reduction_factor: int, mode: str) -> None:
        """Compare at `rungs` and keep the best 1/`reduction_factor` at each; `mode` is "min" or "max"."""
        self._deciding = frozenset(rungs[:-1])
        # Ray passes a percentage, which numpy divides by 100: the same rounding here.
        self._share = (1 - 1 / reduction_factor) * 100 / 100
        self._sign = -1 if mode == "min" else 1
        self._rungs: defaultdict[tuple[object, int], _Rung] = defaultdict(_Rung)

    def decides_at(self, epoch: int) -> bool:
        """Return whether a trial may be stopped after `epoch`: at every rung but the last."""
        return epoch in self._deciding

    def decide(self, group: object, *, number: int, epoch: int, objective: float) -> Decision:
        """Record a trial's objective at a rung and return whether the trial goes on.

        A trial that reaches a rung again, after its worker was lost, goes on; so does one whose objective is NaN.
        """
        assert self.decides_at(epoch), f"nothing is decided after epoch {epoch}"
        rung, reward = self._rungs[group, epoch], self._sign * objective
        if number in rung.numbers or math.isnan(reward):
            return Decision.CONTINUE
        decision = Decision.STOP if reward < rung.cutoff(self._share) else Decision.CONTINUE
        rung.numbers.add(number)
        insort(rung.rewards, reward)
        return decision
