"""Studies and plans in a few words, and the mistakes that are told where one is wrong."""

from typing import Any

import pytest
from optuna.distributions import FloatDistribution

from studies.base.errors import UsageError
from studies.definition.parts import Confirm, Search
from studies.definition.study import Study
from studies.planning.plan import Plan

RATE = FloatDistribution(1e-4, 1e-1, log=True)


def make(**changes: Any) -> Study:
    given: dict[str, Any] = {
        "question": "Does depth help?",
        "factors": {"depth": (3, 5)},
        "nuisances": {"learning_rate": RATE},
    }
    return Study(**given | changes)


def without_cells(**changes: Any) -> Study:
    search = Search(trials=10, trials_per_cell=None, sampler="tpe")
    return make(**{"search": search, "confirm": Confirm(default={"depth": 3})} | changes)


def mistakes_of(**changes: Any) -> tuple[str, ...]:
    with pytest.raises(UsageError) as caught:
        make(**changes)
    return caught.value.mistakes


def plan_of(study: Study, **changes: Any) -> Plan:
    given: dict[str, Any] = {"name": "a", "study": study, "dataset_fingerprint": "f00d"}
    return Plan(**given | changes)
