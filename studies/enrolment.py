"""A plan's row in the storage: found, made, or refused where its name has another plan or it is held."""

from dataclasses import replace

from studies import provenance, runs
from studies.database.lease import held
from studies.database.rows import StudyRow
from studies.database.store import Store
from studies.errors import UsageError
from studies.growing import check_growth, grow
from studies.locations import Locations
from studies.planning import Plan, differences
from studies.request import Draft, Request


def refuse_while_held(drafted: Draft, storage: str) -> None:
    """Raise HeldError where another run holds the study, before its data is loaded.

    A name may end in a part of the plan's hash, which the data's fingerprint changes: so each one recorded is tried.
    """
    if (store := Store.open_existing(storage)) is None:
        return
    with store:
        studies = store.studies()
        fingerprints = {str(study.plan.get("dataset_fingerprint", "")) for study in studies}
        names = {drafted.plan(fingerprint).name for fingerprint in fingerprints}
        for study in studies:
            if study.name in names and (holder := store.holder(study.id)) is not None:
                raise held(study.name, holder)


def enrol(store: Store, plan: Plan, request: Request, locations: Locations) -> StudyRow:
    """Return the study's row, made if it is new.

    Raises UsageError, and writes nothing, where the name has another plan or cannot grow as asked.
    """
    study = store.find_study(plan.name)
    if study is None:
        if request.grow_from is not None:
            check_growth(store, plan, request.grow_from)
        study = _create(store, plan)
    if study.plan_hash != plan.hash:
        raise _other_plan(store, study, plan, request, locations)
    return study


def grow_as_asked(store: Store, study: StudyRow, plan: Plan, request: Request, locations: Locations) -> None:
    """Copy what another study has trained into one without trials, if that is asked for."""
    if request.grow_from is None:
        return
    source = check_growth(store, plan, request.grow_from)
    if not store.trials(study.id):
        grow(store, study, plan, source, versions=provenance.versions(), locations=locations)


def _create(store: Store, plan: Plan) -> StudyRow:
    """Return a new row, or the one that another run made in the same moment."""
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


def _other_plan(
    store: Store, study: StudyRow, plan: Plan, request: Request, locations: Locations
) -> UsageError:
    """Return the refusal that shows the differences and both commands."""
    changed = "\n".join(f"  {line}" for line in differences(study.plan, plan.to_dict()))
    other = replace(request, name=f"{plan.name[:59]}-{plan.hash[:4]}")
    starts = runs.started_with(store.events(study.id))
    resume = starts[-1]["command"] if starts else "give the command that made it"
    recorded, mine = study.plan.get("source_hash"), plan.source_hash
    undo = "put its file, and the modules beside it, back as they were; then " if recorded != mine else ""
    return UsageError(
        [f"study {plan.name} exists with another plan (recorded -> asked for):\n{changed}"],
        f"Go on with the recorded one: {undo}{resume}\n"
        f"Run this one beside it: {other.command('run', *locations.arguments)}",
    )
