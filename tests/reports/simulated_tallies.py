"""How often pages of simulated studies say anything false."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from tests.reports.simulated_pages import Pages
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


def tally(pages: Pages, drawn: Iterable[Study]) -> Tally:
    """Count the studies whose pages say anything false; a study is false if any sentence is."""
    num, false, wrong, claiming = 0, 0, 0, 0
    families: Counter[str] = Counter()
    for study in drawn:
        claims = pages.page(study).claims
        errors = {f"{claim.family}: {claim.kind}" for claim in claims if claim.is_false}
        families.update(errors | {error.split(":")[0] for error in errors})
        num, false = num + 1, false + bool(errors)
        wrong += any(claim.has_wrong_sign for claim in claims)
        claiming += any(not claim.is_false for claim in claims)
    return Tally(
        num=num, false=false, wrong_sign=wrong, claiming=claiming, by_family=dict(families.most_common())
    )


def simulated(world: World, num: int, seed: int = 1, plan_version: int = 3) -> Tally:
    """Draw so many studies of a world and count the false ones."""
    return tally(Pages(world, plan_version), studies(world, num, seed))
