"""Predicates for the values of spaces; each accepts any object and never raises."""

from optuna.distributions import CategoricalDistribution

from search_spaces.space import Space


def is_whole(value: object, low: int, high: int) -> bool:
    """Return whether `value` is a whole number from `low` to `high`; True and 3.0 are not.

    >>> is_whole(3, 1, 5), is_whole(True, 1, 5), is_whole(3.0, 1, 5)
    (True, False, False)
    """
    return isinstance(value, int) and not isinstance(value, bool) and low <= value <= high


def is_real(value: object, low: float, high: float, *, above: bool = False, below: bool = False) -> bool:
    """Return whether `value` is a number from `low` to `high`, excluding an end if `above` or `below` is set.

    >>> is_real(1, 0, 1), is_real(1, 0, 1, below=True), is_real(float("nan"), 0, 1)
    (True, False, False)
    """
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    return low <= value <= high and not (above and value == low) and not (below and value == high)


def one_of(name: str, choices: tuple[str, ...], *, about: str, default: str) -> Space:
    """Return the space of a hyperparameter with a few text values.

    >>> one_of("colour", ("red", "blue"), about="a colour", default="red").rule
    'one of red, blue'
    """
    return Space(
        name=name,
        about=about,
        rule=f"one of {', '.join(choices)}",
        contains=lambda value: isinstance(value, str) and value in choices,
        default=default,
        levels=choices,
        search=CategoricalDistribution(choices),
        choices=choices,
    )
