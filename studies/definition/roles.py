"""What a study may say of a hyperparameter: levels to compare, a range to tune over, or the value it is held at.

Each function returns the one form of an entry, or raises ValueError with its mistakes as arguments.
"""

from collections.abc import Mapping
from typing import cast

from optuna.distributions import BaseDistribution

from search_spaces import Space, Value, spaces
from studies.base.messages import mistake, show, unknown
from studies.definition import ranges
from studies.definition.settings import command_form

_FORM_KEYS = {"low", "high", "log", "choices"}


def levels(field: str, space: Space, entry: object) -> tuple[Value, ...]:
    """Return a factor's levels; a single value is one level.

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
    if same := ranges.same_values(canonical):
        raise ValueError(f"{field} must have different levels; got {show(entry)}, where {same}")
    return canonical


def range_(field: str, space: Space, entry: object) -> BaseDistribution | dict[str, BaseDistribution]:
    """Return a nuisance's distribution, or its distributions by optimizer."""
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
    """Return the value that a hyperparameter is held at."""
    if not space.contains(entry):
        raise ValueError(mistake(field, space.rule, entry, space.choices) + _as_text(field, space, entry))
    return space.canonical(entry)


def _as_text(field: str, space: Space, entry: object) -> str:
    """Return how a number, true or null is given as the text that a hyperparameter of the user's own wants."""
    scalar = entry[0] if isinstance(entry, list) and entry else entry
    if space.choices or not isinstance(space.default, str) or not isinstance(scalar, int | float | None):
        return ""
    return f"; as a text: {command_form(field, [show(scalar)] if isinstance(entry, list) else show(scalar))}"


def _distribution(field: str, space: Space, form: object) -> BaseDistribution:
    try:
        return ranges.distribution(space, form)
    except ValueError as error:
        raise ValueError(f"{field} {error}") from error
