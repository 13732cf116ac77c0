"""A budget is kept, gives up the least first, and never goes below what a claim needs."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from studies.budgeting import MIN_CLAIM_REPLICATES, fit, parse_budget, told
from studies.catalog import load
from studies.errors import UsageError
from studies.planning import Plan

PLAN = Plan(name="depth_study", study=load("depth_study")[1], dataset_fingerprint="digits")
TWENTY = replace(PLAN, study=replace(PLAN.study, replicates=20))


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


def test_looks_go_with_the_replicates() -> None:
    looking = replace(PLAN, study=replace(PLAN.study, looks=(10, 20, 40)))
    fitted = fit(looking, seconds(PLAN) + 1, seconds)
    assert fitted.plan == PLAN
    assert fitted.given_up == (
        "10 replicates instead of 40 in looks at 10, 20, 40: intervals about 2.0 times as wide",
    )


def test_a_plan_that_wants_no_claim_keeps_its_few_replicates() -> None:
    few = replace(PLAN, study=replace(PLAN.study, replicates=3))
    fitted = fit(few, seconds(few) * 0.8, seconds)
    assert fitted.plan.study.replicates == 3


def test_a_study_without_cells_gives_up_trials() -> None:
    sweep = Plan(name="tuning_study", study=load("tuning_study")[1], dataset_fingerprint="digits")
    fitted = fit(sweep, seconds(sweep) * 0.7, seconds)
    assert fitted.plan.study.search.trials is not None
    assert sweep.study.search.trials is not None
    assert fitted.plan.study.search.trials < sweep.study.search.trials


@given(budget=st.floats(1, 2000), replicates=st.integers(1, 60))
def test_what_is_returned_fits_and_can_claim_and_else_the_least_time_is_named(
    budget: float, replicates: int
) -> None:
    plan = replace(PLAN, study=replace(PLAN.study, replicates=replicates))
    least = replace(
        PLAN.study,
        replicates=min(replicates, MIN_CLAIM_REPLICATES),
        search=replace(PLAN.study.search, trials_per_cell=3, rungs=(1, 3)),
        confirm=replace(PLAN.study.confirm, epochs=3),
    )
    if budget < seconds(replace(PLAN, study=least)):
        with pytest.raises(UsageError, match=r"--budget .* is too short"):
            fit(plan, budget, seconds)
        return
    fitted = fit(plan, budget, seconds)
    assert fitted.seconds == seconds(fitted.plan) <= budget
    assert fitted.plan.study.replicates >= min(replicates, MIN_CLAIM_REPLICATES)


def test_the_time_that_a_refusal_names_is_enough() -> None:
    with pytest.raises(UsageError) as refused:
        fit(PLAN, 21, seconds)
    named = refused.value.advice.split("--budget ")[1].split(",")[0]
    assert fit(PLAN, parse_budget(named), seconds).given_up


@given(st.integers(1, 10**6))
def test_a_time_is_read_back_as_it_is_told(whole: int) -> None:
    assert parse_budget(told(whole)) == pytest.approx(whole, abs=60)
    assert parse_budget(told(whole)) >= whole or whole < 60


@pytest.mark.parametrize("text", ["", "2", "h", "2 hours", "-1h", "1m1h", "0s", "inf"])
def test_what_is_no_time_is_refused_with_examples(text: str) -> None:
    with pytest.raises(UsageError, match="such as 90s, 30m, 2h or 1h30m"):
        parse_budget(text)
