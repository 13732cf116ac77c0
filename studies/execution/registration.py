"""Registers a plan in the storage: finds or creates its row, or refuses it."""

from studies.base.durations import parse_budget
from studies.base.errors import UsageError
from studies.base.states import StudyState
from studies.database.lease import held
from studies.database.rows import StudyRow
from studies.database.schema import migrate
from studies.database.store import Store
from studies.definition import plan_versions
from studies.execution.other_plan import other_plan
from studies.execution.reuse import check_growth, grow
from studies.forecast.pace import look_seconds
from studies.planning.plan import Plan
from studies.planning.request import Draft, Request
from studies.planning.resources import Resources, workers_here
from studies.run_log import looks, provenance, run_events
from studies.storage.paths import DEFAULT_STORAGE, Locations


def will_train(drafted: Draft, storage: str, *, take_over: bool) -> bool:
    """Return whether a run will have to train, before any data is loaded: its study is new or unfinished.

    Raises HeldError if another run holds the study, unless `take_over`, and UsageError if the storage cannot be made.
    The study's name may depend on the data's fingerprint, so the fingerprint of every recorded study is tried; what
    only the data can show is checked later.
    """
    if (store := Store.open_existing(storage)) is None:
        if storage != DEFAULT_STORAGE:  # the folder of the default one is made by the run
            migrate.backend_for(storage).check_place()
        return drafted.request.grow_from is None
    with store:
        studies = store.studies()
        fingerprints = {str(study.plan.get("dataset_fingerprint", "")) for study in studies}
        plans = [drafted.plan(fingerprint) for fingerprint in fingerprints]
        found = {study.id: study for study in studies if study.name in {plan.name for plan in plans}}
        for study in found.values() if not take_over else ():
            if (holder := store.holder(study.id)) is not None:
                raise held(study.name, holder)
        known = [(study, plan) for study in found.values() for plan in plans if plan.hash == study.plan_hash]
        return not found or any(not is_complete(store, study, plan) for study, plan in known)


def is_complete(store: Store, study: StudyRow, plan: Plan) -> bool:
    """Return whether nothing of a study is left to train."""
    return study.state is StudyState.COMPLETE and next_look(store, study, plan) is None


def next_look(store: Store, study: StudyRow, plan: Plan) -> int | None:
    """Return the number of blocks of the first planned look that is left to train; None if there is none.

    None is left once every question is answered. Plans before version 4 train all of their looks.
    """
    events = store.events(study.id)
    if plan.version < plan_versions.UNTIL_CLEAR or len(plan.study.all_looks) == 1:
        left = plan.study.all_looks[run_events.looks_done(events) :]
        return left[0] if left else None
    decided = looks.decisions(events)
    blocks: int | None = decided[-1]["next_blocks"] if decided else plan.study.all_looks[0]
    return blocks


def next_look_fits(
    store: Store, study: StudyRow, plan: Plan, *, budget: str | None, resources: Resources
) -> bool:
    """Return whether the next look of a study whose looks so far are complete fits into what is left of the budget.

    True without a budget, and for a study that is still at a look: that was predicted to fit when it began.
    """
    decided = looks.decisions(store.events(study.id))
    found = store.find_study(plan.name)
    if budget is None or not decided or found is None or found.state is not StudyState.COMPLETE:
        return True
    networks = len(decided[-1]["cells"]) * plan.num_replicates(decided[-1]["look"])
    needs = look_seconds(plan, store.trials(study.id), networks=networks, num_workers=workers_here(resources))
    spent = run_events.total_seconds(store.events(study.id))["wall"]
    return needs <= parse_budget(budget) - spent


def register(store: Store, plan: Plan, request: Request, locations: Locations) -> StudyRow:
    """Return the study's row, created if it is new.

    Raises UsageError, and writes nothing, if the name has another plan, or cannot grow as requested.
    """
    study = store.find_study(plan.name)
    if study is None:
        if request.grow_from is not None:
            check_growth(store, plan, request.grow_from)
        study = _create(store, plan)
    if study.plan_hash != plan.hash:
        raise other_plan(store, study, plan, request, locations)
    return study


def grow_as_asked(store: Store, study: StudyRow, plan: Plan, request: Request, locations: Locations) -> None:
    """Copy the results of another study into this one, if requested and this one has no trials yet."""
    if request.grow_from is None:
        return
    source = check_growth(store, plan, request.grow_from)
    if not store.trials(study.id):
        grow(store, study, plan, source, versions=provenance.versions(), locations=locations)


def _create(store: Store, plan: Plan) -> StudyRow:
    """Return a new row, or the one that another run has created at the same moment."""
    try:
        return store.create_study(
            name=plan.name,
            question=plan.study.question,
            plan=plan.to_dict(),
            plan_hash=plan.hash,
            seed=plan.seed,
        )
    except UsageError:
        study = store.find_study(plan.name)
        if study is None:
            raise
        return study
