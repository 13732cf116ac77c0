"""Versions of plans and what each changed, so that a recorded study continues by the rules that it began with."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

FIRST, TODAY = 1, 3
"""A plan that states no version has the first; new plans have today's."""

ERROR_SHARES = 3
"""The first version of plans that state `error_shares`."""

UNTIL_CLEAR = 4
"""The first version whose extension blocks are scored on the validation and the test part together."""

_SEEDS_OF_TRAIN = 2
"""The first version in which a file's own train() gets the seeds that it gets today."""

FIELD = "plan_version"
"""The field of a stored plan that states its version."""


@dataclass(frozen=True, kw_only=True)
class Change:
    """One change that a version made, as text for the reader, and a predicate for the stored plans that it concerns."""

    text: str
    concerns: Callable[[Mapping[str, Any]], bool]


def _has_own_model(plan: Mapping[str, Any]) -> bool:
    return plan.get("model") == "own"


def _has_cells(plan: Mapping[str, Any]) -> bool:
    return plan.get("search", {}).get("trials") is None


def _has_a_table(plan: Mapping[str, Any]) -> bool:
    return str(plan.get("dataset")).startswith("csv:")


def _may_lack_classes(plan: Mapping[str, Any]) -> bool:
    """Return whether a part of the data may lack a class: the user's own data, or a share of the training part."""
    is_own = _has_a_table(plan) or plan.get("dataset") == "own"
    has_share = any("train_size" in plan.get(role, {}) for role in ("factors", "nuisances", "fixed"))
    return not plan.get("metrics") and (is_own or has_share)


CHANGES: Mapping[int, tuple[Change, ...]] = MappingProxyType(
    {
        2: (
            Change(
                text="a file's own train() gets a seed below 2^32, before that one below 2^63",
                concerns=_has_own_model,
            ),
            Change(
                text="random generators are restored before an interrupted train() goes on, before that by train() "
                "itself if at all",
                concerns=_has_own_model,
            ),
            Change(
                text="Python's and NumPy's generators are seeded for networks of a file's own build(), before that not",
                concerns=_has_own_model,
            ),
            Change(
                text="a table's columns with decimal commas, currency signs, ? and the like are numbers, before that "
                "categories",
                concerns=_has_a_table,
            ),
            Change(
                text="classes too rare to be in every part are refused unless the plan says otherwise, and scores that "
                "lack a class are missing; before that such classes were trained on, and a ROC AUC without them "
                "counted as .5",
                concerns=_may_lack_classes,
            ),
        ),
        3: (
            Change(
                text="each claim is read off one interval, widened for all comparisons of its family, and at most 5 % "
                "of studies say anything false on their page; before that Holm's p values decided, and unadjusted "
                "intervals were printed",
                concerns=_has_cells,
            ),
        ),
    }
)
"""The changes of each version."""


def trains_alike(version: int, other: int) -> bool:
    """Say whether a file's own train() gets the same seeds by the rules of both versions.

    >>> trains_alike(1, 2), trains_alike(2, 3)
    (False, True)
    """
    return (version < _SEEDS_OF_TRAIN) == (other < _SEEDS_OF_TRAIN)


def changes_since(version: int, plan: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the changes after `version` that concern a stored plan, as text.

    >>> changes_since(1, {"model": "mlp", "dataset": "csv:a.csv", "metrics": ["error"], "search": {"trials": 9}})
    ("a table's columns with decimal commas, currency signs, ? and the like are numbers, before that categories",)
    """
    later = (change for number in range(version + 1, TODAY + 1) for change in CHANGES[number])
    return tuple(change.text for change in later if change.concerns(plan))


def older_rules(plan: Mapping[str, Any]) -> str | None:
    """Return a sentence that names the older rules of a stored plan; None for today's version or an unknown one.

    >>> older_rules({"dataset": "digits", "model": "mlp", "search": {"trials": 9}})
    "Made by the rules of plan version 1 (today's is 3); nothing that was changed since concerns it."
    >>> older_rules({"plan_version": TODAY}) is None
    True
    """
    version = plan.get(FIELD, FIRST)
    if version not in range(FIRST, TODAY):
        return None
    changes = changes_since(version, plan)
    since = (
        f". Since then: {'; '.join(changes)}." if changes else "; nothing that was changed since concerns it."
    )
    return f"Made by the rules of plan version {version} (today's is {TODAY}){since}"
