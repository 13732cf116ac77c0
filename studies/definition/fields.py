"""The rule of every plain field of a study, and the canonical form of a valid value."""

import itertools
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields, replace
from functools import cache
from types import MappingProxyType

from search_spaces.rules import is_real, is_whole
from studies.definition.parts import Confirm, ErrorShares, Search, SmallestEffect, Thresholds
from trainables.base.metrics import OBJECTIVES
from trainables.data.tables.table_options import is_user_file
from trainables.user_code.code import OWN

PARTS = MappingProxyType(
    {
        "search": Search,
        "confirm": Confirm,
        "smallest_effect": SmallestEffect,
        "error_shares": ErrorShares,
        "thresholds": Thresholds,
    }
)
"""The fields of a study that have fields of their own."""


MOST_ERRORS = 0.05
"""The share of studies that may say anything false."""


@dataclass(frozen=True, kw_only=True)
class Rule:
    """The rule of a field: `text` completes "must be ...", `allows` checks a value, `form` makes it canonical."""

    text: str
    allows: Callable[[object], bool]
    form: Callable[..., object]
    choices: tuple[str, ...] = ()


@cache
def rules() -> Mapping[str, Rule]:
    """Return the rule of each plain field, dotted; mappings of hyperparameters have rules of their own.

    >>> rules()["replicates"].text
    'a whole number from 1 to 1000'
    """
    # Imported here: the models bring torch, and naming a study's fields should not wait for it.
    from trainables import models

    return MappingProxyType(
        {
            "question": Rule(text="a sentence", allows=_is_sentence, form=str),
            "dataset": _dataset(),
            "target": _or_null(Rule(text="the name of a column", allows=_is_sentence, form=str)),
            "header": _true_or_false(),
            "join_labels": _true_or_false(),
            "min_class_count": _or_null(_whole(2, 1_000_000)),
            "rare_classes": _one_of(("drop", "merge")),
            "model": _or_user_code(_one_of(models.names())),
            "objective": Rule(
                text=f"one of {', '.join(OBJECTIVES)}, or val_NAME of a metric that the study declares",
                allows=lambda value: isinstance(value, str),
                form=str,
                choices=OBJECTIVES,
            ),
            "replicates": _whole(1, 1000),
            "looks": Rule(
                text="a list of numbers of blocks from 1 to 1000, each larger than the one before, empty for one look "
                "at replicates, or null for those that follow from replicates",
                allows=lambda value: value is None or value in ([], ()) or _is_ladder(value, 1000),
                form=lambda value: None if value is None else tuple(value),
            ),
            "search.trials_per_cell": _or_null(_whole(1, 10_000)),
            "search.trials": _or_null(_whole(1, 100_000)),
            "search.rungs": Rule(
                text="a list of epochs from 1 to 100000, each later than the one before",
                allows=_is_ladder,
                form=tuple,
            ),
            "search.reduction_factor": _whole(2, 10),
            "search.sampler": _one_of(("qmc", "tpe", "random")),
            "confirm.epochs": _whole(1, 100_000),
            "confirm.best": _whole(1, 1000),
            "smallest_effect.log_loss": _above_zero(10),
            "smallest_effect.error": _above_zero(1),
            **{f"error_shares.{field.name}": _share() for field in fields(ErrorShares)},
            **{f"thresholds.{field.name}": _above_zero(1e6) for field in fields(Thresholds)},
        }
    )


def _dataset() -> Rule:
    from trainables import datasets

    known = _one_of(datasets.names())
    return Rule(
        text=f"{known.text}, csv:PATH or parquet:PATH",
        allows=lambda value: (
            known.allows(value) or value == OWN or (isinstance(value, str) and is_user_file(value))
        ),
        form=str,
        choices=known.choices,
    )


def _true_or_false() -> Rule:
    return Rule(text="true or false", allows=lambda value: isinstance(value, bool), form=bool)


def _or_user_code(rule: Rule) -> Rule:
    """Return the rule that also allows code from the study's own file."""
    return replace(rule, allows=lambda value: value == OWN or rule.allows(value))


def _one_of(choices: tuple[str, ...]) -> Rule:
    return Rule(
        text=f"one of {', '.join(choices)}",
        allows=lambda value: isinstance(value, str) and value in choices,
        form=str,
        choices=choices,
    )


def _whole(low: int, high: int) -> Rule:
    return Rule(
        text=f"a whole number from {low} to {high}",
        allows=lambda value: is_whole(value, low, high),
        form=int,
    )


def _or_null(rule: Rule) -> Rule:
    return Rule(
        text=f"null or {rule.text}",
        allows=lambda value: value is None or rule.allows(value),
        form=lambda value: None if value is None else rule.form(value),
    )


def _above_zero(high: float) -> Rule:
    return Rule(
        text=f"a number above 0, at most {high:.0f}",
        allows=lambda value: is_real(value, 0, high, above=True),
        form=float,
    )


def _share() -> Rule:
    return Rule(
        text=f"a number above 0, at most {MOST_ERRORS:g}",
        allows=lambda value: is_real(value, 0, MOST_ERRORS, above=True),
        form=float,
    )


def _is_sentence(value: object) -> bool:
    return isinstance(value, str) and bool(value.strip())


def _is_ladder(value: object, high: int = 100_000) -> bool:
    if not isinstance(value, list | tuple) or not value:
        return False
    if not all(is_whole(step, 1, high) for step in value):
        return False
    return all(earlier < later for earlier, later in itertools.pairwise(value))
