"""Checks that stored values agree with those they were computed from: scores, objectives, verdicts, evaluations."""

import math
from collections.abc import Iterator, Sequence
from typing import Any, Final

import numpy as np
import pandas as pd

from reports.inputs.early_stopping import kept, stops_early
from studies.base.states import Outcome, TrialState
from studies.database.frames.raw_rows import Damaged, key_of
from studies.database.schema import tables
from studies.definition.holdout import HOLDOUT_SCORES
from studies.definition.recorded_scores import PARTS
from studies.run_log import run_events
from studies.verification.json_values import parsed
from studies.verification.record import Record
from studies.verification.verdicts import verdict_faults
from trainables.base.metrics import (
    BEST_EPOCH,
    COLUMNS,
    HOLDOUT,
    STOPPED_EPOCH,
    VALIDATION,
    Metric,
    classification,
    find,
)

_KEY: Final = ["trial_number", "replicate"]
_RELATIVE: Final = 1e-9
"""Relative tolerance for sums in another order."""
_SINGLE: Final = 1e-5
"""Relative tolerance for means that a worker computed in single precision."""
_SET_BACK: Final = pd.Timedelta(minutes=1)
"""How far a clock may be set back while a trial runs."""


def disagreements(record: Record) -> Iterator[Damaged]:
    """Yield every value that contradicts another one."""
    metrics = _metrics_of(record)
    yield from _last_scores(record)
    yield from _holdout_scores(record)
    if metrics:
        yield from _objectives(record, find(metrics, record.plan.study.objective))
    yield from _times(record)
    yield from verdict_faults(record)
    yield from _evaluations(record)


def num_classes(record: Record) -> int | None:
    """Return the number of classes that the last run recorded, None if none did."""
    events = record.rows.events
    for detail in reversed(list(events.loc[events["kind"] == run_events.STARTED, "detail"])):
        dataset = (parsed(detail) or {}).get("dataset")
        if isinstance(dataset, dict) and isinstance(dataset.get("num_classes"), int):
            return int(dataset["num_classes"])
    return None


def _metrics_of(record: Record) -> tuple[Metric, ...]:
    own, classes = record.plan.study.metrics, num_classes(record)
    if own:
        return tuple(own)
    return classification(classes) if classes is not None and classes > 1 else ()


def _scored(record: Record, frame: pd.DataFrame, name: str) -> "pd.Series[Any]":
    """Return a score of each row, from its own column or from the JSON column `metrics`."""
    if name.removeprefix(VALIDATION) in COLUMNS:
        return frame[name].astype(float)
    values = [(parsed(text) or {}).get(name) for text in frame["metrics"]]
    return pd.to_numeric(pd.Series(values, index=frame.index, dtype=object), errors="coerce").astype(float)


def _ends(record: Record) -> pd.DataFrame:
    """Return the networks, with the epochs at which they were best and stopped if they may stop early."""
    rows = record.rows.replicates
    if not stops_early(record.plan.to_dict()):
        return rows
    metrics = [parsed(text) or {} for text in rows["metrics"]]
    return rows.assign(
        **{
            name: pd.to_numeric(
                pd.Series([each.get(name) for each in metrics], index=rows.index, dtype=object),
                errors="coerce",
            ).astype(float)
            for name in (BEST_EPOCH, STOPPED_EPOCH)
        }
    )


def _kept_epochs(record: Record, name: str) -> pd.DataFrame:
    """Return a score of every epoch; networks with early stopping keep that of their best epoch."""
    rows = record.rows
    epochs = rows.epochs[[*_KEY, "epoch"]].assign(**{name: _scored(record, rows.epochs, name)})
    trials = rows.trials[["number", "epochs"]]
    return kept(epochs, _ends(record), trials, record.plan.study.confirm.epochs)


def _last_scores(record: Record) -> Iterator[Damaged]:
    """Yield networks whose final scores are not those of their last epoch, or best one with early stopping."""
    rows = record.rows.replicates
    rows = rows[rows["outcome"].isin((Outcome.COMPLETE, Outcome.STOPPED))]
    reached = rows["trial_number"].map({n: trial["epochs"] for n, trial in record.by_number.items()})
    objective = record.plan.study.objective
    for name in dict.fromkeys(("val_loss", "val_accuracy", objective)):
        epochs = _kept_epochs(record, name).rename(columns={name: "at_epoch"})
        ends = rows[[*_KEY]].assign(epoch=reached.astype(float), own=_scored(record, rows, name))
        both = ends.merge(epochs.astype({"epoch": float}), on=[*_KEY, "epoch"], how="inner")
        both = both[both["own"].notna() | both["at_epoch"].notna()]
        wrong = both[~np.isclose(both["own"], both["at_epoch"], rtol=_RELATIVE, atol=0)]
        for row in wrong.to_dict("records"):
            what = f"{name} is {row['own']:g}, and {row['at_epoch']:g} in its epoch {row['epoch']:g}"
            yield Damaged(table="replicate", key=key_of(tables.replicate, row), what=what)


