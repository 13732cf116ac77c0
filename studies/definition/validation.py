"""Validates a study field by field and returns canonical values; one error reports every mistake."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from keyword import iskeyword
from typing import Any, TypeAlias

from search_spaces import Space, spaces
from search_spaces.user_defined import is_default, user_space
from studies.base.errors import UsageError
from studies.base.messages import mistake, show, unknown
from studies.definition import ranges
from studies.definition.cross_field_rules import disagreements
from studies.definition.fields import PARTS, rules
from studies.definition.metrics import declared_metrics, objective_among
from studies.definition.parts import DefaultSmallestEffect
from trainables.base.metrics import OBJECTIVES
from trainables.data.tables.table_options import KINDS

ADVICE = "Correct the study's definition or the --set values; nothing was trained."
Unchecked: TypeAlias = Any
"""A study before validation, whose fields may hold anything."""
RESERVED = ("own", "widths", "from_dict")
"""Names that are attributes of Hyperparameters already."""
_FORMS: Mapping[str, Callable[[str, Space, object], object]] = {
    "factors": ranges.levels,
    "nuisances": ranges.range_,
    "fixed": ranges.value,
    "confirm.default": ranges.value,
}


@dataclass(kw_only=True)
class Findings:
    """What validation has found so far: mistakes, and the valid values in canonical form.

    `spaces` are those of all hyperparameters, the user's own included, whose names are `declared`.
    `values` is keyed by dotted field; `factors`, `nuisances`, `fixed` and `confirm.default` are mappings that lack
    the entries with a mistake, whose hyperparameters are in `broken`.
    """

    spaces: Mapping[str, Space] = field(default_factory=spaces)
    declared: set[object] = field(default_factory=set)
    values: dict[str, Any] = field(default_factory=dict)
    mistakes: list[str] = field(default_factory=list)
    broken: set[str] = field(default_factory=set)


def checked_fields(study: Unchecked) -> dict[str, Any]:
    """Return every field of `study` in canonical form; raise UsageError with all mistakes if there are any."""
    found = Findings()
    _check_plain_fields(study, found)
    _check_columns(study.columns, found)
    _check_metrics(study, found)
    _check_hyperparameters(study, found)
    _check_profiles(study.profiles, found)
    found.mistakes += disagreements(found.values, found.broken)
    found.mistakes += _looks_wait_for_an_answer(study, found)
    if found.mistakes:
        raise UsageError(found.mistakes, ADVICE)
    return _as_fields(study, found)


def _looks_wait_for_an_answer(study: Unchecked, found: Findings) -> Iterator[str]:
    """Yield a mistake if several looks are stated without a smallest effect, which nobody could ever be clear about."""
    looks, metrics = found.values.get("looks"), found.values.get("metrics")
    if not looks or len(looks) < 2 or metrics is None:
        return
    if metrics and metrics[0].smallest_effect is None:
        yield (
            f"several looks need a smallest effect, and the metric {metrics[0].name} has none; got looks "
            f"{show(looks)}: give it smallest_effect=..., or leave looks out"
        )
    elif not metrics and isinstance(study.smallest_effect, DefaultSmallestEffect):
        yield (
            f"several looks need a smallest effect that the study declares; got looks {show(looks)}: add "
            "smallest_effect=SmallestEffect(log_loss=...) or --set smallest_effect.log_loss=..., or leave looks out"
        )


def _check_plain_fields(study: Unchecked, found: Findings) -> None:
    holders: dict[str, object] = {"": study}
    for name, kind in PARTS.items():
        part = getattr(study, name)
        if isinstance(part, kind):
            holders[name] = part
        else:
            found.mistakes.append(mistake(name, f"made with {kind.__name__}(...)", part))
    for dotted, rule in rules().items():
        part_name, _, name = dotted.rpartition(".")
        if part_name not in holders:
            continue
        value = getattr(holders[part_name], name)
        if rule.allows(value):
            found.values[dotted] = rule.form(value)
        else:
            found.mistakes.append(mistake(dotted, rule.text, value, rule.choices))


def _check_columns(columns: object, found: Findings) -> None:
    """Check the stated kinds of a table's columns; whether the columns exist is checked when the table is read."""
    found.values["columns"] = {}
    if not isinstance(columns, Mapping):
        found.mistakes.append(
            mistake("columns", f"a mapping from columns to one of {', '.join(KINDS)}", columns)
        )
        return
    for name, kind in columns.items():
        field = f"columns.{name if isinstance(name, str) else show(name)}"
        if not isinstance(name, str):
            found.mistakes.append(f"{field}: a column's name is a text")
        elif not isinstance(kind, str) or kind not in KINDS:
            found.mistakes.append(mistake(field, f"one of {', '.join(KINDS)}", kind, KINDS))
        else:
            found.values["columns"][name] = kind


