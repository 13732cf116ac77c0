"""Hyperparameters of a user's own network, whose spaces follow from their declared defaults."""

from collections.abc import Callable, Mapping

from search_spaces.rules import is_real
from search_spaces.space import Space, Value

LARGEST = 1e12


def user_space(name: str, default: Value) -> Space:
    """Return the space of a hyperparameter that is declared by its default; its values have the default's type.

    >>> user_space("num_heads", 4).contains(8), user_space("num_heads", 4).contains("eight")
    (True, False)
    """
    rule, contains, number = _KINDS[type(default)]
    return Space(
        name=name,
        about="a hyperparameter of your own",
        rule=rule,
        contains=contains,
        default=default,
        number=number,
        choices=(False, True) if isinstance(default, bool) else (),
    )


def is_default(value: object) -> bool:
    """Return whether a value can be the default of a user's own hyperparameter."""
    return type(value) in _KINDS and _KINDS[type(value)][1](value)


def _is_whole(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and abs(value) <= LARGEST


def _is_list(value: object) -> bool:
    return isinstance(value, list | tuple) and all(
        isinstance(part, bool | str) or is_real(part, -LARGEST, LARGEST) for part in value
    )


_LIST = "a list of numbers, texts, true and false", _is_list, None
_KINDS: Mapping[type, tuple[str, Callable[[object], bool], type[int] | type[float] | None]] = {
    bool: ("true or false", lambda value: isinstance(value, bool), None),
    int: ("a whole number, as its default is", _is_whole, int),
    float: ("a number, as its default is", lambda value: is_real(value, -LARGEST, LARGEST), float),
    str: ("a text, as its default is", lambda value: isinstance(value, str) and bool(value), None),
    list: _LIST,
    tuple: _LIST,
}
