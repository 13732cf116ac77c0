"""A budget is kept, gives up the least first, and never goes below what a claim needs."""

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from studies.base.durations import parse_budget
from studies.base.errors import UsageError
from studies.database.store import Store
from studies.forecast.budget import MIN_CLAIM_REPLICATES, afford, fit
from studies.forecast.forecast import find_basis_here, predict_seconds
from studies.planning.plan import Plan
from studies.planning.request import Request, draft
from studies.planning.resources import Resources
from studies.storage.paths import Locations
from studies.user_files.loader import load_definition
from trainables import datasets

PLAN = Plan(name="depth_study", study=load_definition("depth_study")[1], dataset_fingerprint="digits")
TWENTY = replace(PLAN, study=replace(PLAN.study, replicates=20, looks=None))


def seconds(plan: Plan) -> float:
    """A machine that starts in 20 s and trains an epoch of one network in 2 ms."""
    return 20 + 0.002 * plan.expected_network_epochs


def test_a_plan_that_fits_is_left_as_it_is() -> None:
    fitted = fit(TWENTY, 10_000, seconds)
    assert fitted.plan == TWENTY
    assert fitted.given_up == ()


def test_replicates_go_before_trials_and_trials_before_epochs() -> None:
    several = [fit(TWENTY, budget, seconds) for budget in (180, 100, 50)]
    assert [len(fitted.given_up) for fitted in several] == [1, 2, 3]
    assert several[0].plan.study.search == TWENTY.study.search
    assert several[1].plan.study.confirm == TWENTY.study.confirm
    assert several[2].plan.study.search.rungs[-1] == several[2].plan.study.confirm.epochs
    assert "replicates instead of 20" in several[0].given_up[0]
    assert "trials in a cell instead of 6" in several[1].given_up[1]
    assert "epochs instead of 18" in several[2].given_up[2]


def test_epochs_are_not_cut_below_the_patience() -> None:
    patient = replace(PLAN, study=replace(PLAN.study, fixed={**PLAN.study.fixed, "patience": 8}))
    assert fit(patient, 55, seconds).plan.study.confirm.epochs == 9
    with pytest.raises(UsageError, match="too short"):
        fit(patient, 45, seconds)


def test_what_has_to_fit_is_the_first_look_and_looks_follow_the_replicates() -> None:
    assert PLAN.study.all_looks == (10, 20, 40, 80)
    assert fit(PLAN, seconds(PLAN.up_to_look(1)) + 1, seconds).plan == PLAN
    looking = replace(PLAN, study=replace(PLAN.study, replicates=20, looks=(20, 30)))
    fitted = fit(looking, seconds(PLAN.up_to_look(1)) + 1, seconds)
    assert fitted.plan == PLAN
    assert fitted.given_up == (
        "10 replicates instead of 20: intervals about 1.4 times as wide at the first look",
    )


def test_a_plan_that_wants_no_claim_keeps_its_few_replicates() -> None:
    few = replace(PLAN, study=replace(PLAN.study, replicates=3, looks=None))
    fitted = fit(few, seconds(few) * 0.8, seconds)
    assert fitted.plan.study.replicates == 3


def test_a_study_without_cells_gives_up_trials() -> None:
    sweep = Plan(name="tuning_study", study=load_definition("tuning_study")[1], dataset_fingerprint="digits")
    fitted = fit(sweep, seconds(sweep) * 0.7, seconds)
    assert fitted.plan.study.search.trials is not None
    assert sweep.study.search.trials is not None
    assert fitted.plan.study.search.trials < sweep.study.search.trials


@given(budget=st.floats(1, 2000), replicates=st.integers(1, 60))
def test_what_is_returned_fits_and_can_claim_and_else_the_least_time_is_named(
    budget: float, replicates: int
) -> None:
    plan = replace(PLAN, study=replace(PLAN.study, replicates=replicates, looks=None))
    least = replace(
        PLAN.study,
        replicates=min(replicates, MIN_CLAIM_REPLICATES),
        looks=None,
        search=replace(PLAN.study.search, trials_per_cell=3, rungs=(1, 3)),
        confirm=replace(PLAN.study.confirm, epochs=3),
    )
    if budget < seconds(replace(PLAN, study=least).up_to_look(1)):
        with pytest.raises(UsageError, match=r"--budget .* is too short"):
            fit(plan, budget, seconds)
        return
    fitted = fit(plan, budget, seconds)
    assert fitted.seconds == seconds(fitted.plan.up_to_look(1)) <= budget
    assert fitted.plan.study.replicates >= min(replicates, MIN_CLAIM_REPLICATES)


def test_the_time_that_a_refusal_names_is_enough() -> None:
    with pytest.raises(UsageError) as refused:
        fit(PLAN, 21, seconds)
    named = refused.value.advice.split("--budget ")[1].split(",")[0]
    assert fit(PLAN, parse_budget(named), seconds).given_up


def locations(folder: Path) -> Locations:
    return Locations(storage=f"sqlite:///{folder}/studies.db", output=folder / "runs")


def test_a_study_that_has_begun_stays_as_it_was_cut(tmp_path: Path) -> None:
    digits = datasets.load("digits")
    drafted = draft(Request(study="depth_study", settings={"replicates": 20}, budget="4m"))
    asked = drafted.freeze(digits)
    assert drafted.freeze(digits).name == asked.name != "depth_study"
    cut = fit(asked, 180, seconds).plan
    with Store.open(locations(tmp_path).storage) as store:
        store.create_study(
            name=asked.name, question="?", plan=cut.to_dict(), plan_hash=cut.hash, seed=cut.seed
        )
    again = afford(asked, "4m", dataset=digits, locations=locations(tmp_path), resources=Resources(workers=2))
    assert again.plan == cut
    assert again.given_up == fit(asked, 180, seconds).given_up


def test_a_new_study_is_predicted_and_cut_and_nothing_written(tmp_path: Path) -> None:
    digits = datasets.load("digits")
    asked = draft(Request(study="depth_study", settings={"replicates": 400})).freeze(digits)
    here = locations(tmp_path)
    whole = predict_seconds(asked.up_to_look(1), find_basis_here(asked, digits, here), num_workers=2)
    # The least that answers takes less than a fortieth: a machine that is measured again may be a few times as busy.
    minutes = max(1, round(whole / 6 / 60))
    fitted = afford(asked, f"{minutes}m", dataset=digits, locations=here, resources=Resources(workers=2))
    assert fitted.given_up
    assert fitted.seconds is not None
    assert fitted.seconds <= 60 * minutes
    assert not list(tmp_path.iterdir())
