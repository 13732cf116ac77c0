"""By which rules a report may claim: the shares of the error rate, the families, and the look that they are read at."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from reports.inputs.inputs import ReportInputs
from reports.results.looks import Look, planned_looks
from reports.statistics.families import (
    ErrorShares,
    Family,
    Levels,
    num_averages,
    num_growth,
    num_interactions,
    num_simple_effects,
)
from reports.statistics.gates import Rules
from reports.statistics.holm import SIMPLE_SHARE


@dataclass(frozen=True, kw_only=True)
class Licensing:
    """What each family of claims may spend, and how many hypotheses it holds, as the plan fixed them.

    The two families at best spend their share divided by the number of looks at each look; every other family uses
    the blocks of the first look, with its whole share. Plans of versions 1 and 2 have Holm's families instead
    (`reports.statistics.holm`), each with the error rate of the look.
    """

    shares: ErrorShares
    levels: Levels
    num_looks: int
    rules: Rules

    @classmethod
    def of(cls, inputs: ReportInputs, rules: Rules) -> Licensing:
        """The families of a study's plan, gated by `rules`."""
        return cls(
            shares=ErrorShares.of(inputs.plan),
            levels=inputs.factors,
            num_looks=len(planned_looks(inputs.plan)),
            rules=rules,
        )

    @property
    def averages(self) -> Family:
        """The contrasts averaged over the other factors."""
        return self._family(self.shares.averages, num_averages(self.levels))

    @property
    def simple_effects(self) -> Family:
        """Every contrast at every level of every other factor, whichever are said."""
        part = SIMPLE_SHARE if self.rules.holm else 1.0
        return self._family(self.shares.simple_effects, num_simple_effects(self.levels), part)

    @property
    def interactions(self) -> Family:
        """Every pair of contrasts of two factors."""
        return self._family(self.shares.interactions, num_interactions(self.levels))

    @property
    def growth(self) -> Family:
        """Averages, simple effects and interactions of ln total growth at initialisation, together."""
        return self._family(self.shares.growth, num_growth(self.levels))

    @property
    def growth_simple_effects(self) -> Family:
        """The family that simple effects of growth count in: that of growth."""
        return self.simple_effects if self.rules.holm else self.growth

    def loss_at_best(self, num_pairs: int) -> Family:
        """The distinct pairs of selected cells, and the comparison with a linear model: the primary outcome."""
        return self._family(self.shares.loss_at_best / self.num_looks, num_pairs)

    def error_rate_at_best(self, num_pairs: int) -> Family:
        """The same pairs of cells: the error rate."""
        return self._family(self.shares.error_rate_at_best / self.num_looks, num_pairs)

    def beyond_sample(self, num_pairs: int) -> Family | None:
        """The same pairs on the blocks of the first look, for new samples."""
        if self.rules.holm:
            return None
        return self._family(self.shares.beyond_sample, num_pairs)

    def _family(self, share: float, num_hypotheses: int, part: float = 1.0) -> Family:
        if self.rules.holm:
            return Family(share=part * self.rules.alpha, num_hypotheses=num_hypotheses)
        return Family(share=share, num_hypotheses=num_hypotheses)


def error_shares_record(inputs: ReportInputs, look: Look) -> dict[str, Any] | None:
    """For report.json: the shares and their sum; None where the plan has none."""
    if look.rules.holm:
        return None
    shares = ErrorShares.of(inputs.plan)
    return {**asdict(shares), "total": shares.total}
