"""Everything recorded of each network, some trials at a time: a study of any size needs little memory."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, Table, func, select

from studies.base.states import Phase
from studies.database.rows import TrialRow
from studies.database.schema import tables
from studies.database.store import Store

NETWORKS_AT_ONCE: Final = 100
"""Roughly how many networks are read with one query; a trial's are always read together."""

Row = Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class NetworkRows:
    """The rows of one network: its trial, its own, its epochs from 1, and its layers by epoch (from 0) and layer."""

    trial: TrialRow
    replicate: Row
    epochs: Sequence[Row]
    layers: Sequence[Row]


def count_networks(store: Store, study_id: int, *, phase: Phase | None = None) -> int:
    """Return how many networks of ended trials are recorded, of one phase or of both."""
    with store.reading() as connection:
        return sum(_networks_by_trial(connection, study_id, phase).values())


def network_rows(store: Store, study_id: int, *, phase: Phase | None = None) -> Iterator[NetworkRows]:
    """Yield the networks of ended trials by trial and replicate, of one phase or of both.

    The rows of an ended trial never change, so the trials may be read one after the other while the study runs.
    """
    trials = {trial.number: trial for trial in store.trials(study_id)}
    with store.reading() as connection:
        networks = _networks_by_trial(connection, study_id, phase)
    for numbers in _together(networks):
        with store.reading() as connection:
            replicates = _rows(connection, tables.replicate, study_id, numbers)
            epochs = _by_network(_rows(connection, tables.epoch, study_id, numbers))
            layers = _by_network(_rows(connection, tables.layer_gradient, study_id, numbers))
        for row in replicates:
            key = (row["trial_number"], row["replicate"])
            yield NetworkRows(
                trial=trials[row["trial_number"]], replicate=row, epochs=epochs[key], layers=layers[key]
            )


def _networks_by_trial(connection: Connection, study_id: int, phase: Phase | None) -> dict[int, int]:
    """Return the number of networks of each trial that has any, by the trial's number."""
    trial, replicate = tables.trial.c, tables.replicate.c
    is_of_trial: ColumnElement[bool] = (trial.study_id == replicate.study_id) & (
        trial.number == replicate.trial_number
    )
    query = (
        select(replicate.trial_number, func.count())
        .join_from(tables.replicate, tables.trial, is_of_trial)
        .where(replicate.study_id == study_id)
        .group_by(replicate.trial_number)
        .order_by(replicate.trial_number)
    )
    if phase is not None:
        query = query.where(trial.phase == phase)
    return {row[0]: row[1] for row in connection.execute(query)}


def _together(networks: Mapping[int, int]) -> Iterator[list[int]]:
    """Yield the numbers of the trials that are read together."""
    numbers: list[int] = []
    amount = 0
    for number, more in networks.items():
        if numbers and amount + more > NETWORKS_AT_ONCE:
            yield numbers
            numbers, amount = [], 0
        numbers.append(number)
        amount += more
    if numbers:
        yield numbers


def _rows(connection: Connection, table: Table, study_id: int, trials: Sequence[int]) -> list[Row]:
    """Return a table's rows of some trials in the order of their keys."""
    chosen = [column for column in table.columns if column.name not in ("study_id", "verdicts", "digest")]
    query = (
        select(*chosen)
        .where(table.c.study_id == study_id, table.c.trial_number.in_(trials))
        .order_by(*table.primary_key)
    )
    return [{str(name): value for name, value in row.items()} for row in connection.execute(query).mappings()]


def _by_network(rows: Sequence[Row]) -> Mapping[tuple[int, int], list[Row]]:
    found: defaultdict[tuple[int, int], list[Row]] = defaultdict(list)
    for row in rows:
        found[row["trial_number"], row["replicate"]].append(row)
    return found
