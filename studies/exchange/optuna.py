"""`--optuna`: a study's trials in an Optuna database, as `optuna.load_study` and optuna-dashboard open them.

The search is one Optuna study under our study's name; the confirm trials, which train chosen configurations again with
fresh seeds, are a second one, `NAME-confirm`: among the search's trials they would count as its proposals.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import optuna
from optuna.distributions import (
    BaseDistribution,
    CategoricalDistribution,
    FloatDistribution,
    IntDistribution,
)
from optuna.exceptions import OptunaError
from optuna.trial import FrozenTrial, TrialState, create_trial

from studies.base.errors import StudiesError, UsageError
from studies.base.states import Phase
from studies.base.states import TrialState as OurState
from studies.base.steps import Tell
from studies.base.wording import error_line
from studies.database.other_databases import address_for, make_private_file
from studies.database.rows import StudyRow, TrialRow
from studies.database.store import Store
from studies.exchange.destinations import identity, names_for
from studies.exchange.networks import networks
from studies.planning.plan import Plan
from studies.search.sampler import as_optuna_choice, optuna_direction

OWN_TABLE: Final = "version_info"
"""A table that every Optuna database has, and no storage of ours."""
STATES: Final = {
    OurState.WAITING: TrialState.WAITING,
    OurState.RUNNING: TrialState.RUNNING,
    OurState.COMPLETE: TrialState.COMPLETE,
    OurState.PRUNED: TrialState.PRUNED,
    OurState.FAILED: TrialState.FAIL,
}
"""What each of our states is in Optuna."""
NAMES: Final = {Phase.SEARCH: "", Phase.CONFIRM: "-confirm"}
"""What the name of the Optuna study of each phase ends in."""


def check(url: str) -> str:
    """Return the database's URL; raise UsageError for one that cannot be used or is no place for Optuna's tables."""
    return address_for("--optuna", url, program="Optuna", own_table=OWN_TABLE)


def export(store: Store, study: StudyRow, url: str, *, tell: Tell) -> str:
    """Add to an Optuna database what it lacks of a study; return the names that `optuna.load_study` finds there.

    `url` is what `check` returned. A trial that is there stays as it is, unless it had not ended and has by now. Raises
    StudiesError where Optuna cannot use the database.
    """
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    make_private_file(url)
    plan = Plan.from_dict(study.name, study.plan)
    trials = list(_translated(store, study, plan))
    try:
        storage = optuna.storages.RDBStorage(url)
        try:
            names = [_export_phase(storage, study, plan, phase, trials, tell) for phase in Phase]
        finally:
            storage.remove_session()
            storage.engine.dispose()
    except (OptunaError, RuntimeError) as error:
        raise StudiesError(
            f"--optuna: Optuna cannot use the database: {error_line(str(error))}",
            "What was exported is kept; mend it, then give the same command again.",
        ) from error
    written = " and ".join(name for name in names if name is not None)
    return f"{len(trials)} trials as the Optuna studies {written}" if written else "no trials yet for Optuna"


@dataclass(frozen=True, kw_only=True)
class _Translated:
    """A trial of ours, and the same as one of Optuna's."""

    trial: TrialRow
    frozen: FrozenTrial


def _export_phase(
    storage: optuna.storages.RDBStorage,
    study: StudyRow,
    plan: Plan,
    phase: Phase,
    trials: Sequence[_Translated],
    tell: Tell,
) -> str | None:
    """Add the trials of one phase; return the Optuna study's name, None where there are none yet."""
    mine = [each for each in trials if each.trial.phase is phase]
    if not mine:
        return None
    target = _target(storage, study, plan, phase)
    there = {each.user_attrs.get("trial"): each for each in target.get_trials(deepcopy=False)}
    tell(f"Optuna: {len(mine):,} trials ({phase})")
    for each in mine:  # an export that breaks off leaves whole trials, each added in one transaction
        found = there.get(each.trial.number)
        if found is None:
            target.add_trial(each.frozen)
        elif not found.state.is_finished() and each.frozen.state is not found.state:
            _go_on(storage, found._trial_id, each.frozen)
    return target.study_name


def _target(storage: optuna.storages.RDBStorage, study: StudyRow, plan: Plan, phase: Phase) -> optuna.Study:
    """Return the Optuna study of one phase of ours, made if need be; one of another origin keeps its name."""
    mine = identity(study) | {"phase": str(phase)}
    known = set(optuna.get_all_study_names(storage))
    for name in names_for(study.name + NAMES[phase]):
        if name not in known:
            made = optuna.create_study(
                study_name=name, storage=storage, direction=optuna_direction(plan.study)
            )
            for key, value in _about(study, plan).items():
                made.set_user_attr(key, value)
            made.set_user_attr(
                "studies", mine
            )  # last: a study without it was left by an export that broke off
            return made
        found = optuna.load_study(study_name=name, storage=storage)
        if found.user_attrs.get("studies") == mine:
            return found
    raise UsageError([f"--optuna: every name like {study.name} is taken"], "Give --optuna another database.")


def _about(study: StudyRow, plan: Plan) -> dict[str, Any]:
    return {
        "question": study.question,
        "objective": plan.study.objective,
        "dataset": plan.study.dataset,
        "fixed": study.plan.get("fixed", {}),
        "nuisances": study.plan.get("nuisances", {}),
        "replicates": plan.study.replicates,
    }


