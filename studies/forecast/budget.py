"""Cuts a plan to a time budget: what harms the answer least is cut first, and every cut is reported."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from studies.base.durations import format_budget, format_duration, parse_budget
from studies.base.errors import UsageError
from studies.database.store import Store
from studies.definition.study import Study
from studies.definition.training_rules import longest_patience
from studies.planning.plan import Plan
from studies.planning.resources import Resources, workers_here
from studies.storage.paths import Locations

if TYPE_CHECKING:
    from trainables.data.dataset import Dataset

MIN_CLAIM_REPLICATES = 10
"""With fewer blocks no claim passes the gates."""
MIN_TRIALS = 3
"""With fewer trials per cell the learning rate is hardly tuned."""


@dataclass(frozen=True, kw_only=True)
class BudgetedPlan:
    """A plan that fits, its predicted seconds (None once its study has begun), and a line for each cut."""

    plan: Plan
    seconds: float | None
    given_up: tuple[str, ...]


def afford(
    plan: Plan, budget: str, *, dataset: "Dataset", locations: Locations, resources: Resources
) -> BudgetedPlan:
    """Return `plan` cut to the budget, by a prediction for this machine; a study that has begun keeps its cuts.

    Raises UsageError if no plan that can answer the question fits. Writes nothing.
    """
    from studies.forecast.forecast import find_basis_here, predict_seconds

    recorded = _begun(plan, locations)
    if recorded is not None:
        given_up = tuple(_given_up(plan.study, recorded.study))
        return BudgetedPlan(plan=recorded, seconds=None, given_up=given_up)
    basis, num_workers = find_basis_here(plan, dataset, locations), workers_here(resources)
    return fit(plan, parse_budget(budget), lambda cut: predict_seconds(cut, basis, num_workers=num_workers))


def _begun(plan: Plan, locations: Locations) -> Plan | None:
    """Return the plan of the recorded study of this name, if it is this plan or a cut of it."""
    if (store := Store.open_existing(locations.storage)) is None:
        return None
    with store:
        study = store.find_study(plan.name)
    if study is None:
        return None
    return cut_with(plan, study.plan_hash)


def cut_with(plan: Plan, plan_hash: str) -> Plan | None:
    """Return the plan, or the cut of it, that has this hash; None if there is none."""
    cuts = (replace(plan, study=cut) for cut in _cuts(plan.study))
    return next((cut for cut in cuts if cut.hash == plan_hash), None)


def fit(plan: Plan, budget_seconds: float, predict: Callable[[Plan], float]) -> BudgetedPlan:
    """Return the least cut of `plan` that is predicted to take no longer than `budget_seconds`.

    Replicates are cut first, down to the ten that a claim needs; then trials, then epochs. A plan with fewer than ten
    replicates makes no claims and keeps them. What has to fit is the first look: a later one begins only if it fits
    into what is left. `predict` returns a plan's seconds. Raises UsageError with the shortest possible time if nothing
    fits.
    """
    shortest = None
    for study in _cuts(plan.study):
        cut = replace(plan, study=study)
        seconds = predict(cut.up_to_look(1))
        if seconds <= budget_seconds:
            return BudgetedPlan(plan=cut, seconds=seconds, given_up=tuple(_given_up(plan.study, study)))
        shortest = seconds if shortest is None else min(shortest, seconds)
    assert shortest is not None, "the plan itself is the first of its cuts"
    raise UsageError(
        [
            f"--budget {format_budget(budget_seconds)} is too short: the least that answers takes about "
            f"{format_duration(shortest)}"
        ],
        f"Give --budget {format_budget(shortest * 1.2)}, fewer levels, or --profile smoke, which points and claims "
        "nothing.",
    )


def _cuts(study: Study) -> Iterator[Study]:
    """Yield the study and ever smaller cuts of it: each quantity is cut to its minimum before the next one is."""
    yield study
    for cut in (_fewer_replicates, _fewer_trials, _fewer_epochs):
        for smaller in cut(study):
            study = smaller
            yield study


def _fewer_replicates(study: Study) -> Iterator[Study]:
    """Yield the study with fewer and fewer replicates; where it has several looks, those that follow from these."""
    looks = None if len(study.all_looks) > 1 else ()
    for replicates in range(study.replicates - 1, MIN_CLAIM_REPLICATES - 1, -1):
        yield replace(study, replicates=replicates, looks=looks)


def _fewer_trials(study: Study) -> Iterator[Study]:
    search = study.search
    if search.trials_per_cell is not None:
        for trials in range(search.trials_per_cell - 1, MIN_TRIALS - 1, -1):
            yield replace(study, search=replace(search, trials_per_cell=trials))
    elif search.trials is not None:
        for trials in range(search.trials - 1, study.confirm.best, -1):
            yield replace(study, search=replace(search, trials=trials))


def _fewer_epochs(study: Study) -> Iterator[Study]:
    first, *_ = rungs = study.search.rungs
    roles = {"factors": study.factors, "nuisances": study.nuisances, "fixed": study.fixed}
    patience = longest_patience({**roles, "confirm.default": study.confirm.default})
    for shorter in range(first - 1, 0, -1):
        ladder = tuple(shorter * rung // first for rung in rungs)
        if ladder[-1] <= patience:
            return  # shorter studies are not valid: no network could stop early
        confirm = replace(study.confirm, epochs=ladder[-1])
        yield replace(study, search=replace(study.search, rungs=ladder), confirm=confirm)


def _given_up(asked: Study, got: Study) -> Iterator[str]:
    if asked.replicates != got.replicates:
        wider = (asked.replicates / got.replicates) ** 0.5
        at_first = " at the first look" if len(got.all_looks) > 1 else ""
        yield (
            f"{got.replicates} replicates instead of {asked.replicates}: "
            f"intervals about {wider:.1f} times as wide{at_first}"
        )
    trials = [study.search.trials_per_cell or study.search.trials for study in (asked, got)]
    if trials[0] != trials[1]:
        unit = " in a cell" if asked.has_cells else ""
        yield f"{trials[1]} trials{unit} instead of {trials[0]}: learning rates tuned less well"
    if asked.confirm.epochs != got.confirm.epochs:
        yield (
            f"{got.confirm.epochs} epochs instead of {asked.confirm.epochs}: the answer is about that many epochs"
        )
