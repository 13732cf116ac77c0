"""Any valid study makes a plan that comes back from JSON and expects no more than it may train."""

import json
import random
from dataclasses import replace
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from search_spaces import Space, spaces
from studies.definition.parts import Confirm, Search, SmallestEffect
from studies.definition.study import Study
from studies.planning.plan import Plan
from tests.studies.definitions import plan_of


def _values(space: Space) -> st.SearchStrategy[Any]:
    if space.choices:
        return st.sampled_from(space.choices)
    numbers = st.floats(0, 1) | st.floats(0, 100) if space.number is float else st.integers(1, 300)
    return (numbers | st.sampled_from([space.default, *space.levels])).filter(space.contains)


@st.composite
def studies(draw: st.DrawFn) -> Study:
    """Any valid study of scalars: random roles, values, ranges, ladder and phases."""
    # Betas are a pair, a penalty in the gradient is refused beside AdamW, and some go with others.
    conditional = {"betas", "weight_decay", "min_lr", "monitor", "patience"}
    names = draw(st.permutations(sorted(set(spaces()) - conditional)))
    count = draw(st.integers(0, 4))
    factors = {
        name: draw(st.lists(_values(spaces()[name]), min_size=1, max_size=3, unique_by=repr))
        for name in names[:count]
    }
    factors = {
        name: list(dict.fromkeys(map(spaces()[name].canonical, levels))) for name, levels in factors.items()
    }
    fixed = {name: draw(_values(spaces()[name])) for name in names[count : count + draw(st.integers(0, 4))]}
    numeric = [name for name in names[count + 4 :] if spaces()[name].number is float]
    nuisances = {}
    for name in numeric[:2]:
        low, high = sorted(draw(st.tuples(*[_values(spaces()[name]).filter(lambda v: v is not None)] * 2)))
        nuisances[name] = {"low": low, "high": high, "log": draw(st.booleans()) and low > 0}
    eta, first, rungs = draw(st.tuples(st.integers(2, 4), st.integers(1, 9), st.integers(1, 4)))
    ladder = [first * eta**k for k in range(rungs)]
    has_cells = draw(st.booleans())
    search = Search(
        rungs=tuple(ladder),
        reduction_factor=eta,
        trials=None if has_cells else 1,
        trials_per_cell=1 if has_cells else None,
        sampler=draw(st.sampled_from(["tpe", "random"])),
    )
    return Study(
        question=draw(st.text(min_size=1).filter(str.strip)),
        objective=draw(st.sampled_from(["val_loss", "val_accuracy"])),
        factors=factors,  # type: ignore[arg-type]
        nuisances=nuisances,
        fixed=fixed,
        replicates=draw(st.integers(1, 50)),
        search=search,
        confirm=Confirm(epochs=ladder[-1], best=1),
        smallest_effect=SmallestEffect(log_loss=draw(st.floats(1e-6, 10)), error=draw(st.floats(1e-6, 1))),
    )


@settings(max_examples=40)
@given(study=studies(), seed=st.integers(0, 2**63 - 1), shuffle=st.randoms(use_true_random=False))
def test_any_plan_comes_back_from_json_with_its_hash(study: Study, seed: int, shuffle: random.Random) -> None:
    plan = plan_of(study, seed=seed)
    again = Plan.from_dict("a", json.loads(plan.to_json()))
    assert again.to_json() == plan.to_json()
    assert (again, again.hash) == (plan, plan.hash)
    fixed = list(study.fixed.items())
    shuffle.shuffle(fixed)
    assert plan_of(replace(study, fixed=dict(fixed)), seed=seed).hash == plan.hash


@settings(max_examples=40)
@given(study=studies())
def test_any_plan_expects_at_most_what_it_may_train(study: Study) -> None:
    plan = plan_of(study)
    assert 0 < plan.expected_network_epochs <= plan.max_network_epochs * (1 + 1e-12)
    assert len({cell.key for cell in plan.cells}) == len(plan.cells)
