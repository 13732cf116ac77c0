"""The space of one hyperparameter: its rule, its default, the levels to compare and the range to search."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeAlias, cast

from optuna.distributions import BaseDistribution

Value: TypeAlias = "bool | int | float | str | tuple[Value, ...] | None"
"""A hyperparameter's value: plain data that JSON can hold, with tuples for lists."""


@dataclass(frozen=True, kw_only=True)
class Space:
    """The values that one hyperparameter may take.

    `rule` completes the sentence "must be ...", and `contains` decides it for any object without raising.
    `default` applies if a study does not mention the hyperparameter. `levels` are the values usually
    compared; `search` is the usual range as a nuisance, a mapping if it differs by optimizer.
    `number` is `int` if only whole numbers make sense, `float` for any numbers, None if values are not numbers.
    `choices` lists the values of a hyperparameter that has few. `form` makes a text canonical, if it can be written in
    several ways.

    >>> from search_spaces import spaces
    >>> depth = spaces()["depth"]
    >>> depth.contains(3), depth.contains(0)
    (True, False)
    """

    name: str
    about: str
    rule: str
    contains: Callable[[object], bool]
    default: Value
    levels: tuple[Value, ...] = ()
    search: BaseDistribution | Mapping[str, BaseDistribution] | None = None
    number: type[int] | type[float] | None = None
    choices: tuple[Value, ...] = ()
    form: Callable[[object], str] | None = None

    def canonical(self, value: object) -> Value:
        """Return the canonical form of an allowed value, so that 0, 0.0 and -0.0 are the same dropout.

        >>> from search_spaces import spaces
        >>> spaces()["dropout"].canonical(0), spaces()["width"].canonical([64, 32])
        (0.0, (64, 32))
        """
        if isinstance(value, list | tuple):
            return tuple(self.canonical(part) for part in value)
        if self.number and isinstance(value, int | float) and not isinstance(value, bool):
            return self.number(value) + 0  # adding 0 turns -0.0 into 0.0
        if self.form and isinstance(value, str):
            return self.form(value)
        return cast(Value, value)
