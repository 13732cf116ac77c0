"""How the best configuration errs: confusion, precision and recall by class, calibration; over its blocks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from reports.inputs.cube import Floats
from reports.inputs.inputs import ReportInputs
from reports.inputs.measures import TEST_SCORES, classifier_measure
from reports.results.best import nothing_to_take
from reports.results.outcomes import LOST
from reports.statistics.intervals import SHARE, t_band, t_interval


def evaluation_record(inputs: ReportInputs, best: Mapping[str, Any] | None) -> dict[str, Any] | None:
    """For report.json, from the test parts of the best configuration's networks; None where none is recorded.

    - `num_blocks`, `num_examples` (predictions of all blocks together; blocks share examples), `num_right`
    - `scores`: each score of its networks on the test part, mean over blocks with its 95 % interval
    - `confusion`: counts summed over blocks, rows are true classes; `most_confused`: the largest count off its diagonal
    - `by_class`: name, num (true examples), precision and recall, each mean over blocks with its 95 % interval
    - `calibration`: per bin low, high, count, confidence and accuracy of all its examples, and the accuracy's 95 %
      interval over blocks; `calibration_error`: the count-weighted mean of |accuracy - confidence|, over blocks
    """
    rows = _rows(inputs, best)
    if rows.empty:
        return None
    confusion = np.stack([np.asarray(each, dtype=float) for each in rows["confusion"]])
    names = class_names(inputs, confusion.shape[-1])
    whole = confusion.sum(axis=0)
    bins = _bins(rows["calibration"])
    return {
        "num_blocks": len(rows),
        "num_examples": int(whole.sum()),
        "num_right": int(np.trace(whole)),
        "scores": _scores(inputs, best),
        "classes": names,
        "confusion": whole.astype(int).tolist(),
        "most_confused": _most_confused(whole, names),
        "by_class": _by_class(confusion, names),
        "calibration": _calibration(bins),
        "calibration_error": _mean_and_ends(_calibration_error(bins)),
    }


def _scores(inputs: ReportInputs, best: Mapping[str, Any] | None) -> list[dict[str, Any]]:
    """Networks that failed count with what a failure scores; a score that is undefined, was not recorded, or is that of
    failures alone, is left out."""
    numbers = [] if best is None else best["trial_numbers"]
    mine = inputs.replicates[inputs.replicates["trial_number"].isin(numbers)]
    scores = []
    for measure in (classifier_measure(name, inputs.num_classes) for name in TEST_SCORES):
        says_nothing = measure.name == "test_top2_accuracy" and inputs.num_classes == 2  # it is always 1
        if measure.name in mine and mine[measure.name].notna().any() and not says_nothing:
            scored = measure.scored(mine[measure.name], mine["outcome"].isin(LOST))
            if all(map(measure.is_failure, scored.dropna())):
                continue
            mean, low, high = t_interval(scored.to_numpy(dtype=float), measure.bounds(scored))
            scores.append(
                {"name": measure.name, "title": measure.title, "mean": mean, "low": low, "high": high}
            )
    return scores


def _rows(inputs: ReportInputs, best: Mapping[str, Any] | None) -> pd.DataFrame:
    recorded = inputs.evaluation
    if recorded.empty or best is None or nothing_to_take(best):
        return recorded.iloc[:0]
    mine = recorded[recorded["trial_number"].isin(best["trial_numbers"])]
    return mine[mine["confusion"].notna() & mine["calibration"].notna()]


def class_names(inputs: ReportInputs, num: int) -> list[str]:
    """The classes as the data set names them, else their numbers from 0."""
    dataset = inputs.provenance.get("dataset")
    known = dataset.get("classes") if isinstance(dataset, Mapping) else None
    return (
        [str(name) for name in known] if known and len(known) == num else [str(place) for place in range(num)]
    )


def _most_confused(whole: Floats, names: Sequence[str]) -> dict[str, Any] | None:
    off = whole - np.diag(np.diag(whole))
    if off.max(initial=0.0) == 0:
        return None
    true, taken = divmod(int(off.argmax()), len(off))
    num, total = int(off[true, taken]), int(whole[true].sum())
    return {"true": names[true], "predicted": names[taken], "count": num, "num": total}


def _by_class(confusion: Floats, names: Sequence[str]) -> list[dict[str, Any]]:
    """Shares undefined in a block (nothing predicted, or no example) are left out of the mean."""
    right = np.diagonal(confusion, axis1=1, axis2=2)
    shares = {
        "precision": _share(right, confusion.sum(axis=1)),
        "recall": _share(right, confusion.sum(axis=2)),
    }
    bands = {name: t_band(values, SHARE) for name, values in shares.items()}
    return [
        {
            "name": name,
            "num": int(confusion.sum(axis=(0, 2))[place]),
            **{
                f"{what}{end}": float(values[place])
                for what, band in bands.items()
                for end, values in zip(("", "_low", "_high"), band, strict=True)
            },
        }
        for place, name in enumerate(names)
    ]


def _share(hits: Floats, of: Floats) -> Floats:
    return np.asarray(np.divide(hits, of, out=np.full(hits.shape, np.nan), where=of > 0))


def _bins(calibration: Any) -> dict[str, Floats]:
    """Arrays of shape (blocks, bins): low, high, count, confidence, accuracy; NaN in empty bins."""
    return {
        name: np.array(
            [[np.nan if each[name] is None else each[name] for each in block] for block in calibration],
            dtype=float,
        )
        for name in ("low", "high", "count", "confidence", "accuracy")
    }


def _calibration(bins: Mapping[str, Floats]) -> list[dict[str, Any]]:
    count = bins["count"].sum(axis=0)
    pooled = {
        name: _share(np.nansum(bins["count"] * bins[name], axis=0), count)
        for name in ("confidence", "accuracy")
    }
    _, low, high = t_band(bins["accuracy"], SHARE)
    return [
        {
            "low": bins["low"][0, place],
            "high": bins["high"][0, place],
            "count": int(count[place]),
            "confidence": pooled["confidence"][place],
            "accuracy": pooled["accuracy"][place],
            "accuracy_low": low[place],
            "accuracy_high": high[place],
        }
        for place in range(len(count))
    ]


def _calibration_error(bins: Mapping[str, Floats]) -> Floats:
    """Expected calibration error of each block (Guo et al. 2017)."""
    gaps = bins["count"] * np.abs(bins["accuracy"] - bins["confidence"])
    return np.asarray(np.nansum(gaps, axis=1) / np.maximum(bins["count"].sum(axis=1), 1))


def _mean_and_ends(values: Floats) -> dict[str, float]:
    mean, low, high = (float(each[0]) for each in t_band(values[:, None], SHARE))
    return {"mean": mean, "low": low, "high": high}
