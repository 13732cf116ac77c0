"""Canonical forms of factor levels, nuisance ranges and fixed values, with the mistakes in them."""

import math
from collections.abc import Mapping, Sequence
from typing import Any, cast

from optuna.distributions import (
    BaseDistribution,
    CategoricalDistribution,
    FloatDistribution,
    IntDistribution,
)

from search_spaces import Space, Value, spaces
from studies.base.messages import mistake, show, unknown
from studies.definition.settings import command_form

_FORM = 'a range such as {"low": 1, "high": 9, "log": true}, or {"choices": [...]}'


def plain(distribution: BaseDistribution) -> dict[str, Any]:
    """Return a distribution as plain data.

    >>> plain(FloatDistribution(3e-4, 3e-2, log=True))
    {'low': 0.0003, 'high': 0.03, 'log': True}
    """
    if isinstance(distribution, CategoricalDistribution):
        return {"choices": list(distribution.choices)}
    range_ = cast(FloatDistribution | IntDistribution, distribution)
    form: dict[str, Any] = {"low": range_.low, "high": range_.high, "log": range_.log}
    return form if range_.step in (None, 1) else form | {"step": range_.step}


def distribution(space: Space, form: object) -> BaseDistribution:
    """Return the distribution over `space` that `form` describes, in plain data or as one of Optuna's.

    A range steps by 1 where the space has whole numbers only; other steps are written as choices.
    Raises ValueError with the rule and the value if `form` is malformed or leaves the space.

    >>> from search_spaces import spaces
    >>> distribution(spaces()["width"], {"low": 16, "high": 256, "log": True})
    IntDistribution(high=256, log=True, low=16, step=1)
    """
    if isinstance(form, CategoricalDistribution | FloatDistribution | IntDistribution):
        form = plain(form)
    if isinstance(form, Mapping) and set(form) == {"choices"}:
        return _categorical(space, form["choices"])
    if isinstance(form, Mapping) and {"low", "high"} <= set(form) <= {"low", "high", "log"}:
        return _range(space, form)
    raise ValueError(f"must be {_FORM}; got {show(form)}")


def num_values(distribution: BaseDistribution) -> float:
    """Return how many different values a distribution has, infinity for a range of real numbers.

    >>> num_values(IntDistribution(1, 10)), num_values(FloatDistribution(0, 1))
    (10, inf)
    """
    if isinstance(distribution, CategoricalDistribution):
        return len(distribution.choices)
    if isinstance(distribution, IntDistribution):
        return distribution.high - distribution.low + 1
    return 1 if distribution.single() else math.inf


def ends(distribution: BaseDistribution) -> tuple[Value, ...]:
    """Return the ends of a range, or every choice.

    >>> ends(FloatDistribution(0.1, 0.5)), ends(CategoricalDistribution(["relu", "gelu"]))
    ((0.1, 0.5), ('relu', 'gelu'))
    """
    if isinstance(distribution, CategoricalDistribution):
        return tuple(distribution.choices)
    range_ = cast(FloatDistribution | IntDistribution, distribution)
    return (range_.low, range_.high)


