"""The scores that a plan is about, as columns of a query where a table keeps them among its metrics."""

from collections.abc import Mapping
from typing import Any, Final

from sqlalchemy import ColumnElement, Double, Table, case, cast, null, type_coerce

from reports.inputs.early_stopping import stops_early
from studies.base.states import Phase
from studies.database.schema import tables
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


def of_epochs(plan: Mapping[str, Any]) -> list[ColumnElement[Any]]:
    """Return a column for each further score of an epoch."""
    return _further(plan, tables.epoch, VALIDATION)


def of_replicates(plan: Mapping[str, Any]) -> list[ColumnElement[Any]]:
    """Return a column for each further score of a replicate, and for the epochs at which it was best and stopped.

    Scores on the test part that the plan is not about are there in the confirm phase, None elsewhere. The query must
    join `trial`.
    """
    scores = [*_further(plan, tables.replicate, *PARTS), *_ends(plan)]
    there = {column.name for column in scores}
    is_confirmed = tables.trial.c.phase == Phase.CONFIRM
    return scores + [
        case((is_confirmed, _number(tables.replicate, name)), else_=null()).label(name)
        for name in (() if plan.get("metrics") else FURTHER_TEST_SCORES)
        if name not in there
    ]


def _further(plan: Mapping[str, Any], table: Table, *parts: str) -> list[ColumnElement[Any]]:
    """Return a column for each score that the plan is about and that has no column of its own, on these parts."""
    return [_number(table, part + name) for name in further_metrics(plan) for part in parts]


def _ends(plan: Mapping[str, Any]) -> list[ColumnElement[Any]]:
    """Return columns for the best epoch and the one after which a network stopped, if networks may stop early."""
    return (
        [_number(tables.replicate, name) for name in (BEST_EPOCH, STOPPED_EPOCH)] if stops_early(plan) else []
    )


def _number(table: Table, name: str) -> ColumnElement[Any]:
    """Return a column for one of the numbers that a table keeps among its metrics."""
    return type_coerce(cast(table.c.metrics[name].as_string(), Double), Double).label(name)
