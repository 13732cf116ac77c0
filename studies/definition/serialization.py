"""Conversion between a study and plain data, for JSON, for the plan's hash and for `--set`."""

from collections.abc import Iterator, Mapping
from dataclasses import fields
from typing import Any

from optuna.distributions import BaseDistribution

from search_spaces import spaces
from studies.base.errors import UsageError
from studies.base.messages import did_you_mean, mistake, show
from studies.definition import ranges
from studies.definition.fields import PARTS, rules
from studies.definition.metrics import plain_metrics
from studies.definition.study import Study
from studies.definition.validation import ADVICE

_ROLES = ("factors", "nuisances", "fixed", "confirm.default")


def plain_study(study: Study) -> dict[str, Any]:
    """Return a study as JSON data, without its profiles; `looks` is null where they follow from the rest.

    Factors and levels keep their order, which is the order of comparison; the other names are sorted.

    >>> from studies.study import Search
    >>> study = Study(question="?", factors={"depth": (3, 5)}, search=Search(trials_per_cell=1))
    >>> plain_study(study)["factors"]
    {'depth': [3, 5]}
    """
    ranges = {name: _plain_range(range_) for name, range_ in study.nuisances.items()}
    return {
        "question": study.question,
        "dataset": study.dataset,
        **({} if study.target is None else {"target": study.target}),
        **({"columns": _sorted(study.columns)} if study.columns else {}),
        **({} if study.header else {"header": False}),
        **({"join_labels": True} if study.join_labels else {}),
        **_rare_classes(study),
        **({"hyperparameters": _listed_values(study.hyperparameters)} if study.hyperparameters else {}),
        "model": study.model,
        "objective": study.objective,
        **({"metrics": plain_metrics(study.metrics)} if study.metrics else {}),
        "factors": {name: _listed(levels) for name, levels in study.factors.items()},
        "nuisances": dict(sorted(ranges.items())),
        "fixed": _sorted(study.fixed),
        "replicates": study.replicates,
        "looks": None if study.looks is None else list(study.looks),
        "search": _plain_part(study.search),
        "confirm": _plain_part(study.confirm) | {"default": _sorted(study.confirm.default)},
        "smallest_effect": _plain_part(study.smallest_effect),
        "error_shares": _plain_part(study.error_shares),
        "thresholds": _plain_part(study.thresholds),
    }


def _rare_classes(study: Study) -> dict[str, Any]:
    """Return the fields about rare classes, where the study sets them."""
    if study.min_class_count is None:
        return {}
    merged = {"rare_classes": study.rare_classes} if study.rare_classes != "drop" else {}
    return {"min_class_count": study.min_class_count, **merged}


def study_from_plain(data: Mapping[str, Any]) -> Study:
    """Return the study that plain data describes; what it leaves out takes its default.

    Raises UsageError with all mistakes, unknown fields among them.
    """
    known = {field.name for field in fields(Study)} - {"profiles", "as_recorded"}
    given = {"question": ""} | {name: value for name, value in data.items() if name in known}
    unknown = list(_unknown_fields(data))
    mistakes = [*unknown]
    for name, kind in PARTS.items():
        if name not in given:
            continue
        part = given.pop(name)
        if isinstance(part, Mapping):
            own = {field.name for field in fields(kind)}
            given[name] = kind(**{key: value for key, value in part.items() if key in own})
        else:
            mistakes.append(mistake(name, "a mapping of its fields", part))
    try:
        study = Study(**given)
    except UsageError as error:
        mistakes += error.mistakes
    if mistakes:
        raise UsageError(mistakes, f"{ADVICE} Fields: {', '.join(_valid_fields())}." if unknown else ADVICE)
    return study


def _unknown_fields(data: Mapping[str, Any]) -> Iterator[str]:
    entries = {role: data[role] for role in _ROLES[:3] if isinstance(data.get(role), Mapping)}
    present = [f"{role}.{name}" for role, names in entries.items() for name in names]
    fields_and_names = [*rules(), *present, *(f"{role}.{name}" for role in _ROLES for name in spaces())]
    declared = data.get("hyperparameters")
    hyperparameters = {*spaces(), *(declared if isinstance(declared, Mapping) else ())}
    known = {*rules(), *PARTS, *_ROLES, "columns", "hyperparameters", "metrics"}
    for name, value in data.items():
        if name in hyperparameters:
            yield f"{name}: no such field; {_roles_of(name, value)}"
            continue
        has_parts = (
            isinstance(value, Mapping) and value and name not in (*_ROLES, "columns", "hyperparameters")
        )
        for field in [f"{name}.{key}" for key in value] if has_parts else [name]:
            if field not in known:
                yield f"{field}: no such field{did_you_mean(field, fields_and_names)}"


def _roles_of(name: str, value: object) -> str:
    """Return how to set a hyperparameter that was given without a role, the role that its value suggests first."""
    if isinstance(value, Mapping):
        return f"it is a hyperparameter: set nuisances.{name}={show(value)} to tune it"
    if isinstance(value, list | tuple):
        return f"it is a hyperparameter: set factors.{name}={show(value)} to compare these levels"
    held, levels = f"fixed.{name}={show(value)}", f"factors.{name}=[{show(value)},...]"
    return f"it is a hyperparameter: set {held} to hold it, or {levels} to compare levels"


def _valid_fields() -> tuple[str, ...]:
    return (*rules(), "columns.NAME", *(f"{role}.NAME" for role in _ROLES))


def _plain_range(range_: Any) -> dict[str, Any]:
    if isinstance(range_, BaseDistribution):
        return ranges.plain(range_)
    return {optimizer: ranges.plain(range_[optimizer]) for optimizer in sorted(range_)}


def _plain_part(part: Any) -> dict[str, Any]:
    return {field.name: _listed(getattr(part, field.name)) for field in fields(part)}


def _sorted(values: Mapping[str, Any]) -> dict[str, Any]:
    return {name: _listed(values[name]) for name in sorted(values)}


def _listed_values(values: Mapping[str, Any]) -> dict[str, Any]:
    return {name: _listed(value) for name, value in values.items()}


def _listed(value: object) -> object:
    return [_listed(part) for part in value] if isinstance(value, tuple | list) else value