def _check_metrics(study: Unchecked, found: Findings) -> None:
    """Check the study's own metrics, and that the objective is one of those that are measured."""
    try:
        metrics = found.values["metrics"] = declared_metrics(study.metrics)
        if metrics:
            found.values["objective"] = objective_among(metrics, study.objective)
        elif study.objective not in OBJECTIVES:
            rule = f"one of {', '.join(OBJECTIVES)}"
            raise ValueError(mistake("objective", rule, study.objective, OBJECTIVES))
    except ValueError as error:
        found.mistakes += error.args


def _check_hyperparameters(study: Unchecked, found: Findings) -> None:
    _check_declared(study.hyperparameters, found)
    default = getattr(study.confirm, "default", {})
    given = {"factors": study.factors, "nuisances": study.nuisances, "fixed": study.fixed}
    for role, entries in (given | {"confirm.default": default}).items():
        found.values[role] = {}
        for name, entry in _known_entries(role, entries, found):
            try:
                found.values[role][name] = _FORMS[role](f"{role}.{name}", found.spaces[name], entry)
            except ValueError as error:
                found.mistakes += error.args
                found.broken.add(name)


def _check_declared(declared: object, found: Findings) -> None:
    """Check the hyperparameters that the user declares, and add the valid ones to the known spaces."""
    found.values["hyperparameters"] = {}
    found.declared = set(declared) if isinstance(declared, Mapping) else set()
    if not isinstance(declared, Mapping):
        found.mistakes.append(mistake("hyperparameters", "a mapping from names to defaults", declared))
        return
    for name, default in declared.items():
        field = f"hyperparameters.{name if isinstance(name, str) else show(name)}"
        if name in spaces():
            found.mistakes.append(
                f"{field}: {name} is a hyperparameter already, which build() gets: leave it out"
            )
        elif not isinstance(name, str) or not name.isidentifier() or iskeyword(name) or name.startswith("_"):
            found.mistakes.append(f"{field}: the name must be one that Python allows, without _ at its start")
        elif name in RESERVED:
            found.mistakes.append(f"{field}: the name is taken: choose another")
        elif not is_default(default):
            rule = "its default: a number, a text, true, false, or a list of these"
            found.mistakes.append(mistake(field, rule, default))
        else:
            space = user_space(name, default)
            found.values["hyperparameters"][name] = space.canonical(default)
            found.spaces = {**found.spaces, name: space}


def _known_entries(role: str, entries: object, found: Findings) -> Iterator[tuple[str, object]]:
    if not isinstance(entries, Mapping):
        found.mistakes.append(mistake(role, "a mapping from hyperparameters", entries))
        return
    for name, entry in entries.items():
        if isinstance(name, str) and name in found.spaces:
            yield name, entry
        elif name not in found.declared:  # a mistake in its declaration has been reported already
            label = name if isinstance(name, str) else show(name)
            found.mistakes.append(unknown(f"{role}.{label}", "hyperparameter", sorted(found.spaces)))


def _check_profiles(profiles: object, found: Findings) -> None:
    rule = "a mapping from a profile's name (not laptop, the study itself) to the fields that it sets"
    if not isinstance(profiles, Mapping) or not all(
        isinstance(name, str) and name != "laptop" and isinstance(settings, Mapping)
        for name, settings in profiles.items()
    ):
        found.mistakes.append(mistake("profiles", rule, profiles))
        return
    found.values["profiles"] = {name: dict(settings) for name, settings in profiles.items()}


def _as_fields(study: Unchecked, found: Findings) -> dict[str, Any]:
    values = found.values
    fields = {dotted: value for dotted, value in values.items() if "." not in dotted}
    for part in PARTS:
        inner = {d.partition(".")[2]: value for d, value in values.items() if d.startswith(f"{part}.")}
        fields[part] = replace(getattr(study, part), **inner)
    default = fields["confirm"].default
    if default:
        searched = [*fields["factors"], *fields["nuisances"]]
        stated = {name: default.get(name, found.spaces[name].default) for name in searched}
        fields["confirm"] = replace(fields["confirm"], default=stated)
    return fields
