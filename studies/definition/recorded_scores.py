"""Which scores of a study's networks are kept beside those that every network has, told from its recorded plan."""

from collections.abc import Mapping
from typing import Any, Final

from reports.inputs.early_stopping import stops_early
from trainables.base.metrics import BEST_EPOCH, COLUMNS, FURTHER_TEST_SCORES, STOPPED_EPOCH, TEST, VALIDATION

PARTS: Final = (VALIDATION, TEST)


def further_metrics(plan: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the names of the metrics that a plan is about and that are kept among others, not in a column.

    >>> further_metrics({"objective": "val_macro_f1"}), further_metrics({"objective": "val_loss"})
    (('macro_f1',), ())
    """
    own = (str(metric["name"]) for metric in plan.get("metrics", ()))
    names = dict.fromkeys([*own, str(plan.get("objective", "")).removeprefix(VALIDATION)])
    return tuple(name for name in names if name and name not in COLUMNS)


def scores_of_epochs(plan: Mapping[str, Any]) -> list[str]:
    """Return the further scores of an epoch, which are taken on the validation part."""
    return [VALIDATION + name for name in further_metrics(plan)]


def scores_of_networks(plan: Mapping[str, Any]) -> list[str]:
    """Return the further scores of a network on each part; with early stopping its best and its last epoch too."""
    epochs = (BEST_EPOCH, STOPPED_EPOCH) if stops_early(plan) else ()
    return [*(part + name for name in further_metrics(plan) for part in PARTS), *epochs]


def scores_of_confirmed(plan: Mapping[str, Any]) -> list[str]:
    """Return the scores on the test part that the plan is not about; in the confirm phase a classifier has them."""
    if plan.get("metrics"):
        return []
    about = scores_of_networks(plan)
    return [name for name in FURTHER_TEST_SCORES if name not in about]
