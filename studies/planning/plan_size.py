"""How much a plan comes to: its cells, trials and networks, counted from a study or from a recorded plan."""

import math
from collections.abc import Mapping, Sequence, Sized
from dataclasses import dataclass
from typing import Any, Self

from studies.base.states import Phase
from studies.definition import plan_versions


@dataclass(frozen=True, kw_only=True)
class PlanSize:
    """Cells (0 in a study without cells), trials of each phase for every look, and networks of each phase.

    These are all cells at every look. `first_networks` are trained up to the first look, whatever it says; the later
    looks add at most `most_more`: those of the cells that questions at best compare, or of all cells where a plan's
    looks train them all.
    """

    num_cells: int
    trials: Mapping[Phase, int]
    networks: Mapping[Phase, int]
    first_networks: int
    most_more: int

    @property
    def num_trials(self) -> int:
        """Number of trials of both phases."""
        return sum(self.trials.values())

    @property
    def num_networks(self) -> int:
        """Number of networks trained in both phases."""
        return sum(self.networks.values())

    @classmethod
    def of(
        cls,
        *,
        factors: Mapping[str, Sized],
        search_trials: int | None,
        trials_per_cell: int | None,
        replicates: int,
        looks: Sequence[int],
        num_confirmed: int,
        trains_open: bool,
    ) -> Self:
        """Count; `search_trials` are those of a study without cells, which confirms `num_confirmed` configurations.

        `looks` may be empty, for one look at `replicates` blocks. With cells there is one confirm trial a cell and
        look, and a cell's last look has all of its blocks. `trains_open` says whether later looks train the cells of
        open questions only. Those are at most the best cell and, for each other level of a factor, the best with it:
        the best cell of all is the best with its own level of every factor.
        """
        cells = 0 if search_trials is not None else math.prod(map(len, factors.values()))
        looks = looks or [replicates]
        search = search_trials or cells * (trials_per_cell or 0)
        confirm = cells * len(looks) if cells else num_confirmed
        confirm_networks = cells * looks[-1] if cells else confirm * replicates
        first = search * replicates + (cells * looks[0] if cells else confirm_networks)
        compared = 1 + sum(len(levels) - 1 for levels in factors.values() if len(levels))
        late = min(cells, compared) if trains_open else cells
        return cls(
            num_cells=cells,
            trials={Phase.SEARCH: search, Phase.CONFIRM: confirm},
            networks={Phase.SEARCH: search * replicates, Phase.CONFIRM: confirm_networks},
            first_networks=first,
            most_more=late * (looks[-1] - looks[0]),
        )

    @classmethod
    def of_record(cls, plan: Mapping[str, Any]) -> Self:
        """Count a plan as `Plan.to_dict` gave it, whichever version of Studies recorded it."""
        search, confirm = plan["search"], plan["confirm"]
        return cls.of(
            factors=plan["factors"],
            search_trials=search["trials"],
            trials_per_cell=search["trials_per_cell"],
            replicates=plan["replicates"],
            looks=plan["looks"],
            num_confirmed=confirm["best"] + bool(confirm["default"]),
            trains_open=plan.get(plan_versions.FIELD, plan_versions.FIRST) >= plan_versions.UNTIL_CLEAR,
        )
