"""Reads a study from a stored plan: each field in its form, without today's rules.

The rules change from version to version, and a recorded study must stay readable. So only the type of each value is
checked: a value of another type means that the row was damaged.
"""

import types
from collections.abc import Mapping
from dataclasses import MISSING, fields
from typing import Any, ForwardRef, Literal, Union, get_args, get_origin, get_type_hints

from optuna.distributions import (
    BaseDistribution,
    CategoricalDistribution,
    FloatDistribution,
    IntDistribution,
)

from studies.base.messages import show
from studies.definition.fields import PARTS
from studies.definition.parts import Confirm
from studies.definition.study import Study
from trainables.base.metrics import Metric

NEVER_STORED = ("profiles", "as_recorded")
"""Fields of a study that are not part of its plan."""

ALWAYS_STORED = (
    *("question", "dataset", "model", "objective", "factors", "nuisances", "fixed", "replicates"),
    *("search", "confirm", "smallest_effect"),
)
"""Fields that plans of every version have."""


def study_as_recorded(data: Mapping[str, Any]) -> Study:
    """Return the study of a plan that `plain_study` wrote; fields that earlier versions did not have take defaults.

    Raises ValueError with the field and its value if Studies cannot have written it.
    """
    missing = [name for name in ALWAYS_STORED if name not in data]
    if missing:
        raise ValueError(f"{missing[0]} is missing")
    read: dict[str, Any] = {"nuisances": _nuisances(_mapping("nuisances", data["nuisances"]))}
    # A plan states its looks; one without them has a single one, whatever today's rules would plan.
    rest = {"looks": [], **{name: value for name, value in data.items() if name not in read}}
    return Study(**_read_fields(Study, rest, ""), **read, as_recorded=True)


def _read_fields(kind: type, data: Mapping[str, Any], prefix: str) -> dict[str, Any]:
    """Return the values of a dataclass's fields, converted to the types of their annotations."""
    hints = get_type_hints(kind)
    known = {field.name for field in fields(kind) if field.name not in NEVER_STORED}
    unknown = [name for name in data if name not in known]
    if unknown:
        raise ValueError(f"{prefix}{unknown[0]} is no field of a plan")
    needed = [each.name for each in fields(kind) if each.default is each.default_factory is MISSING]
    missing = [name for name in needed if name not in data]
    if missing:
        raise ValueError(f"{prefix}{missing[0]} is missing")
    return {name: _read(f"{prefix}{name}", hints[name], value) for name, value in data.items()}


def _read(field: str, hint: Any, value: Any) -> Any:
    """Return a JSON value converted to the type `hint`; raise ValueError if it does not have that type."""
    if isinstance(hint, ForwardRef):  # a list among a hyperparameter's values
        _, hint = get_args(get_type_hints(Confirm)["default"])
    origin = get_origin(hint)
    if hint in PARTS.values() or hint is Metric:
        return hint(**_read_fields(hint, _mapping(field, value), f"{field}."))
    if origin in (Union, types.UnionType):
        return _read_any(field, get_args(hint), value)
    if origin is tuple and isinstance(value, list):
        return tuple(_read(field, get_args(hint)[0], part) for part in value)
    if isinstance(origin, type) and issubclass(origin, Mapping):
        return {
            name: _read(f"{field}.{name}", get_args(hint)[1], v) for name, v in _mapping(field, value).items()
        }
    if hint is Any or (origin is Literal and value in get_args(hint)):
        return value
    if isinstance(hint, type) and _is_of(value, hint):
        return value
    raise ValueError(f"{field} holds {show(value)}")


def _read_any(field: str, hints: tuple[Any, ...], value: Any) -> Any:
    for hint in hints:
        try:
            return _read(field, hint, value)
        except ValueError:
            continue
    raise ValueError(f"{field} holds {show(value)}")


def _is_of(value: Any, kind: type) -> bool:
    if isinstance(value, bool) or kind is bool:
        return isinstance(value, bool) and kind is bool
    return isinstance(value, int | float if kind is float else kind)


def _mapping(field: str, value: Any) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise ValueError(f"{field} holds {show(value)}")
    return value


def _nuisances(entries: Mapping[str, Any]) -> dict[str, Any]:
    """Return each nuisance's distribution, or its distributions by optimizer."""
    read: dict[str, Any] = {}
    for name, entry in entries.items():
        field = f"nuisances.{name}"
        form = _mapping(field, entry)
        is_range = bool({"choices", "low"} & set(form))
        read[name] = (
            _distribution(field, form)
            if is_range
            else {key: _distribution(f"{field}.{key}", _mapping(field, each)) for key, each in form.items()}
        )
    return read


def _distribution(field: str, form: Mapping[str, Any]) -> BaseDistribution:
    """Return the distribution with this plain form: whole numbers at both ends make a range of whole numbers."""
    try:
        if set(form) == {"choices"}:
            return CategoricalDistribution(form["choices"])
        ends = (form["low"], form["high"])
        if all(isinstance(end, int) and not isinstance(end, bool) for end in ends):
            return IntDistribution(**form)
        if all(isinstance(end, float) for end in ends):
            return FloatDistribution(**form)
    except (TypeError, ValueError, KeyError):
        pass
    raise ValueError(f"{field} holds {show(form)}")
