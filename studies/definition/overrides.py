"""Variants of a study, made by a profile and `--set` values, and the names of these variants."""

import hashlib
import json
import re
import shlex
from collections.abc import Collection, Mapping
from dataclasses import fields, replace
from types import MappingProxyType
from typing import Any

from studies.base.errors import UsageError
from studies.base.messages import show, unknown
from studies.definition.fields import PARTS
from studies.definition.parts import DefaultSmallestEffect
from studies.definition.serialization import plain_study, study_from_plain
from studies.definition.settings import DEFAULT_PROFILE, OPTIONS, SMOKE
from studies.definition.study import Study
from studies.definition.validation import ADVICE

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")


def derive(
    study: Study,
    *,
    profile: str = DEFAULT_PROFILE,
    settings: Mapping[str, Any] = MappingProxyType({}),
) -> Study:
    """Return `study` with a profile's fields set, then those of `settings`, both keyed by dotted field.

    A fixed hyperparameter that is set as a factor or nuisance is no longer fixed, and a factor or nuisance that is set
    fixed is no longer one (`held_instead` reports that). A change between factor and nuisance is refused, because
    either role may be the one that is meant. Raises UsageError with all mistakes: an unknown profile or field, and
    every value that breaks a rule.

    >>> from studies.study import Search
    >>> study = Study(question="Does depth help?", factors={"depth": (3, 5)}, search=Search(trials_per_cell=1))
    >>> derive(study, settings={"factors.depth": [3, 9], "replicates": 20}).factors
    {'depth': (3, 9)}
    """
    mistakes: list[str] = []
    profiles = {DEFAULT_PROFILE: {}, **study.profiles}
    if profile not in profiles:
        mistakes.append(unknown(str(profile), "profile", profiles))
    data = plain_study(study)
    changed = (profiles.get(profile, {}), settings)
    declares = any(str(field).startswith("smallest_effect.") for changes in changed for field in changes)
    if isinstance(study.smallest_effect, DefaultSmallestEffect) and not declares:
        del data["smallest_effect"]  # it stays undeclared
    if profile == SMOKE and data["looks"] is None:
        data["looks"] = []
    for changes in changed:
        _leave_older_roles(data, changes)
        for field, value in changes.items():
            mistakes += _set(data, field, value)
    advice = ADVICE
    try:
        derived = study_from_plain(data)
    except UsageError as error:
        mistakes, advice = [*mistakes, *error.mistakes], error.advice
    if mistakes:
        raise UsageError(mistakes, advice)
    return replace(derived, profiles=study.profiles)


def held_instead(study: Study, derived: Study) -> list[str]:
    """Return a line for each factor and nuisance of `study` that `derived` holds fixed.

    >>> from studies.study import Search
    >>> study = Study(question="?", factors={"depth": (3, 5), "width": (8, 9)}, search=Search(trials_per_cell=1))
    >>> held_instead(study, derive(study, settings={"fixed.depth": 5}))
    ['depth is fixed at 5, and is no factor of this variant']
    """
    return [
        f"{name} is fixed at {show(value)}, and is no {role} of this variant"
        for name, value in derived.fixed.items()
        for role, older in (("factor", study.factors), ("nuisance", study.nuisances))
        if name in older
    ]


def study_name(
    base: str,
    *,
    profile: str,
    settings: Collection[str],
    seed_given: bool,
    plan_hash: str,
    budget_seconds: float | None = None,
) -> str:
    """Return the default name of a study: the same command always gives the same name.

    >>> study_name("depth_study", profile="smoke", settings=["replicates"], seed_given=False, plan_hash="1f2e3d")
    'depth_study-smoke-1f2e'
    """
    if budget_seconds is not None:
        # The plan that fits into a budget depends on the machine and on recorded times; the name must not.
        plan_hash = hashlib.sha256(f"{plan_hash} in {budget_seconds:g} s".encode()).hexdigest()
    profile_part = "" if profile == DEFAULT_PROFILE else f"-{profile}"
    hash_part = f"-{plan_hash[:4]}" if settings or seed_given or budget_seconds else ""
    return check_name(f"{base}{profile_part}{hash_part}")


def check_name(name: str) -> str:
    """Return `name` if it is valid: it becomes a folder and part of commands. Raises UsageError otherwise.

    >>> check_name("depth_study-smoke")
    'depth_study-smoke'
    """
    if _NAME.fullmatch(name):
        return name
    rule = "1 to 64 letters, digits, dots, underscores and dashes, the first a letter or digit"
    raise UsageError([f"a study's name must be {rule}; got {json.dumps(name)}"], "Give another with --name.")


def _leave_older_roles(data: dict[str, Any], changes: Mapping[str, Any]) -> None:
    """Remove from `data` the earlier roles of hyperparameters that `changes` move between fixed and the other roles."""
    compared, fixed = _named(changes, "factors", "nuisances"), _named(changes, "fixed")
    for name in compared - fixed:
        data["fixed"].pop(name, None)
    for name in fixed - compared:
        for role in (data["factors"], data["nuisances"], data["confirm"]["default"]):
            role.pop(name, None)


def _named(changes: Mapping[str, Any], *roles: str) -> set[str]:
    """Return the hyperparameters to which `changes` give one of the roles."""
    names: set[str] = set()
    for field, value in changes.items():
        role, _, name = str(field).partition(".")
        if role in roles:
            names |= {name} if name else set(value) if isinstance(value, Mapping) else set()
    return names


def _set(data: dict[str, Any], field: str, value: object) -> list[str]:
    *branches, leaf = _path(str(field))
    if field in OPTIONS:
        option = shlex.join([OPTIONS[field], str(value)])
        return [f"{field}: no field of a plan, but an option: give {option} instead of --set {field}=..."]
    if field in PARTS:
        return [f"{field} is set field by field, for example {field}.{fields(PARTS[field])[0].name}"]
    place = data
    for depth, branch in enumerate(branches, start=1):
        place = place.setdefault(branch, {})
        if not isinstance(place, dict):
            return [f"{field}: no such field, as {'.'.join(branches[:depth])} has no fields of its own"]
    place[leaf] = value
    return []


def _path(field: str) -> list[str]:
    """Return the parts of a dotted field; the name of a table's column may have dots itself.

    >>> _path("columns.sepal.length"), _path("confirm.default.depth")
    (['columns', 'sepal.length'], ['confirm', 'default', 'depth'])
    """
    return field.split(".", 1) if field.startswith("columns.") else field.split(".")
