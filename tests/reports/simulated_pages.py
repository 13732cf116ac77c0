"""The sentences that a report makes of a simulated study, without the rest of its page; and how often they are false.

A page of 54 cells takes seconds. What it may claim comes from a few of its parts: these are made here as
`reports.results.results.compute` makes them, and `test_whole_pages` checks on whole pages that nothing is left out.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd

from reports.claims.answers import Said, said_at_best, said_averaged
from reports.claims.growth_claims import GROWTH, said_growth
from reports.inputs.inputs import ReportInputs
from reports.results.results import Results, compute
from reports.statistics.contrasts import at_best, contrasts, interactions
from tests.reports.false_claims import Claim, claims_of
from tests.reports.simulated_studies import Floats, Study, World, as_recorded, draw, studies


@dataclass(frozen=True)
class Pages:
    """Makes the claims of one study after another of the same world; frames are laid out once and refilled."""

    world: World

    @cached_property
    def _laid_out(self) -> tuple[ReportInputs, Results]:
        healthy = replace(self.world, failing=0 * self.world.failing)
        inputs = as_recorded(draw(healthy, np.random.default_rng(0)))
        return inputs, compute(inputs)

    def said(self, study: Study) -> dict[str, list[Said]]:
        """The sentences of each family."""
        inputs, results = self._laid_out[0], self._filled(study)
        return {
            "at best": said_at_best(inputs, results),
            "averages": said_averaged(inputs, results),
            "growth": said_growth(inputs, results),
        }

    def claims(self, study: Study) -> list[Claim]:
        """Everything that the sentences claim."""
        return [claim for family, said in self.said(study).items() for claim in claims_of(family, said, study)]

    def _filled(self, study: Study) -> Results:
        inputs, results = self._laid_out
        factors, rules = list(inputs.factors), results.look.rules
        rows = results.rows.assign(
            test_loss=study.loss.ravel(), test_error=study.error.ravel(), failed=study.failed.ravel().astype(float)
        )
        chosen = results.chosen.assign(objective=study.objective)
        losses = rows[[*factors, "block", "test_loss"]]
        grown = results.growths.assign(**{GROWTH: study.growth.ravel()})
        return replace(
            results,
            rows=rows,
            chosen=chosen,
            contrasts=contrasts(losses, factors, "test_loss", inputs.smallest_effect, results.boundary, rules=rules),
            at_best=at_best(losses, factors, "test_loss", chosen, inputs.smallest_effect, rules=rules),
            interactions=interactions(losses, factors, "test_loss"),
            growths=grown,
            growth_contrasts=contrasts(grown[[*factors, "block", GROWTH]], factors, GROWTH, rules=rules),
        )


@dataclass(frozen=True, kw_only=True)
class Tally:
    """Of so many studies: those in which any sentence is false, by family and kind, and with a wrong sign."""

    num: int
    false: int
    wrong_sign: int
    claiming: int
    by_family: Mapping[str, int]

    @property
    def share(self) -> float:
        return self.false / self.num


def tally(world: World, num: int, seed: int) -> Tally:
    """Draw studies and count the false ones; a study is false if any sentence is."""
    pages, false, wrong, claiming = Pages(world), 0, 0, 0
    families: Counter[str] = Counter()
    for study in studies(world, num, seed):
        claims = pages.claims(study)
        errors = {f"{claim.family}: {claim.kind}" for claim in claims if claim.is_false}
        families.update(errors | {error.split(":")[0] for error in errors})
        false += bool(errors)
        wrong += any(claim.has_wrong_sign for claim in claims)
        claiming += any(not claim.is_false for claim in claims)
    return Tally(num=num, false=false, wrong_sign=wrong, claiming=claiming, by_family=dict(families.most_common()))
