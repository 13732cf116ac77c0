"""Collects a trial's epoch records while it trains, and judges its networks when it ends."""

import math
import statistics
from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import asdict, replace
from itertools import pairwise
from typing import Any

from reports.stability.growth import ln_growth
from reports.stability.verdicts import NO_SIGNAL, ONE_LAYER, Measures, judge, verdict
from studies.database.results import Verdicts
from studies.definition.parts import Thresholds
from trainables.base.records import EpochRecord

MAX_LOG = 700.0
"""ln growth is clipped to -700..700, because databases and JSON cannot hold larger values of e^x."""


class VerdictAccumulator:
    """Collects the epoch records of running trials and returns each trial's verdicts when it ends."""

    def __init__(self, thresholds: Thresholds, num_classes: int | None) -> None:
        """`thresholds` are the plan's; ln `num_classes` is the loss of guessing.

        `num_classes` is None for networks that are no classifiers: rules about their losses are left out.
        """
        self._thresholds: dict[str, float] = asdict(thresholds)
        self._num_classes = num_classes
        self._heard: dict[int, dict[tuple[int, int], EpochRecord]] = defaultdict(dict)

    def update(self, trial_number: int, records: Iterable[EpochRecord]) -> None:
        """Add the measured epochs of a trial; a later attempt's record of an epoch replaces the earlier one."""
        measured = {(record.replicate, record.epoch): record for record in records if record.layers}
        self._heard[trial_number].update(measured)

    def judge(
        self, trial_number: int, *, trained: bool, diverged: Collection[int] = ()
    ) -> dict[int, Verdicts]:
        """Return a trial's verdicts by replicate and forget the trial; replicates without epoch 0 have none.

        `trained` says that it was trained to its end and every epoch was measured; `diverged` lists the replicates
        that diverged, which may show in the test loss only.
        """
        by_replicate: dict[int, list[EpochRecord]] = defaultdict(list)
        for (replicate, _), record in sorted(self._heard.pop(trial_number, {}).items()):
            by_replicate[replicate].append(record)
        return {
            replicate: self._verdicts(records[0], records[1:] if trained else [], replicate in diverged)
            for replicate, records in by_replicate.items()
            if records[0].epoch == 0
        }

    def _verdicts(self, start: EpochRecord, epochs: Sequence[EpochRecord], diverged: bool) -> Verdicts:
        initial = self._details(initial_measures(start, self._num_classes), [start])
        trained = None
        if epochs:
            measures = trained_measures(start, epochs, num_classes=self._num_classes)
            measures = replace(measures, num_nonfinite=max(measures.num_nonfinite, float(diverged)))
            trained = self._details(measures, epochs)
        return Verdicts(
            initial=initial["verdict"],
            trained=None if trained is None else trained["verdict"],
            details={"initial": initial, "trained": trained},
        )

    def _details(self, measures: Measures, epochs: Sequence[EpochRecord]) -> dict[str, Any]:
        """Return the verdict, every rule that applies, all measures, and notes on rules that cannot be applied."""
        findings = judge(measures, self._thresholds)
        notes = []
        if measures.growth_high is None:
            notes.append(ONE_LAYER if len(epochs[0].layers) < 2 else NO_SIGNAL)
        return {
            "verdict": verdict(findings),
            # Not asdict, which would copy every number again; these dataclasses have no nested ones.
            "holds": [dict(vars(finding)) for finding in findings],
            "measures": dict(vars(measures)),
            "notes": notes,
        }


def initial_measures(start: EpochRecord, num_classes: int | None) -> Measures:
    """Return the measures of a network before its first step, without those that need an update or a history."""
    return Measures(num_nonfinite=_num_nonfinite([start], num_classes), **initial_of_layers(start))


def initial_of_layers(start: EpochRecord) -> dict[str, float | None]:
    """Return the part of the initial measures that the layers alone determine."""
    return {**_growths([start]), "dead_fraction": _dead_fraction(start)}


