"""How often pages of simulated studies say anything false."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from tests.reports.simulated_pages import Page, Pages
from tests.reports.simulated_studies import Study, World, studies


@dataclass(frozen=True, kw_only=True)
class Tally:
    """Of so many studies those in which any sentence is false, by family and kind, and with a wrong sign.

    `claiming`: those that say anything true.
    """

    num: int
    false: int
    wrong_sign: int
    claiming: int
    by_family: Mapping[str, int]

    @property
    def share(self) -> float:
        """The share of studies that say anything false."""
        return self.false / self.num


def tally(
    world: World,
    num: int,
    seed: int,
    plan_version: int = 3,
    page: Callable[[Pages, Study], Page] = Pages.page,
) -> Tally:
    """Draw studies and count the false ones; a study is false if any sentence is."""
    pages, false, wrong, claiming = Pages(world, plan_version), 0, 0, 0
    families: Counter[str] = Counter()
    for study in studies(world, num, seed):
        claims = page(pages, study).claims
        errors = {f"{claim.family}: {claim.kind}" for claim in claims if claim.is_false}
        families.update(errors | {error.split(":")[0] for error in errors})
        false += bool(errors)
        wrong += any(claim.has_wrong_sign for claim in claims)
        claiming += any(not claim.is_false for claim in claims)
    return Tally(
        num=num, false=false, wrong_sign=wrong, claiming=claiming, by_family=dict(families.most_common())
    )
