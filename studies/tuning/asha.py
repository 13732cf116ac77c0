"""ASHA among the trials of one cell: Ray's own arithmetic, one bracket for each group, without its controller."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from ray.tune.schedulers import AsyncHyperBandScheduler, TrialScheduler

from studies.database.states import Decision


@dataclass(frozen=True)
class _StandIn:
    """What Ray's scheduler knows of a trial. With our number as its id a rerun is the same trial."""

    trial_id: str


class Asha:
    """Asynchronous successive halving (Li et al., 2020) within groups that never see each other.

    A study with cells has one group for each cell, one without has a single group. A decision depends on the
    results of its group so far, in the order in which they came, and on nothing else.
    """

    def __init__(self, *, rungs: Sequence[int], reduction_factor: int, mode: str) -> None:
        """Compare at `rungs`, keep the best 1/`reduction_factor` at each; `mode` is "min" or "max"."""
        self._rungs = tuple(rungs)
        self._reduction_factor = reduction_factor
        self._mode = mode
        self._brackets: dict[object, AsyncHyperBandScheduler] = {}

    def decides_at(self, epoch: int) -> bool:
        """Say whether `epoch` is a rung after which a trial may be stopped; the last rung is the end."""
        return epoch in self._rungs[:-1]

    def decide(self, group: object, *, number: int, epoch: int, objective: float) -> Decision:
        """Take a trial's result at a rung into account and return whether it goes on.

        A trial that comes to the same rung again, after its worker was lost, goes on.
        """
        bracket = self._brackets.get(group) or self._brackets.setdefault(group, self._bracket())
        trial = _StandIn(str(number))
        controller: Any = None
        stand_in: Any = trial
        bracket.on_trial_add(controller, stand_in)
        action = bracket.on_trial_result(controller, stand_in, {"epoch": epoch, "objective": objective})
        return Decision.STOP if action == TrialScheduler.STOP else Decision.CONTINUE

    def _bracket(self) -> AsyncHyperBandScheduler:
        return AsyncHyperBandScheduler(
            time_attr="epoch",
            metric="objective",
            mode=self._mode,
            grace_period=self._rungs[0],
            # Half an epoch more than the last rung: Ray counts rungs by a quotient of logarithms, and
            # log(243)/log(3) falls just short of 5.
            max_t=self._rungs[-1] + 0.5,  # type: ignore[arg-type]
            reduction_factor=self._reduction_factor,
        )
