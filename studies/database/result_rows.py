"""Builds the database rows of one report of a trial."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import fields
from math import isfinite
from operator import attrgetter
from typing import Final

from studies.database.bulk import Values
from studies.database.results import Ending, TrialResult, Verdicts
from studies.database.values import finite, plain_json
from trainables.base.records import LayerRecord

_SCORES: Final = ("train_loss", "train_accuracy", "val_loss", "val_accuracy", "learning_rate")
_scores = attrgetter(*_SCORES)
_MEASURES: Final = tuple(field.name for field in fields(LayerRecord) if field.name != "layer")
_measures = attrgetter(*_MEASURES)


def epoch_rows(key: Values, result: TrialResult, numbers: Iterator[int]) -> list[Values]:
    """Return a row for each replicate and epoch, with sequence numbers; epoch 0, the initialisation, has none."""
    return [
        {
            **key,
            "replicate": record.replicate,
            "epoch": record.epoch,
            "sequence": next(numbers),
            **dict(zip(_SCORES, _finite(_scores(record)), strict=True)),
            "metrics": _numbers(record.metrics),
        }
        for record in result.epochs
        if record.epoch > 0
    ]


def layer_rows(key: Values, result: TrialResult) -> list[Values]:
    """Return a row for each measured replicate, epoch and layer."""
    rows = []
    for record in result.epochs:
        if record.layers:
            of_epoch = {**key, "replicate": record.replicate, "epoch": record.epoch}
            rows += [
                {
                    **of_epoch,
                    "layer": layer.layer,
                    **dict(zip(_MEASURES, _finite(_measures(layer)), strict=True)),
                }
                for layer in record.layers
            ]
    return rows


def rung_rows(key: Values, result: TrialResult, numbers: Iterator[int]) -> list[Values]:
    """Return the row of the rung, empty if the report is not of a rung."""
    if result.rung is None:
        return []
    row = {"epoch": result.rung.epoch, "sequence": next(numbers), "decision": result.rung.decision}
    return [{**key, **row, "objective": finite(result.rung.objective)}]


def replicate_rows(key: Values, ending: Ending) -> list[Values]:
    """Return a row for each network of a trial that has ended."""
    return [
        {
            **key,
            "replicate": record.replicate,
            "block": record.block,
            "outcome": record.outcome,
            "val_loss": finite(record.val_loss),
            "val_accuracy": finite(record.val_accuracy),
            "test_loss": finite(record.test_loss),
            "test_accuracy": finite(record.test_accuracy),
            "metrics": _numbers(record.metrics),
            **_verdict_values(ending.verdicts.get(record.replicate)),
        }
        for record in ending.replicates
    ]


def _verdict_values(verdicts: Verdicts | None) -> Values:
    if verdicts is None:
        return {"verdict_initial": None, "verdict_trained": None, "verdicts": None}
    return {
        "verdict_initial": verdicts.initial,
        "verdict_trained": verdicts.trained,
        "verdicts": plain_json(verdicts.details),
    }


def evaluation_rows(key: Values, ending: Ending) -> list[Values]:
    """Return a row for each network that was evaluated on the test part."""
    return [
        {
            **key,
            "replicate": evaluation.replicate,
            "confusion": plain_json(evaluation.confusion),
            "calibration": plain_json(evaluation.calibration),
            "samples": plain_json(evaluation.samples),
        }
        for evaluation in ending.evaluations
    ]


def _numbers(metrics: Mapping[str, float]) -> dict[str, float | None]:
    return {name: finite(value) for name, value in metrics.items()} if metrics else {}


def _finite(values: Sequence[float | None]) -> Sequence[float | None]:
    """Return `finite` of each value, fast in the usual case that all are finite."""
    try:
        numbers = tuple(map(float, values))  # type: ignore[arg-type]  # None is what the exception is for
    except TypeError:
        return tuple(map(finite, values))
    return numbers if isfinite(sum(numbers)) else tuple(map(finite, numbers))
