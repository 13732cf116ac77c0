"""Which rows of a study a page is made from: all of them, or of a very large study those that it needs."""

from collections.abc import Mapping
from typing import Any, Final

from sqlalchemy import (
    ColumnElement,
    Connection,
    Double,
    Select,
    Table,
    cast,
    exists,
    func,
    select,
)

from studies.base.states import Phase
from studies.database.schema import tables
from trainables.base.metrics import BEST_EPOCH

MOST_ROWS: Final = 3_000_000
"""Rows of epochs or of layers, beyond which a page is made without those of the search that it does not need."""

Extent = Mapping[Table, ColumnElement[bool]]
"""The conditions of the rows that are read, by table; all rows of the other tables are."""


def extent_of_page(
    connection: Connection, study_id: int, plan: Mapping[str, Any], *, trial: int | None = None
) -> Extent:
    """Return which rows a study's page is made from; empty for all rows, as of nearly every study.

    With more than MOST_ROWS epochs or layers these are the confirm phase's, and of the search the epochs at rungs and
    those at which networks were best. With `trial` all rows of that trial are among them.
    """
    if not any(_has_more(connection, study_id, table) for table in (tables.epoch, tables.layer_gradient)):
        return {}
    epoch = tables.epoch.c
    at_rungs: ColumnElement[bool] = epoch.epoch.in_([int(rung) for rung in plan["search"]["rungs"]])
    if _may_stop_early(plan):
        at_rungs |= _is_best_epoch()
    return {
        tables.epoch: _is_confirmed(tables.epoch, study_id, trial) | at_rungs,
        tables.layer_gradient: _is_confirmed(tables.layer_gradient, study_id, trial),
    }


def epochs_of_networks(study_id: int) -> Select[Any]:
    """Return the query for how many epochs are recorded of each network: size, nunique and max."""
    epoch = tables.epoch.c
    network = (epoch.trial_number, epoch.replicate)
    return (
        select(
            *network,
            func.count().label("size"),
            func.count(epoch.epoch.distinct()).label("nunique"),
            func.max(epoch.epoch).label("max"),
        )
        .where(epoch.study_id == study_id)
        .group_by(*network)
        .order_by(*network)
    )


def _has_more(connection: Connection, study_id: int, table: Table) -> bool:
    beyond = select(table.c.trial_number).where(table.c.study_id == study_id).offset(MOST_ROWS).limit(1)
    return connection.execute(beyond).first() is not None


def _is_confirmed(table: Table, study_id: int, trial: int | None) -> ColumnElement[bool]:
    of_study = tables.trial.c.study_id == study_id
    confirm = select(tables.trial.c.number).where(of_study, tables.trial.c.phase == Phase.CONFIRM)
    is_confirmed = table.c.trial_number.in_(confirm)
    return is_confirmed if trial is None else is_confirmed | (table.c.trial_number == trial)


def _may_stop_early(plan: Mapping[str, Any]) -> bool:
    """Return whether a plan has a patience, or may have one in some of its cells or trials."""
    varied = {*plan.get("factors", {}), *plan.get("nuisances", {})}
    return "patience" in varied or plan.get("fixed", {}).get("patience") is not None


def _is_best_epoch() -> ColumnElement[bool]:
    """Return whether a network was best at an epoch, whose scores it keeps where it stops early."""
    epoch, replicate = tables.epoch.c, tables.replicate.c
    return exists().where(
        replicate.study_id == epoch.study_id,
        replicate.trial_number == epoch.trial_number,
        replicate.replicate == epoch.replicate,
        cast(replicate.metrics[BEST_EPOCH].as_string(), Double) == epoch.epoch,
    )