def middle(distribution: BaseDistribution) -> Value:
    """Return the middle of a range on its own scale, a whole number where it has only those; or the middle choice.

    >>> middle(FloatDistribution(0.01, 1.0, log=True)), middle(IntDistribution(1, 4))
    (0.1, 2)
    """
    if isinstance(distribution, CategoricalDistribution):
        return cast(Value, distribution.choices[len(distribution.choices) // 2])
    range_ = cast(FloatDistribution | IntDistribution, distribution)
    low, high = range_.low, range_.high
    found = math.sqrt(low * high) if range_.log else (low + high) / 2
    return round(found) if isinstance(low, int) else found


def same_values(values: Sequence[object]) -> str:
    """Return a text that names two equal values, or values equal but for rounding; empty if all differ.

    >>> same_values((0.3, 0.1 + 0.2)), same_values((0.3, 0.31))
    ('0.3 and 0.30000000000000004 are equal but for rounding', '')
    """
    for place, value in enumerate(values):
        for later in values[place + 1 :]:
            if _is_same(value, later):
                return (
                    f"{show(value)} is there twice"
                    if show(value) == show(later)
                    else f"{show(value)} and {show(later)} are equal but for rounding"
                )
    return ""


def _is_same(value: object, other: object) -> bool:
    if isinstance(value, float) and isinstance(other, float):
        return math.isclose(value, other)
    if isinstance(value, tuple) and isinstance(other, tuple):
        return len(value) == len(other) and all(map(_is_same, value, other))
    return value == other


def _categorical(space: Space, choices: object) -> CategoricalDistribution:
    if not isinstance(choices, list | tuple) or not choices:
        raise ValueError(f"must have a list of at least one choice; got {show(choices)}")
    for choice in choices:
        # Optuna stores scalars only, so a list of widths cannot be a choice.
        if isinstance(choice, list | tuple) or not space.contains(choice):
            raise ValueError(f"must have choices that are each {space.rule}; got {show(choice)}")
    canonical: list[Any] = [space.canonical(choice) for choice in choices]
    if same := same_values(canonical):
        raise ValueError(f"must have different choices; got {show(choices)}, where {same}")
    return CategoricalDistribution(canonical)


def _range(space: Space, form: Mapping[str, Any]) -> FloatDistribution | IntDistribution:
    if space.number is None:
        raise ValueError(f'must be {{"choices": [...]}}, each {space.rule}; got {show(form)}')
    for end in ("low", "high"):
        if not isinstance(form[end], int | float) or not space.contains(form[end]):
            raise ValueError(f"must stay within its rule, {space.rule}; got {end} {show(form[end])}")
    low, high, log = form["low"] + 0, form["high"] + 0, form.get("log", False)  # adding 0 turns -0.0 into 0.0
    if not isinstance(log, bool):
        raise ValueError(f"must have log true or false; got {show(log)}")
    if low > high:
        raise ValueError(f"must have low at most high; got {show(form)}")
    if log and low <= 0:
        raise ValueError(f"must have low above 0 where log is true; got {show(form)}")
    if space.number is int:
        return IntDistribution(int(low), int(high), log=log)
    return FloatDistribution(low, high, log=log)


_FORM_KEYS = {"low", "high", "log", "choices"}


def levels(field: str, space: Space, entry: object) -> tuple[Value, ...]:
    """Return a factor's levels in canonical form; a single value is one level. Raises ValueError with the mistakes.

    >>> levels("factors.dropout", spaces()["dropout"], [0, 0.5])
    (0.0, 0.5)
    """
    found = tuple(entry) if isinstance(entry, list | tuple) else (entry,)
    if not found:
        raise ValueError(f"{field} must have at least one level; got []")
    wrong = [level for level in found if not space.contains(level)]
    if wrong:
        raise ValueError(
            *[
                mistake(f"each level of {field}", space.rule, level, space.choices)
                + _as_text(field, space, [level])
                for level in wrong
            ]
        )
    canonical = tuple(space.canonical(level) for level in found)
    if same := same_values(canonical):
        raise ValueError(f"{field} must have different levels; got {show(entry)}, where {same}")
    return canonical


def range_(field: str, space: Space, entry: object) -> BaseDistribution | dict[str, BaseDistribution]:
    """Return a nuisance's distribution, or its distributions by optimizer. Raises ValueError with the mistakes."""
    if not isinstance(entry, Mapping) or not entry or _FORM_KEYS & set(entry):
        return _distribution(field, space, entry)
    optimizers = spaces()["optimizer"].choices
    by_optimizer: dict[str, BaseDistribution] = {}
    wrong: list[str] = []
    for optimizer, form in entry.items():
        try:
            if optimizer not in optimizers:
                raise ValueError(
                    unknown(f"{field}.{optimizer}", "optimizer", cast(tuple[str, ...], optimizers))
                )
            by_optimizer[str(optimizer)] = _distribution(f"{field}.{optimizer}", space, form)
        except ValueError as error:
            wrong += error.args
    if wrong:
        raise ValueError(*wrong)
    return by_optimizer


def value(field: str, space: Space, entry: object) -> Value:
    """Return a fixed value in canonical form. Raises ValueError with the mistake."""
    if not space.contains(entry):
        raise ValueError(mistake(field, space.rule, entry, space.choices) + _as_text(field, space, entry))
    return space.canonical(entry)


def _as_text(field: str, space: Space, entry: object) -> str:
    """Return how to give a number, true or null as text, for a hyperparameter of the user's whose values are text."""
    scalar = entry[0] if isinstance(entry, list) and entry else entry
    if space.choices or not isinstance(space.default, str) or not isinstance(scalar, int | float | None):
        return ""
    return f"; as a text: {command_form(field, [show(scalar)] if isinstance(entry, list) else show(scalar))}"


def _distribution(field: str, space: Space, form: object) -> BaseDistribution:
    try:
        return distribution(space, form)
    except ValueError as error:
        raise ValueError(f"{field} {error}") from error
