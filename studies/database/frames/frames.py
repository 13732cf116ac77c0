"""Tidy data frames of what a study recorded: one row for each trial, replicate, epoch, layer or event."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final

import numpy as np
import pandas as pd
from sqlalchemy import (
    Column,
    ColumnElement,
    Connection,
    Double,
    Select,
    Table,
    case,
    cast,
    null,
    select,
    type_coerce,
)

from studies.base.errors import StudiesError
from studies.base.states import Phase
from studies.database.frames.columns import levels_of, read_columns
from studies.database.frames.extent import Extent, epochs_of_networks, extent_of_page
from studies.database.reader import read_study
from studies.database.rows import EventRow, StudyRow
from studies.database.schema import tables
from studies.database.store import Store
from studies.definition.holdout import holdout_columns
from studies.definition.recorded_scores import scores_of_confirmed, scores_of_epochs, scores_of_networks


@dataclass(frozen=True, kw_only=True)
class Frames:
    """A study's row and all its frames, read from one snapshot, so that they agree while the study runs."""

    study: StudyRow
    trials: pd.DataFrame
    replicates: pd.DataFrame
    epochs: pd.DataFrame
    gradients: pd.DataFrame
    events: pd.DataFrame
    evaluation: pd.DataFrame
    artifacts: pd.DataFrame
    recorded_epochs: pd.DataFrame | None = None
    """How many epochs are recorded of each network, where not all of them are among `epochs`; else None."""


_WHOLE: Final[Extent] = MappingProxyType({})
_NOT_SHOWN: Final = ("study_id", "fencing_token", "digest")


OF_DECISIONS: Final = ("trials", "replicates", "events")
"""The frames that the decision after a look is made from."""


def snapshot(
    store: Store,
    study_id: int,
    *,
    only: Collection[str] | None = None,
    whole: bool = True,
    trial: int | None = None,
) -> Frames:
    """Read a study's row and all its frames from one snapshot; raise StudiesError if the study no longer exists.

    Of frames that are not among `only`, where that is given, there is an empty one. Unless `whole`, epochs and layers
    are those that a page is made from (`extent_of_page`), and all of those of `trial`.
    """
    with store.reading() as connection:
        study = read_study(connection, tables.study.c.id == study_id)
        if study is None:
            raise StudiesError("the study was deleted just now", "See what there is: studies list")
        extent = {} if whole else extent_of_page(connection, study_id, study.plan, trial=trial)
        recorded = read_columns(connection, epochs_of_networks(study_id)) if extent else None
        return Frames(
            study=study,
            recorded_epochs=None if recorded is None else pd.DataFrame(recorded),
            **{
                name: read(connection, study_id, extent) if only is None or name in only else pd.DataFrame()
                for name, read in _READERS.items()
            },
        )


def trials(store: Store, study_id: int) -> pd.DataFrame:
    """Return one row for each trial, with a column for each factor and nuisance."""
    with store.reading() as connection:
        return _trials(connection, study_id)


def replicates(store: Store, study_id: int, phase: Phase | None = None) -> pd.DataFrame:
    """Return one row for each replicate of an ended trial of one phase or both, with its trial's parameters.

    `verdicts` holds the measurements behind the verdicts; it is read in the confirm phase only, None elsewhere.
    """
    with store.reading() as connection:
        return _replicates(connection, study_id, phase=phase)


def of_trial(store: Store, study_id: int, number: int) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the rows of `replicates` and of `epochs` that belong to one trial."""
    extent = {
        tables.replicate: tables.replicate.c.trial_number == number,
        tables.epoch: tables.epoch.c.trial_number == number,
    }
    with store.reading() as connection:
        return _replicates(connection, study_id, extent), _epochs(connection, study_id, extent)


def verdicts(store: Store, study_id: int, trial_number: int) -> dict[int, Any]:
    """Return the measurements behind the verdicts of a trial's replicates, by replicate, in either phase."""
    table = tables.replicate.c
    query = select(table.replicate, table.verdicts).where(
        table.study_id == study_id, table.trial_number == trial_number
    )
    with store.reading() as connection:
        return {row.replicate: row.verdicts for row in connection.execute(query)}


def epochs(store: Store, study_id: int) -> pd.DataFrame:
    """Return one row for each trial, replicate and epoch (from 1); losses in nats."""
    with store.reading() as connection:
        return _epochs(connection, study_id)


def gradients(store: Store, study_id: int) -> pd.DataFrame:
    """Return one row for each trial, replicate, epoch (0: the initialisation) and layer (from 1, at the input)."""
    with store.reading() as connection:
        return _gradients(connection, study_id)


def events(store: Store, study_id: int) -> pd.DataFrame:
    """Return one row for each event, in order."""
    with store.reading() as connection:
        return _events(connection, study_id)


def as_events(frame: pd.DataFrame) -> list[EventRow]:
    """Return the rows of a frame of events."""
    rows = frame.astype(object).where(frame.notna(), None).to_dict("records")
    return [EventRow(**{str(name): value for name, value in row.items()}) for row in rows]


def evaluation(store: Store, study_id: int) -> pd.DataFrame:
    """Return one row for each evaluated replicate, with its confusion counts and calibration bins."""
    with store.reading() as connection:
        return _evaluation(connection, study_id)


def artifacts(store: Store, study_id: int) -> pd.DataFrame:
    """Return one row for each recorded file of the study, by path."""
    with store.reading() as connection:
        return _artifacts(connection, study_id)


def _trials(connection: Connection, study_id: int, extent: Extent = _WHOLE) -> pd.DataFrame:
    table = tables.trial
    chosen = _but(table, "attempt_epochs", "params", "versions")
    query = select(*chosen).where(table.c.study_id == study_id).order_by(table.c.number)
    return _with_params(connection, study_id, query, number="number")


