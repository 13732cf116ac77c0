"""The kinds of augmentation and their limits; a dataset lists the kinds that keep its labels."""

KINDS = ("shift", "rotation", "zoom", "shear", "flip")

NONE = "none"

MAX_SHIFT = 0.2
"""Largest shift, as a share of the width and of the height."""

MAX_DEGREES = 20.0
"""Largest rotation in degrees, either way."""

MAX_ZOOM = 0.2
"""An image is drawn 1 - MAX_ZOOM to 1 + MAX_ZOOM times as large."""

MAX_SHEAR = 0.2
"""Largest horizontal shift of a row, as a share of its distance from the middle row."""


def kinds_of(augmentation: str) -> tuple[str, ...]:
    """Return the kinds in an `augmentation`; raise ValueError if it is not valid.

    >>> kinds_of("none"), kinds_of("shift+rotation")
    ((), ('shift', 'rotation'))
    """
    kinds = () if augmentation == NONE else tuple(augmentation.split("+"))
    if not set(kinds) <= set(KINDS) or len(set(kinds)) < len(kinds):
        raise ValueError(
            f"augmentation: {NONE}, or some of {', '.join(KINDS)} joined by +, each once, got {augmentation!r}"
        )
    return kinds
