"""Augmentation of training images, drawn anew at each step."""

from optuna.distributions import CategoricalDistribution

from search_spaces.space import Space

KINDS = ("shift", "rotation", "zoom", "shear", "flip")
"""Kinds of augmentation, in canonical order."""


def _kinds(value: object) -> list[str]:
    return value.split("+") if isinstance(value, str) and value != "none" else []


def _is_augmentation(value: object) -> bool:
    kinds = _kinds(value)
    return value == "none" or (bool(kinds) and set(kinds) <= set(KINDS) and len(set(kinds)) == len(kinds))


AUGMENTATION = Space(
    name="augmentation",
    about=(
        "changes of training images, drawn anew for each example and step: shift by up to 0.2 of the size, "
        "rotation by up to 20 degrees, zoom and shear by up to 0.2, flip (left to right, half of them); several are "
        "joined by +"
    ),
    rule=f"none, or some of {', '.join(KINDS)} joined by +, each once",
    contains=_is_augmentation,
    default="none",
    levels=("none", "shift+rotation+zoom"),
    search=CategoricalDistribution(("none", "shift+rotation+zoom")),
    form=lambda value: "+".join(kind for kind in KINDS if kind in _kinds(value)) or "none",
)