def _replicates(
    connection: Connection, study_id: int, extent: Extent = _WHOLE, phase: Phase | None = None
) -> pd.DataFrame:
    trial, replicate = tables.trial.c, tables.replicate.c
    of_trial = (trial.study_id == replicate.study_id) & (trial.number == replicate.trial_number)
    chosen = _but(tables.replicate, "trial_number", "metrics", "verdicts")
    details = case((trial.phase == Phase.CONFIRM, replicate.verdicts), else_=null()).label("verdicts")
    more = of_replicates(_plan(connection, study_id))
    query = (
        select(replicate.trial_number, trial.phase, trial.cell, *chosen, *more, details)
        .join_from(tables.replicate, tables.trial, of_trial)
        .where(replicate.study_id == study_id)
        .order_by(replicate.trial_number, replicate.replicate)
    )
    if phase is not None:
        query = query.where(trial.phase == phase)
    if tables.replicate in extent:
        query = query.where(extent[tables.replicate])
    return _with_params(connection, study_id, query, number="trial_number", phase=phase)


def _epochs(connection: Connection, study_id: int, extent: Extent = _WHOLE) -> pd.DataFrame:
    more = of_epochs(_plan(connection, study_id))
    return _of(connection, study_id, tables.epoch, "metrics", more=more, extent=extent)


def _gradients(connection: Connection, study_id: int, extent: Extent = _WHOLE) -> pd.DataFrame:
    return _of(connection, study_id, tables.layer_gradient, extent=extent)


def _events(connection: Connection, study_id: int, extent: Extent = _WHOLE) -> pd.DataFrame:
    return _of(connection, study_id, tables.event)


def _evaluation(connection: Connection, study_id: int, extent: Extent = _WHOLE) -> pd.DataFrame:
    return _of(connection, study_id, tables.evaluation, "samples")


def _artifacts(connection: Connection, study_id: int, extent: Extent = _WHOLE) -> pd.DataFrame:
    return _of(connection, study_id, tables.artifact, "trial_number")


_READERS: Final = {
    "trials": _trials,
    "replicates": _replicates,
    "epochs": _epochs,
    "gradients": _gradients,
    "events": _events,
    "evaluation": _evaluation,
    "artifacts": _artifacts,
}


def _of(
    connection: Connection,
    study_id: int,
    table: Table,
    *without: str,
    more: Sequence[ColumnElement[Any]] = (),
    extent: Extent = _WHOLE,
) -> pd.DataFrame:
    """Read a study's rows of one table in the order of its key."""
    query = select(*_but(table, *without), *more).where(table.c.study_id == study_id)
    if table in extent:
        query = query.where(extent[table])
    return pd.DataFrame(read_columns(connection, query.order_by(*table.primary_key)))


def _plan(connection: Connection, study_id: int) -> Mapping[str, Any]:
    """Return a study's plan, an empty one if there is no such study."""
    plan = connection.execute(select(tables.study.c.plan).where(tables.study.c.id == study_id)).scalar()
    return plan or {}


def _but(table: Table, *without: str) -> list[Column[Any]]:
    return [column for column in table.columns if column.name not in (*_NOT_SHOWN, *without)]


def _with_params(
    connection: Connection, study_id: int, query: Select[Any], *, number: str, phase: Phase | None = None
) -> pd.DataFrame:
    """Read a query and put a column for each factor and nuisance after `cell`.

    `number` is the column with the trial's number. A trial's parameters are read once, not for each of its networks.
    """
    read = read_columns(connection, query)
    of_trial = _params(connection, study_id, phase)
    numbers, place = np.unique(read[number].to_numpy(dtype=np.int64), return_inverse=True)
    params = [of_trial[each] for each in numbers.tolist()]
    plan = connection.execute(select(tables.study.c.plan).where(tables.study.c.id == study_id)).scalar_one()
    names = dict.fromkeys([*plan.get("factors", {}), *plan.get("nuisances", {})])
    names |= dict.fromkeys(name for values in params for name in values)
    levels = {
        name: levels_of([values.get(name) for values in params]).take(place).reset_index(drop=True)
        for name in names
    }
    expanded: dict[str, pd.Series[Any]] = {}
    for name, column in read.items():
        expanded |= {name: column} | (levels if name == "cell" else {})
    return pd.DataFrame(expanded)


def _params(
    connection: Connection, study_id: int, phase: Phase | None = None
) -> dict[int, Mapping[str, Any]]:
    trial = tables.trial.c
    query = select(trial.number, trial.params).where(trial.study_id == study_id)
    if phase is not None:
        query = query.where(trial.phase == phase)
    return {row.number: row.params for row in connection.execute(query)}


def of_epochs(plan: Mapping[str, Any]) -> list[ColumnElement[Any]]:
    """Return a column for each further score of an epoch."""
    return [_number(tables.epoch, name) for name in scores_of_epochs(plan)]


def of_replicates(plan: Mapping[str, Any]) -> list[ColumnElement[Any]]:
    """Return a column for each further score of a replicate.

    Test scores that are neither the objective nor declared metrics, and scores on both held-out parts, are None outside
    the confirm phase. The query must join `trial`.
    """
    is_confirmed = tables.trial.c.phase == Phase.CONFIRM
    return [_number(tables.replicate, name) for name in scores_of_networks(plan)] + [
        case((is_confirmed, _number(tables.replicate, name)), else_=null()).label(name)
        for name in (*scores_of_confirmed(plan), *holdout_columns(plan))
    ]


def _number(table: Table, name: str) -> ColumnElement[Any]:
    """Return one number of a table's JSON column `metrics` as a column."""
    return type_coerce(cast(table.c.metrics[name].as_string(), Double), Double).label(name)
