"""The kinds of augmentation and how far each goes; a dataset lists those that keep its labels."""

KINDS = ("shift", "rotation", "zoom", "shear", "flip")

NONE = "none"

MAX_SHIFT = 0.2
"""Share of the width, and of the height, by which a picture is moved at most."""

MAX_DEGREES = 20.0
"""Degrees by which a picture is turned at most, either way."""

MAX_ZOOM = 0.2
"""A picture is drawn 1 - MAX_ZOOM to 1 + MAX_ZOOM times as large."""

MAX_SHEAR = 0.2
"""Share of its height above or below the middle by which a row is moved aside at most."""


def kinds_of(augmentation: str) -> tuple[str, ...]:
    """Return the kinds that an `augmentation` is made of; raise ValueError where it is not one.

    >>> kinds_of("none"), kinds_of("shift+rotation")
    ((), ('shift', 'rotation'))
    """
    kinds = () if augmentation == NONE else tuple(augmentation.split("+"))
    if not set(kinds) <= set(KINDS) or len(set(kinds)) < len(kinds):
        raise ValueError(
            f"augmentation: {NONE}, or some of {', '.join(KINDS)} joined by +, each once, got {augmentation!r}"
        )
    return kinds
