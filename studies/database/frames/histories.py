"""A trial's epochs read back from the database as its workers' records."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import fields
from math import nan
from typing import Any, Final

from sqlalchemy import Table, select

from studies.database.schema import tables
from studies.database.store import Store
from trainables.base.records import EpochRecord, LayerRecord

_EPOCH: Final = tuple(field.name for field in fields(EpochRecord) if field.name not in ("metrics", "layers"))
_LAYER: Final = tuple(field.name for field in fields(LayerRecord))


def epoch_records(store: Store, study_id: int, trial_number: int) -> list[EpochRecord]:
    """Return the recorded epochs of a trial, by epoch and replicate; measures that were not finite are NaN.

    Epoch 0, the initialisation, is left out, because only its layers are recorded.
    """
    with store.reading() as connection:
        layers: defaultdict[tuple[int, int], list[LayerRecord]] = defaultdict(list)
        query = _of_trial(tables.layer_gradient, study_id, trial_number).order_by("layer")
        for row in connection.execute(query).mappings():
            layers[row["replicate"], row["epoch"]].append(_layer_record(row))
        query = _of_trial(tables.epoch, study_id, trial_number).order_by("epoch", "replicate")
        return [
            EpochRecord(
                **{name: row[name] for name in _EPOCH},
                metrics={name: _number(value) for name, value in row["metrics"].items()},
                layers=tuple(layers[row["replicate"], row["epoch"]]),
            )
            for row in connection.execute(query).mappings()
        ]


def _of_trial(table: Table, study_id: int, trial_number: int) -> Any:
    return select(table).where(table.c.study_id == study_id, table.c.trial_number == trial_number)


def _layer_record(row: Mapping[Any, Any]) -> LayerRecord:
    values = {name: _number(row[name]) for name in _LAYER}
    return LayerRecord(**{**values, "layer": row["layer"], "update_ratio": row["update_ratio"]})


def _number(value: float | None) -> float:
    return nan if value is None else value
