"""The error for a study name that is recorded with another plan: it shows a command to resume that, one to run this.

Both commands are tried before they are shown: a command resumes the recorded plan if the plan made from it is the same.
If none does, the message says what has to be restored first.
"""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from studies.base.errors import StudiesError, UsageError
from studies.base.states import Until
from studies.database.rows import StudyRow
from studies.database.store import Store
from studies.definition import plan_versions
from studies.execution.recorded_commands import Command, command_in
from studies.forecast.budget import cut_with
from studies.planning.plan import Plan, differences
from studies.planning.request import Draft, Request, draft
from studies.run_log import run_events
from studies.storage.paths import Locations


def other_plan(
    store: Store, study: StudyRow, plan: Plan, request: Request, locations: Locations
) -> UsageError:
    """Return the error with the differences between the plans and both commands."""
    mine = replace(plan, version=_version(study))
    changed = "\n".join(f"  {line}" for line in differences(study.plan, mine.to_dict()))
    beside = Command(request=replace(request, name=_free_name(store, plan)), arguments=locations.arguments)
    return UsageError(
        [f"study {plan.name} exists with another plan (recorded -> asked for):\n{changed}"],
        f"Go on with the recorded one: {_resuming(store, study, plan, request, locations)}\n"
        f"Run this one beside it: {beside}",
    )


def command_to_next_look(study: StudyRow, request: Request, locations: Locations) -> str:
    """Return the command that goes on to the next look of a recorded study: without the budget that stopped it."""
    asked = replace(request, until=Until.CLEAR)
    if request.budget is not None:
        asked = _restored(replace(asked, budget=None), study) or asked
    return str(Command(request=asked, arguments=locations.arguments))


def _resuming(store: Store, study: StudyRow, plan: Plan, request: Request, locations: Locations) -> str:
    """Return a command that resumes the recorded plan, or what to restore first."""
    starts = run_events.started_with(store.events(study.id))
    recorded = command_in(starts[-1]["command"], locations) if starts else None
    given = Command(request=request, arguments=locations.arguments)
    first = recorded or given
    for command in _candidates(first, request, study):
        if _comes_to(command.request, study):
            return str(command)
    text = str(first) if recorded is not None or not starts else starts[-1]["command"]
    return f"{_to_put_back(study, plan, run_events.recorded_by(starts))}; then {text}"


def _candidates(command: Command, request: Request, study: StudyRow) -> Iterator[Command]:
    """Yield candidates: the recorded command, also with the given file, each also with the recorded fields set."""
    for path in dict.fromkeys([command.request.study, request.study]):
        asked = replace(command.request, study=path)
        yield replace(command, request=asked)
        if (restored := _restored(asked, study)) is not None:
            yield replace(command, request=restored)


def _restored(request: Request, study: StudyRow) -> Request | None:
    """Return the request with every field set that differs in the recorded plan; None if it is not valid."""
    drafted = _drafted(request, study)
    if drafted is None:
        return None
    found = drafted.plan(str(study.plan.get("dataset_fingerprint"))).to_dict()
    ours = {"seed", "dataset_fingerprint", "source_hash", plan_versions.FIELD}
    settings = {
        field: value
        for field, value in _fields(study.plan)
        if field not in ours and dict(_fields(found)).get(field) != value
    }
    seed = None if study.seed == (request.seed or 0) else study.seed
    return replace(
        request,
        settings={**request.settings, **settings},
        seed=request.seed if seed is None else seed,
        name=study.name,
    )


def _fields(plan: Any) -> Iterator[tuple[str, Any]]:
    """Yield a plan's fields by their names in `--set`, those of parts and roles one by one."""
    for name, value in plan.items():
        if isinstance(value, dict) and name != "hyperparameters":
            yield from ((f"{name}.{key}", each) for key, each in value.items())
        else:
            yield name, value


def _comes_to(request: Request, study: StudyRow) -> bool:
    """Return whether a run of this request would resume the recorded plan."""
    from studies.execution.preparation import load_dataset

    drafted = _drafted(request, study)
    if drafted is None:
        return False
    try:
        plan = drafted.freeze(load_dataset(drafted))
    except StudiesError:
        return False
    seeds_changed = not plan_versions.trains_alike(plan.version, plan_versions.TODAY)
    if plan.name != study.name or (seeds_changed and plan.loop is not None):
        return False
    if request.budget is not None:
        return cut_with(plan, study.plan_hash) is not None
    return plan.hash == study.plan_hash


def _drafted(request: Request, study: StudyRow) -> Draft | None:
    try:
        return replace(draft(request), version=_version(study))
    except StudiesError:
        return None


def _to_put_back(study: StudyRow, plan: Plan, recorded_by: str) -> str:
    """Return what the user must restore before a command can resume the recorded plan."""
    old = study.plan
    if old.get("source_hash") != plan.source_hash:
        return "put its file, and the modules beside it, back as they were"
    if (
        old.get("dataset") == plan.study.dataset
        and old.get("dataset_fingerprint") != plan.dataset_fingerprint
    ):
        return f"put its data ({plan.study.dataset}) back as they were"
    return (
        f"this version of Studies defines it differently, so use the version that recorded it, {recorded_by}"
    )


def _free_name(store: Store, plan: Plan) -> str:
    """Return a name for the plan that is free, or already belongs to this very plan."""
    names = (f"{plan.name[: 63 - length]}-{plan.hash[:length]}" for length in (4, 8, 16, 32))
    return next(
        name for name in names if (row := store.find_study(name)) is None or row.plan_hash == plan.hash
    )


def _version(study: StudyRow) -> int:
    """Return the version of a recorded plan; today's if it states none or an unknown one."""
    version = study.plan.get(plan_versions.FIELD, plan_versions.FIRST)
    return version if version in range(plan_versions.FIRST, plan_versions.TODAY) else plan_versions.TODAY
