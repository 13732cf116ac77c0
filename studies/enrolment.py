"""A plan's row in the storage: found, made, or refused where its name has another plan."""

from dataclasses import replace

from studies import provenance, runs
from studies.database.rows import StudyRow
from studies.database.store import Store
from studies.errors import UsageError
from studies.growing import check_growth, grow
from studies.locations import Locations
from studies.planning import Plan, differences
from studies.request import Request


def enrol(store: Store, plan: Plan, request: Request, locations: Locations) -> StudyRow:
    """Return the study's row, made if it is new, and grown from another study if that is asked for.

    Raises UsageError, and writes nothing, where the name has another plan or the studies do not agree.
    """
    study = store.find_study(plan.name)
    if study is not None and study.plan_hash != plan.hash:
        raise _other_plan(store, study, plan, request, locations)
    source = None if request.grow_from is None else check_growth(store, plan, request.grow_from)
    if study is None:
        study = store.create_study(
            name=plan.name,
            question=plan.study.question,
            plan=plan.to_dict(),
            plan_hash=plan.hash,
            seed=plan.seed,
        )
    if source is not None and not store.trials(study.id):
        grow(store, study, plan, source, versions=provenance.versions(), locations=locations)
    return study


def _other_plan(
    store: Store, study: StudyRow, plan: Plan, request: Request, locations: Locations
) -> UsageError:
    """Return the refusal that shows the differences and both commands."""
    changed = "\n".join(f"  {line}" for line in differences(study.plan, plan.to_dict()))
    other = replace(request, name=f"{plan.name[:59]}-{plan.hash[:4]}")
    starts = runs.started_with(store.events(study.id))
    resume = starts[-1]["command"] if starts else "give the command that made it"
    return UsageError(
        [f"study {plan.name} exists with another plan (recorded -> asked for):\n{changed}"],
        f"Go on with the recorded one: {resume}\n"
        f"Run this one beside it: {other.command('run', *locations.arguments)}",
    )
