"""The versions of plans: what each changed in rules and numbers, so that a recorded study goes on as it began."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

FIRST, TODAY = 1, 2
"""Plans that state no version are of the first; what is recorded from now on is of today's."""

FIELD = "plan_version"
"""The field of a stored plan that states it."""

CHANGES: Mapping[int, tuple[str, ...]] = MappingProxyType(
    {
        2: (
            "the seed that a file's own train() gets is below 2^32, and was up to 2^63 before",
            "random generators of a resumed train() are restored before it goes on, and were left to train() before",
            "columns of a table with decimal commas, currency signs, ? and the like are read as numbers, and were "
            "categories before",
            "classes too rare to be in every part are refused unless the plan says otherwise, and a score that is "
            "undefined without them is missing; before, they were trained on, and an undefined ROC AUC counted as .5",
        ),
    }
)
"""What each version changed from the one before, as a reader is told."""


def changes_since(version: int) -> tuple[str, ...]:
    """Return what was changed after `version`, nothing for today's.

    >>> len(changes_since(1)), changes_since(TODAY)
    (4, ())
    """
    return tuple(change for later in range(version + 1, TODAY + 1) for change in CHANGES[later])


def rules_of(plan: Mapping[str, Any]) -> str | None:
    """Return the sentence that names the older rules of a stored plan; None for today's, or none that is known.

    >>> rules_of({"plan_version": TODAY}) is None, rules_of({}) == older_rules(FIRST)
    (True, True)
    """
    version = plan.get(FIELD, FIRST)
    return older_rules(version) if version in range(FIRST, TODAY) else None


def older_rules(version: int) -> str | None:
    """Return the sentence that names the older rules that a study was made by, None for today's.

    >>> older_rules(1)[:62]
    'Made by the rules of plan version 1; today\'s is 2. Since then: '
    """
    changes = changes_since(version)
    if not changes:
        return None
    return (
        f"Made by the rules of plan version {version}; today's is {TODAY}. Since then: {'; '.join(changes)}."
    )
