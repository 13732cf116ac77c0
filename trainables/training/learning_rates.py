"""One stock optimizer's steps over a whole stack, at a rate of its own for each replicate."""

from collections.abc import Sequence

import torch
from torch import Tensor

from trainables.networks.parameters import FlatParameters


class LearningRates:
    """Steps with the optimizer, at the rates that were set last, or at the optimizer's own before that.

    Every stock update is linear in the rate: of a step taken at the rate `lr` a replicate whose own is lower keeps the
    share rate / lr. That costs a copy of the parameters, and is done only while rates differ.
    """

    def __init__(
        self, optimizer: torch.optim.Optimizer, parameters: FlatParameters, *, in_graph: bool
    ) -> None:
        """Step over `parameters`.

        With `in_graph` steps may be captured, and the optimizer's own rate with them: it then stays as it is, and no
        other may be higher.
        """
        self._optimizer, self._parameters, self._in_graph = optimizer, parameters, in_graph
        self._shares: Tensor | None = None
        self._before: Tensor | None = None
        if in_graph:
            self._shares = parameters.values.new_ones(parameters.replicates)
            self._before = torch.empty_like(parameters.values)

    def set(self, rates: Sequence[float], trains: Sequence[bool]) -> None:
        """Step at these rates from now on, one for each replicate; one that does not train takes any."""
        group = self._optimizer.param_groups[0]
        highest = max(rate for rate, training in zip(rates, trains, strict=True) if training)
        rates = [rate if training else highest for rate, training in zip(rates, trains, strict=True)]
        if self._in_graph:
            assert self._shares is not None
            self._shares.copy_(self._of(rates, group["lr"]))
            return
        group["lr"] = highest
        if min(rates) == highest:
            self._shares = self._before = None
        else:
            self._shares = self._of(rates, group["lr"]).to(self._parameters.values.device)
            self._before = torch.empty_like(self._parameters.values)

    def step(self) -> None:
        """Let the optimizer make its step."""
        if self._shares is None or self._before is None:
            self._optimizer.step()
            return
        values, before = self._parameters.values, self._before
        before.copy_(values)
        self._optimizer.step()
        shares = self._shares.view(1, -1, 1)
        for start, end in zip(self._parameters.runs(before), self._parameters.runs(values), strict=True):
            # Where the share is 1 this is the end itself, to the last bit.
            torch.lerp(start, end, shares, out=end)

    def _of(self, rates: Sequence[float], whole: float) -> Tensor:
        return torch.tensor([rate / whole for rate in rates], dtype=self._parameters.values.dtype)
