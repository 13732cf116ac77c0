"""A study that an earlier version of plans recorded, found by the command that made it: reported, gone on with, or not.

A finished one is reported again. An unfinished one goes on by the rules of its own version where today's Studies still
trains by them: the same numbers from the same data. Else it is refused, with the reason and the ways out.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from studies import plan_versions, runs
from studies.budgeting import cut_with
from studies.database.rows import StudyRow
from studies.database.store import Store
from studies.enrolment import is_complete
from studies.errors import UsageError
from studies.locations import Locations
from studies.planning import Plan
from studies.request import Draft

if TYPE_CHECKING:
    from trainables.datasets import Dataset


class CannotGoOnError(UsageError):
    """A recorded study cannot go on by the rules that it began with."""


@dataclass(frozen=True, kw_only=True)
class OlderStudy:
    """A recorded study of an earlier version: its row and plan, whether all is trained, and what recorded it."""

    study: StudyRow
    plan: Plan
    is_complete: bool
    recorded_by: str

    @property
    def rules(self) -> str:
        """The sentence that names the rules it goes on by."""
        rules = plan_versions.older_rules(self.plan.version)
        assert rules is not None, "an older study has older rules"
        return rules


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
        starts = runs.started_with(store.events(study.id))
        return OlderStudy(
            study=study,
            plan=plan,
            is_complete=is_complete(store, study, plan),
            recorded_by=runs.recorded_by(starts),
        )


def in_its_version(drafted: Draft, older: OlderStudy | None) -> Draft:
    """Return the draft by the rules of the recorded study that it is of, if there is one."""
    return drafted if older is None else replace(drafted, version=older.plan.version)


def refuse_other_numbers(older: OlderStudy | None, drafted: Draft, locations: Locations) -> None:
    """Raise UsageError where training an older study would go on with other numbers than it began with."""
    if older is not None and older.plan.loop is not None:
        raise _refusal(older, drafted, locations, "its train() would get other seeds than it began with")


def told_of(older: OlderStudy | None) -> tuple[str, ...]:
    """Return the line that a run of an older study tells while it goes on."""
    return () if older is None else (older.rules,)


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


def _refusal(older: OlderStudy, drafted: Draft, locations: Locations, reason: str) -> CannotGoOnError:
    """Return the refusal to go on, with both ways out: a fresh study, or the Studies that recorded this one."""
    study, version = older.study, older.plan.version
    changes = "".join(f"\n  - {change}" for change in plan_versions.changes_since(version))
    afresh = replace(drafted.request, name=f"{study.name[:60]}-v{plan_versions.TODAY}")
    return CannotGoOnError(
        [
            f"study {study.name} was recorded under plan version {version} and cannot go on under today's, "
            f"{plan_versions.TODAY}: {reason}. Since version {version}:{changes}"
        ],
        f"Train it afresh by today's rules, under another name: {afresh.command('run', *locations.arguments)}\n"
        f"Or go on with it by what recorded it, {older.recorded_by}. Nothing was trained.",
    )


def _older(drafted: Draft, study: StudyRow) -> tuple[StudyRow, Plan] | None:
    """Return a study with its plan if it is of an earlier version, and the draft's own by the rules of that."""
    version = _version(study)
    if version not in range(plan_versions.FIRST, plan_versions.TODAY):
        return None
    plan = replace(drafted, version=version).plan(_fingerprint(study))
    if plan.name != study.name:
        return None
    if drafted.request.budget is not None:
        cut = cut_with(plan, study.plan_hash)
        return None if cut is None else (study, cut)
    return (study, plan) if plan.hash == study.plan_hash else None


def _version(study: StudyRow) -> Any:
    return study.plan.get(plan_versions.FIELD, plan_versions.FIRST)


def _fingerprint(study: StudyRow) -> str:
    return str(study.plan.get("dataset_fingerprint", ""))