def trained_measures(
    start: EpochRecord, epochs: Sequence[EpochRecord], *, num_classes: int | None
) -> Measures:
    """Return the measures of a network that was measured in every epoch of its training."""
    return Measures(
        num_nonfinite=_num_nonfinite(epochs, num_classes),
        **_loss_ratios(start, epochs, num_classes),
        spike_rate=statistics.fmean(epoch.metrics["spike_rate"] for epoch in epochs),
        **trained_of_layers(epochs),
    )


def trained_of_layers(epochs: Sequence[EpochRecord]) -> dict[str, float | None]:
    """Return the part of the measures in training that the layers alone determine."""
    ratios = [_update_ratio(epoch) for epoch in epochs]
    return {
        **_growths(epochs),
        "dead_fraction": _held_high([_dead_fraction(epoch) for epoch in epochs]),
        "update_ratio_low": _held_low(ratios),
        "update_ratio_high": _held_high(ratios),
    }


def _growths(epochs: Sequence[EpochRecord]) -> dict[str, float]:
    """Return growth and total growth, each the largest and the smallest that held."""
    logs = [
        ln_growth([layer.layer for layer in epoch.layers], [layer.delta_rms for layer in epoch.layers])
        for epoch in epochs
    ]
    high, low = _held_high(logs), _held_low(logs)
    if high is None or low is None:
        return {}
    steps = len(epochs[0].layers) - 1
    return {
        "growth_high": _exp(high),
        "growth_low": _exp(low),
        "total_growth_high": _exp(high * steps),
        "total_growth_low": _exp(low * steps),
    }


def _loss_ratios(
    start: EpochRecord, epochs: Sequence[EpochRecord], num_classes: int | None
) -> dict[str, float | None]:
    """Return the largest lasting training loss over the initial one, and the last one over ln C; None if undefined."""
    if num_classes is None:
        return {}
    highest, last = _held_high([epoch.train_loss for epoch in epochs]), epochs[-1].train_loss
    return {
        "loss_ratio": None if highest is None or not start.train_loss else highest / start.train_loss,
        "final_loss_ratio": None if last is None else last / math.log(num_classes),
    }


def _num_nonfinite(epochs: Sequence[EpochRecord], num_classes: int | None) -> float:
    """Return the number of steps without a finite gradient, plus a classifier's epochs without a finite loss."""
    has_losses = num_classes is not None
    return math.fsum(
        epoch.metrics["num_nonfinite"] + (has_losses and epoch.train_loss is None) for epoch in epochs
    )


def _dead_fraction(epoch: EpochRecord) -> float:
    return max(layer.dead_fraction for layer in epoch.layers)


def _update_ratio(epoch: EpochRecord) -> float | None:
    """Return the median over layers; None if a ratio is not finite."""
    ratios = [layer.update_ratio for layer in epoch.layers]
    finite = [ratio for ratio in ratios if ratio is not None and math.isfinite(ratio)]
    return statistics.median(finite) if len(finite) == len(ratios) else None


def _held_high(values: Sequence[float | None]) -> float | None:
    """Return the largest value reached in two consecutive epochs (or the only one); None if there is none."""
    held = [min(pair) for pair in _neighbours(values)]
    return max(held, default=None)


def _held_low(values: Sequence[float | None]) -> float | None:
    held = [max(pair) for pair in _neighbours(values)]
    return min(held, default=None)


def _neighbours(values: Sequence[float | None]) -> list[tuple[float, float]]:
    """Return pairs of consecutive epochs in which a value is defined; a single epoch is paired with itself."""
    in_a_row = pairwise(values) if len(values) > 1 else [(values[0], values[0])]
    return [(a, b) for a, b in in_a_row if a is not None and b is not None]


def _exp(log: float) -> float:
    return 0.0 if log == -math.inf else math.exp(max(-MAX_LOG, min(MAX_LOG, log)))