def _go_on(storage: optuna.storages.RDBStorage, trial_id: int, frozen: FrozenTrial) -> None:
    """Bring a trial that had not ended up to date; its state, after which it can no longer change, comes last."""
    for step, value in frozen.intermediate_values.items():
        storage.set_trial_intermediate_value(trial_id, step, value)
    for key, value in frozen.user_attrs.items():
        storage.set_trial_user_attr(trial_id, key, value)
    storage.set_trial_state_values(trial_id, frozen.state, frozen.values)


def _translated(store: Store, study: StudyRow, plan: Plan) -> Iterator[_Translated]:
    """Yield every trial of a study by number."""
    distributions = {name: _distribution(plan, name) for name in (*plan.study.factors, *plan.study.nuisances)}
    trials = store.trials(study.id)
    curves: dict[int, dict[int, float]] = {trial.number: {} for trial in trials}
    for row in store.rung_results(study.id):
        if row.objective is not None and math.isfinite(row.objective):
            curves[row.trial_number][row.epoch] = row.objective
    if any(trial.phase is Phase.CONFIRM and trial.state.has_ended for trial in trials):
        curves |= _confirm_curves(store, study, plan.study.objective)
    for trial in trials:
        yield _Translated(trial=trial, frozen=_frozen(trial, distributions, curves[trial.number]))


def _confirm_curves(store: Store, study: StudyRow, objective: str) -> dict[int, dict[int, float]]:
    """Return the mean objective of each confirm trial by epoch, where every one of its networks has one."""
    sums: dict[int, dict[int, list[float]]] = {}
    amounts: dict[int, int] = {}
    for network in networks(store, study, phase=Phase.CONFIRM):
        amounts[network.trial] = amounts.get(network.trial, 0) + 1
        by_epoch = sums.setdefault(network.trial, {})
        for epoch, measures in network.curves.items():
            if objective in measures:
                by_epoch.setdefault(epoch, []).append(measures[objective])
    return {
        trial: {
            epoch: math.fsum(values) / len(values)
            for epoch, values in by_epoch.items()
            if len(values) == amounts[trial]
        }
        for trial, by_epoch in sums.items()
    }


def _frozen(
    trial: TrialRow, distributions: Mapping[str, BaseDistribution], curve: Mapping[int, float]
) -> FrozenTrial:
    values = {name: as_optuna_choice(value) for name, value in trial.params.items()}
    params = {name: values[name] for name in distributions if name in values}
    params = {name: value for name, value in params.items() if _holds(distributions[name], value)}
    state, value = _ending(trial, curve)
    frozen = create_trial(
        state=state,
        value=value,
        params=params,
        distributions={name: distributions[name] for name in params},
        user_attrs=_attributes(trial) | ({} if len(params) == len(values) else {"params": values}),
        intermediate_values=dict(curve),
    )
    frozen.datetime_start = None if state is TrialState.WAITING else _local(trial.started_at)
    frozen.datetime_complete = _local(trial.ended_at) if state.is_finished() else None
    return frozen


def _ending(trial: TrialRow, curve: Mapping[int, float]) -> tuple[TrialState, float | None]:
    """Return a trial's state and value; one that was pruned has its last intermediate value, as Optuna gives it.

    A complete trial without a finite objective, which Optuna does not take, has failed there.
    """
    state = STATES[trial.state]
    if state is TrialState.PRUNED:
        return state, curve[max(curve)] if curve else None
    if state is not TrialState.COMPLETE:
        return state, None
    if trial.objective is None or not math.isfinite(trial.objective):
        return TrialState.FAIL, None
    return state, trial.objective


def _attributes(trial: TrialRow) -> dict[str, Any]:
    told = {
        "trial": trial.number,
        "phase": str(trial.phase),
        "cell": trial.cell,
        "epochs": trial.epochs,
        "busy_seconds": round(trial.busy_seconds, 3),
        "stop_reason": trial.stop_reason,
        "error": error_line(trial.error) if trial.error else None,
    }
    return {name: value for name, value in told.items() if value is not None}


def _local(at: datetime | None) -> datetime:
    """Return a time as Optuna keeps it: local, without its zone."""
    return (at or datetime.now().astimezone()).astimezone().replace(tzinfo=None)


def _distribution(plan: Plan, name: str) -> BaseDistribution:
    """Return the one distribution of a parameter in all trials; of ranges by optimizer the one that holds them all.

    Optuna's plots and importances need one for all trials.
    """
    if name in plan.study.factors:
        return CategoricalDistribution([as_optuna_choice(level) for level in plan.study.factors[name]])
    form = plan.study.nuisances[name]
    ranges: list[Any] = list(form.values()) if isinstance(form, Mapping) else [form]
    if all(range_ == ranges[0] for range_ in ranges):
        found: BaseDistribution = ranges[0]
        return found
    if isinstance(ranges[0], CategoricalDistribution):
        return CategoricalDistribution(list(dict.fromkeys(c for range_ in ranges for c in range_.choices)))
    low, high = min(range_.low for range_ in ranges), max(range_.high for range_ in ranges)
    log = all(range_.log for range_ in ranges)
    if all(isinstance(range_, IntDistribution) for range_ in ranges):
        return IntDistribution(low, high, log=log)
    return FloatDistribution(low, high, log=log)


def _holds(distribution: BaseDistribution, value: Any) -> bool:
    """Return whether a value is one of a distribution's; a stated default may lie outside."""
    if isinstance(distribution, CategoricalDistribution):
        return value in distribution.choices
    assert isinstance(distribution, FloatDistribution | IntDistribution)
    return isinstance(value, int | float) and distribution.low <= value <= distribution.high
