"""Proposals lie in the space, spread over it, never repeat, and are the same after a rebuild."""

import math
from dataclasses import replace

import pytest
from optuna.trial import TrialState

from search_spaces import Value
from studies.base.errors import StudiesError
from studies.definition.parts import Confirm, Search
from studies.definition.study import Study
from studies.planning.plan import Cell, Plan
from studies.search import sampler
from studies.search.sampler import POINTS_AT_ONCE, Proposals
from tests.studies.raytune.plans import RATE, plan


def cell_of(plan: Plan, number: int) -> Cell:
    return plan.cells[number - 1]


def loss(params: dict[str, Value]) -> float:
    rate = params["learning_rate"]
    assert isinstance(rate, float)
    return (math.log10(rate) + 2) ** 2


def run(proposals: Proposals, numbers: range) -> list[dict[str, Value]]:
    """Ask for trials, stop every other, complete the rest."""
    asked = []
    for number in numbers:
        params = dict(proposals.ask(number, place=number - 1))
        finish(proposals, number, params)
        asked.append(params)
    return asked


def finish(proposals: Proposals, number: int, params: dict[str, Value]) -> None:
    proposals.report(number, epoch=1, objective=loss(params))
    if number % 2:
        proposals.prune(number)
    else:
        proposals.report(number, epoch=3, objective=loss(params))
        proposals.complete(number, loss(params))


@pytest.mark.parametrize("sampler", ["qmc", "tpe", "random"])
@pytest.mark.parametrize("number", [1, 2])
def test_proposals_stay_in_their_cell(sampler: str, number: int) -> None:
    small = plan(sampler)
    cell = cell_of(small, number)
    low, high = (3e-3, 0.5) if cell.levels["optimizer"] == "sgd" else (3e-4, 3e-2)
    for params in run(Proposals(small.study, seed=0, cell=cell), range(1, 30)):
        assert {name: params[name] for name in cell.levels} == dict(cell.levels)
        rate = params["learning_rate"]
        assert isinstance(rate, float)
        assert low <= rate <= high


def test_quasi_random_rates_fill_the_range_evenly() -> None:
    small = plan("qmc")
    rates = [
        p["learning_rate"] for p in run(Proposals(small.study, seed=5, cell=cell_of(small, 1)), range(1, 9))
    ]
    span = math.log(0.5 / 3e-3)
    eighths = sorted(int(8 * math.log(rate / 3e-3) / span) for rate in rates if isinstance(rate, float))
    assert eighths == list(range(8))


def test_quasi_random_points_are_those_that_optuna_draws_one_by_one(monkeypatch: pytest.MonkeyPatch) -> None:
    assert RATE is not None
    two = {
        "learning_rate": RATE,
        "dropout": {"low": 0.0, "high": 0.6},
        "momentum": {"low": 0.5, "high": 0.99},
    }
    study = replace(plan("qmc").study, nuisances=two)
    cell = Plan(name="two", study=study, dataset_fingerprint="0" * 64).cells[0]
    numbers = range(1, 2 * POINTS_AT_ONCE + 4)
    drawn = run(Proposals(study, seed=5, cell=cell), numbers)
    # Optuna finds a point's place in the sequence in the history, which we need not keep.
    monkeypatch.setattr(Proposals, "_forget", lambda proposals: None)
    monkeypatch.delattr(sampler._GivenSpaceQMC, "_sample_qmc")
    assert run(Proposals(study, seed=5, cell=cell), numbers) == drawn


@pytest.mark.parametrize("cells", [True, False], ids=["cell", "everything"])
@pytest.mark.parametrize("sampler", ["qmc", "tpe", "random"])
@pytest.mark.parametrize("done", [0, 1, 7, 15])
def test_rebuilt_proposals_go_on_alike(sampler: str, done: int, cells: bool) -> None:
    if sampler == "qmc" and not cells:
        pytest.skip("a quasi-random sequence serves cells")
    small = plan(sampler, cells=cells)
    cell = cell_of(small, 1) if cells else None
    whole = run(Proposals(small.study, seed=3, cell=cell), range(1, 21))
    rebuilt = Proposals(small.study, seed=3, cell=cell)
    for number, params in enumerate(whole[:done], start=1):
        assert rebuilt.replay(number, params, place=number - 1)
        finish(rebuilt, number, params)
    assert run(rebuilt, range(done + 1, 21)) == whole[done:]


def test_seed_and_cell_change_the_proposals_and_numbers_do_not() -> None:
    small = plan("tpe")
    first = Proposals(small.study, seed=0, cell=cell_of(small, 1)).ask(1, place=0)
    assert Proposals(small.study, seed=0, cell=cell_of(small, 1)).ask(77, place=0) == first
    assert Proposals(small.study, seed=1, cell=cell_of(small, 1)).ask(1, place=0) != first
    assert Proposals(small.study, seed=0, cell=cell_of(small, 3)).ask(1, place=0) != first


def test_optuna_learns_how_trials_ended() -> None:
    small = plan("tpe", cells=False)
    proposals = Proposals(small.study, seed=0, cell=None)
    run(proposals, range(1, 3))
    proposals.ask(3, place=2)
    proposals.fail(3)
    pruned, complete, failed = proposals.trials()
    assert (pruned.state, complete.state, failed.state) == (
        TrialState.PRUNED,
        TrialState.COMPLETE,
        TrialState.FAIL,
    )
    assert set(pruned.intermediate_values) == {1}
    assert complete.value == complete.intermediate_values[3]


def test_without_cells_each_optimizer_has_its_own_rate() -> None:
    small = plan("tpe", cells=False)
    proposals = Proposals(small.study, seed=0, cell=None)
    run(proposals, range(1, 20))
    names = {name for trial in proposals.trials() for name in trial.params}
    assert names == {"depth", "optimizer", "learning_rate.sgd", "learning_rate.adam"}


@pytest.mark.parametrize("sampler", ["tpe", "random"])
def test_nothing_is_proposed_twice_and_an_exhausted_space_says_so(sampler: str) -> None:
    study = Study(
        question="Which batch size?",
        factors={"depth": (1,)},
        nuisances={"batch_size": {"choices": [16, 32, 64]}},
        search=Search(trials_per_cell=3, rungs=(1, 3), sampler=sampler),
        confirm=Confirm(epochs=3),
    )
    cell = Plan(name="sizes", study=study, dataset_fingerprint="0" * 64).cells[0]
    proposals = Proposals(study, seed=0, cell=cell)
    asked = [proposals.ask(number, place=number - 1)["batch_size"] for number in (1, 2, 3)]
    assert sorted(asked) == [16, 32, 64]  # type: ignore[type-var]
    with pytest.raises(StudiesError, match="exhausted"):
        proposals.ask(4, place=3)
