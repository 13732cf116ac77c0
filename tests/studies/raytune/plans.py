"""Small plans for tests of the tuning package."""

from search_spaces import spaces
from studies.definition.parts import Confirm, Search, SmallestEffect
from studies.definition.study import Study
from studies.planning.plan import Plan

RATE = spaces()["learning_rate"].search


def plan(
    sampler: str = "qmc",
    *,
    cells: bool = True,
    trials: int = 4,
    seed: int = 0,
    name: str = "small",
    looks: tuple[int, ...] = (),
    replicates: int = 2,
) -> Plan:
    """Return a plan of four cells, or of a search over the same factors without cells."""
    assert RATE is not None
    search = (
        Search(trials_per_cell=trials, rungs=(1, 3), sampler=sampler)
        if cells
        else Search(trials_per_cell=None, trials=trials, rungs=(1, 3), sampler=sampler)
    )
    study = Study(
        question="Does depth help?",
        factors={"depth": (1, 2), "optimizer": ("sgd", "adam")},
        nuisances={"learning_rate": RATE},
        fixed={"width": 16},
        replicates=looks[0] if looks else replicates,
        looks=looks,
        smallest_effect=SmallestEffect(log_loss=0.02),
        search=search,
        confirm=Confirm(epochs=3, best=2, default={} if cells else {"depth": 1}),
    )
    return Plan(name=name, study=study, seed=seed, dataset_fingerprint="0" * 64)
