"""A study that an earlier version of plans recorded, found by the command that made it: reported, gone on with, or not.

A finished one is reported again. An unfinished one goes on by the rules of its own version where today's Studies still
trains by them: the same numbers from the same data. Else it is refused, with the reason and the ways out.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from studies.base.errors import UsageError
from studies.database.rows import StudyRow
from studies.database.store import Store
from studies.definition import plan_versions
from studies.execution.recorded_commands import command_in
from studies.execution.registration import is_complete
from studies.forecast.budget import cut_with
from studies.planning.plan import Plan
from studies.planning.request import Draft, Request
from studies.run_log import run_events
from studies.storage.paths import Locations

if TYPE_CHECKING:
    from trainables.data.dataset import Dataset


class CannotGoOnError(UsageError):
    """A recorded study cannot go on by the rules that it began with."""


@dataclass(frozen=True, kw_only=True)
class OlderStudy:
    """A recorded study of an earlier version: its row and plan, whether all is trained, and what recorded it."""

    study: StudyRow
    plan: Plan
    is_complete: bool
    recorded_by: str


def find_older(drafted: Draft, storage: str) -> OlderStudy | None:
    """Return the study that a draft is of, if an earlier version of plans recorded it and today's has none of its name.

    The data are not looked at: the recorded ones' fingerprint stands for them.
    """
    if (store := Store.open_existing(storage)) is None:
        return None
    with store:
        studies = store.studies()
        found = [pair for study in studies if (pair := _older(drafted, study)) is not None]
        todays = {drafted.plan(_fingerprint(study)).name for study in studies}
        if not found or any(
            _version(study) == plan_versions.TODAY and study.name in todays for study in studies
        ):
            return None
        study, plan = found[-1]
        starts = run_events.started_with(store.events(study.id))
        return OlderStudy(
            study=study,
            plan=plan,
            is_complete=is_complete(store, study, plan),
            recorded_by=run_events.recorded_by(starts),
        )


def in_its_version(drafted: Draft, older: OlderStudy | None) -> Draft:
    """Return the draft by the rules of the recorded study that it is of, if there is one."""
    return drafted if older is None else replace(drafted, version=older.plan.version)


def refuse_other_numbers(older: OlderStudy | None, drafted: Draft, locations: Locations) -> None:
    """Raise UsageError where training an older study would go on with other numbers than it began with."""
    if older is None or older.plan.loop is None:
        return
    if not plan_versions.trains_alike(older.plan.version, plan_versions.TODAY):
        raise _refusal(older, drafted, locations, "its train() would get other seeds than it began with")


def told_of(older: OlderStudy | None) -> tuple[str, ...]:
    """Return the line that a run of an older study tells while it goes on."""
    rules = None if older is None else plan_versions.older_rules(older.study.plan)
    return () if rules is None else (rules,)


@contextmanager
def data_as_recorded(older: OlderStudy | None, drafted: Draft, locations: Locations) -> Iterator[None]:
    """Tell what today's rules refuse, such as data, as what an older study cannot go on with."""
    try:
        yield
    except UsageError as error:
        if older is None or isinstance(error, CannotGoOnError):
            raise
        raise _refusal(older, drafted, locations, f"today's rules refuse it: {error.message}") from error


def refuse_other_data(
    older: OlderStudy | None, dataset: "Dataset", drafted: Draft, locations: Locations
) -> None:
    """Raise UsageError where the data that are read today are not those that an older study began with."""
    if older is not None and (different := other_data(older, dataset)) is not None:
        raise _refusal(older, drafted, locations, different)


def other_data(older: OlderStudy, dataset: "Dataset") -> str | None:
    """Say how the data that are read today differ from those of the study, None if they do not."""
    recorded, found = older.plan.dataset_fingerprint, dataset.fingerprint
    if found == recorded:
        return None
    return (
        "its data are read otherwise today, or were changed since: their fingerprint is "
        f"{found[:12]}, and {recorded[:12]} was recorded"
    )


def with_older_named(error: UsageError, request: Request, locations: Locations) -> UsageError:
    """Return the refusal of a request, with the study named that it made when other rules held, if there is one.

    A definition that today's rules refuse makes no plan to find it by; the command that was recorded does.
    """
    try:
        store = Store.open_existing(locations.storage)
    except UsageError:
        return error
    if store is None:
        return error
    with store:
        for study in reversed(store.studies()):
            starts = run_events.started_with(store.events(study.id)) if _is_older(study) else []
            command = command_in(starts[-1]["command"], locations) if starts else None
            if command is not None and command.request == request:
                told = (
                    f"This command recorded study {study.name} under plan version {_version(study)}, by other rules. "
                    f"Its report: studies report {study.name}; it goes on by what recorded it, "
                    f"{run_events.recorded_by(starts)}."
                )
                return UsageError(error.mistakes, f"{error.advice}\n{told}")
    return error


def afresh(older: OlderStudy, drafted: Draft, locations: Locations) -> str:
    """Return the command that trains the same by today's rules, under another name."""
    request = replace(drafted.request, name=f"{older.study.name[:60]}-v{plan_versions.TODAY}")
    return request.command("run", *locations.arguments)


def _refusal(older: OlderStudy, drafted: Draft, locations: Locations, reason: str) -> CannotGoOnError:
    """Return the refusal to go on, with both ways out: a fresh study, or the Studies that recorded this one."""
    study, version = older.study, older.plan.version
    changes = "".join(f"\n  - {each}" for each in plan_versions.changes_since(version, study.plan))
    since = f". Since version {version}:{changes}" if changes else ""
    return CannotGoOnError(
        [
            f"study {study.name} was recorded under plan version {version} and cannot go on under today's, "
            f"{plan_versions.TODAY}: {reason}{since}"
        ],
        f"Train it afresh by today's rules, under another name: {afresh(older, drafted, locations)}\n"
        f"Or go on with it by what recorded it, {older.recorded_by}. Nothing was trained.",
    )


def _older(drafted: Draft, study: StudyRow) -> tuple[StudyRow, Plan] | None:
    """Return a study with its plan if it is of an earlier version, and the draft's own by the rules of that."""
    if not _is_older(study):
        return None
    plan = replace(drafted, version=_version(study)).plan(_fingerprint(study))
    if plan.name != study.name:
        return None
    if drafted.request.budget is not None:
        cut = cut_with(plan, study.plan_hash)
        return None if cut is None else (study, cut)
    return (study, plan) if plan.hash == study.plan_hash else None


def _is_older(study: StudyRow) -> bool:
    return _version(study) in range(plan_versions.FIRST, plan_versions.TODAY)


def _version(study: StudyRow) -> Any:
    return study.plan.get(plan_versions.FIELD, plan_versions.FIRST)


def _fingerprint(study: StudyRow) -> str:
    return str(study.plan.get("dataset_fingerprint", ""))