def _holdout_scores(record: Record) -> Iterator[Damaged]:
    """Yield networks whose score on both held-out parts does not lie between those on each of them."""
    rows = record.rows.replicates
    scored = [parsed(text) or {} for text in rows["metrics"]]
    places = [place for place, each in enumerate(scored) if not each.keys().isdisjoint(HOLDOUT_SCORES)]
    for place in places:
        row = rows.iloc[place].to_dict()
        for name in HOLDOUT_SCORES:
            own, parts = (
                scored[place].get(name),
                sorted(row[part + name.removeprefix(HOLDOUT)] for part in PARTS),
            )
            if not isinstance(own, int | float) or any(map(math.isnan, parts)):
                continue  # another check reports what is missing
            low, high = parts
            if not low * (1 - _RELATIVE) <= own <= high * (1 + _RELATIVE):
                what = f"{name} is {own:g}, and its parts have {low:g} and {high:g}"
                yield Damaged(table="replicate", key=key_of(tables.replicate, row), what=what)


def _objectives(record: Record, metric: Metric) -> Iterator[Damaged]:
    """Yield trials and rungs whose objective is not the mean score of their networks."""
    name = record.plan.study.objective
    networks = record.rows.replicates
    scores = {
        number: list(of_trial)
        for number, of_trial in _scored(record, networks, name).groupby(networks["trial_number"])
    }
    for number, trial in record.by_number.items():
        mine = scores.get(number, [])
        if trial["objective"] is None or not mine or trial["state"] == TrialState.FAILED:
            continue
        expected = _mean_scores(metric, mine)
        if not _is_one_of(trial["objective"], expected):
            what = f"objective is {trial['objective']:g}, and its networks come to {expected[0]:g}"
            yield Damaged(table="trial", key=f"trial {number}", what=what)
    yield from _rung_objectives(record, metric, name)


def _rung_objectives(record: Record, metric: Metric, name: str) -> Iterator[Damaged]:
    rungs = record.rows.rungs
    epochs = _kept_epochs(record, name)
    ended = [n for n, trial in record.by_number.items() if trial["ended_at"] is not None]
    is_last = rungs["epoch"] == record.plan.study.confirm.epochs
    # The score of a network that stopped early counts at later rungs, and is known once its trial has ended.
    middle = rungs[~is_last & rungs["trial_number"].isin(ended)]
    planned = record.networks[_KEY].merge(middle[["trial_number", "epoch", "objective"]], on="trial_number")
    found = planned.merge(epochs, on=[*_KEY, "epoch"], how="left")
    for (number, epoch), group in found.groupby(["trial_number", "epoch"]):
        expected = _mean_scores(metric, list(group[name]))
        stored = group["objective"].iloc[0]
        if not _is_one_of(stored, expected):
            what = f"objective is {stored:g}, and its networks come to {expected[0]:g}"
            yield Damaged(table="rung_result", key=f"trial {number}, epoch {epoch:g}", what=what)


def _times(record: Record) -> Iterator[Damaged]:
    trials = record.rows.trials
    for row in trials[trials["ended_at"] < trials["started_at"] - _SET_BACK].to_dict("records"):
        yield Damaged(table="trial", key=f"trial {row['number']}", what="ended_at is before started_at")


def _evaluations(record: Record) -> Iterator[Damaged]:
    """Yield faults: confusion counts sum to the size of the test part, their diagonal to accuracy, and so do bins."""
    accuracies = record.rows.replicates.set_index(_KEY)["test_accuracy"].to_dict()
    sizes: dict[int, int] = {}
    columns = [*_KEY, "confusion", "calibration"]
    for number, replicate, confusion, calibration in record.rows.evaluations[columns].itertuples(index=False):
        counts, bins = parsed(confusion), parsed(calibration)
        try:
            square = np.array(counts, dtype=float)
            size, right = int(square.sum()), float(np.trace(square))
        except (ValueError, TypeError):
            continue  # not a square of counts, which another check reports
        sizes.setdefault(size, int(number))
        for what in _of_evaluation(size, right, accuracies.get((number, replicate)), bins):
            key = key_of(tables.evaluation, {"trial_number": number, "replicate": replicate})
            yield Damaged(table="evaluation", key=key, what=what)
    if len(sizes) > 1:
        named = ", ".join(f"{size} in trial {number}" for size, number in sorted(sizes.items()))
        yield Damaged(table="evaluation", key="the test parts", what=f"confusion counts add up to {named}")


def _of_evaluation(size: int, right: float, accuracy: float | None, bins: Any) -> Iterator[str]:
    if not size:
        return
    if accuracy is not None and not math.isnan(accuracy) and abs(right / size - accuracy) > _SINGLE:
        yield f"confusion has {right / size:g} on its diagonal, and test_accuracy is {accuracy:g}"
    try:
        held = sum(part["count"] for part in bins)
        hits = math.fsum(part["count"] * part["accuracy"] for part in bins if part["count"])
    except (KeyError, TypeError):
        return  # not bins, which another check reports
    if held > size:
        yield f"calibration counts {held} examples, and confusion {size}"
    elif held == size and abs(hits - right) > 0.5:
        yield f"calibration has {hits:g} right answers, and confusion {right:g}"


def _mean_scores(metric: Metric, scores: Sequence[float]) -> list[float]:
    """Return the values that may have been recorded as the mean score of networks.

    A missing score counts as a failure. A metric that can be undefined for a sound network, such as ROC AUC with a
    single class, may instead have been left out of the mean, as it is since plan version 2.
    """
    counted = [metric.score(None if math.isnan(score) else score) for score in scores]
    means = [math.fsum(counted) / len(counted)]
    defined = [metric.score(score) for score in scores if not math.isnan(score)]
    if metric.name not in COLUMNS and defined:
        means.append(math.fsum(defined) / len(defined))
    return means


def _is_one_of(stored: float, expected: Sequence[float]) -> bool:
    return any(math.isclose(stored, mean, rel_tol=_RELATIVE) for mean in expected)
