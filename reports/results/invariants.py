"""What must hold between the rows of a record and its plan: one line for each set of rows that break a rule."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from datetime import datetime
from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd

from reports.inputs.cube import plain
from reports.inputs.early_stopping import STOPPED
from reports.results.looks import look_of, planned_looks

STATES = ("waiting", "running", "complete", "pruned", "failed")
PHASES = ("search", "confirm")
OUTCOMES = ("complete", "stopped", "diverged", "failed")
_SHOWN = 8


def mistakes(
    trials: pd.DataFrame,
    replicates: pd.DataFrame,
    recorded: pd.DataFrame,
    plan: Mapping[str, Any],
    planned: Mapping[str, int],
    created_at: datetime | None,
) -> list[str]:
    """Every rule that the record breaks, with the numbers of the trials that do; empty if all is well.

    Frames as in `reports.inputs.inputs.ReportInputs`; `recorded` counts epochs (`recorded_epochs`), `planned` the
    planned trials of each phase.
    """
    found = [
        *_unknown_values(trials, replicates),
        *_levels_outside_plan(trials, plan),
        *_too_many_trials(trials, plan, planned),
        *_stopped_in_confirm(trials, replicates),
        *_orphans(trials, replicates, recorded),
        *_wrong_networks(trials, replicates, plan),
        *_wrong_epochs(trials, replicates, recorded),
        *_plan_too_late(trials, created_at),
    ]
    return found


def _named(numbers: pd.Series[Any]) -> str:
    listed = sorted({int(number) for number in numbers})
    more = f" and {len(listed) - _SHOWN} more" if len(listed) > _SHOWN else ""
    return ("trial " if len(listed) == 1 else "trials ") + ", ".join(map(str, listed[:_SHOWN])) + more


def _by_number(trials: pd.DataFrame, column: str) -> pd.Series[Any]:
    return trials.drop_duplicates("number").set_index("number")[column]


def _unknown_values(trials: pd.DataFrame, replicates: pd.DataFrame) -> Iterator[str]:
    checks = (
        (trials, "number", "state", STATES),
        (trials, "number", "phase", PHASES),
        (replicates, "trial_number", "outcome", OUTCOMES),
    )
    for frame, number, column, known in checks:
        wrong = frame[~frame[column].isin(known)]
        if len(wrong):
            values = sorted({str(value) for value in wrong[column]})
            yield f"{column} {', '.join(values)} of {_named(wrong[number])} is none of {', '.join(known)}"
    twice = trials[trials["number"].duplicated(keep=False)]
    if len(twice):
        yield f"{_named(twice['number'])} stand there more than once"


def _levels_outside_plan(trials: pd.DataFrame, plan: Mapping[str, Any]) -> Iterator[str]:
    for factor, levels in plan["factors"].items():
        known = {plain(level) for level in levels}
        wrong = trials[[plain(level) not in known for level in trials[factor]]]
        if len(wrong):
            values = ", ".join(sorted({str(plain(level)) for level in wrong[factor]}))
            yield f"{factor} {values} of {_named(wrong['number'])} is not in the plan ({list(levels)})"


def _too_many_trials(
    trials: pd.DataFrame, plan: Mapping[str, Any], planned: Mapping[str, int]
) -> Iterator[str]:
    for phase, most in planned.items():
        num = int((trials["phase"] == phase).sum())
        if num > most:
            yield f"{num} trials in the {phase} phase, {most} planned"
    if plan["search"].get("trials") is not None:
        return
    per_cell = {"search": int(plan["search"]["trials_per_cell"]), "confirm": len(planned_looks(plan))}
    for key, rows in trials.groupby(["phase", "cell"]):
        phase_of, cell = key if isinstance(key, tuple) else (key, None)
        if len(rows) > per_cell.get(str(phase_of), len(rows)):
            yield f"cell {cell} has {len(rows)} trials in the {phase_of} phase ({_named(rows['number'])})"


def _stopped_in_confirm(trials: pd.DataFrame, replicates: pd.DataFrame) -> Iterator[str]:
    confirm = trials[trials["phase"] == "confirm"]
    pruned = confirm.loc[confirm["state"] == "pruned", "number"]
    rows = replicates[replicates["outcome"] == "stopped"]
    stopped = rows.loc[rows["trial_number"].isin(confirm["number"]), "trial_number"]
    wrong = pd.concat([pruned, stopped])
    if len(wrong):
        yield f"{_named(wrong)} stopped in the confirm phase, where nothing may be"


def _orphans(trials: pd.DataFrame, replicates: pd.DataFrame, epochs: pd.DataFrame) -> Iterator[str]:
    begun = trials.loc[trials["state"] != "waiting", "number"]
    for name, frame in (("replicates", replicates), ("epochs", epochs)):
        wrong = frame.loc[~frame["trial_number"].isin(begun), "trial_number"]
        if len(wrong):
            yield f"{name} are recorded for {_named(wrong)}, which never started"


def _wrong_networks(trials: pd.DataFrame, replicates: pd.DataFrame, plan: Mapping[str, Any]) -> Iterator[str]:
    planned = _planned_networks(trials, plan)
    counts = trials["number"].map(replicates["trial_number"].value_counts()).fillna(0)
    finished = trials["state"].isin(("complete", "pruned"))
    wrong = trials[(finished & (counts != planned)) | (counts > planned)]
    for num, trials_of in wrong["number"].groupby(planned[wrong.index]):
        yield f"{_named(trials_of)} should have {num} replicates and has not"
    state = replicates["trial_number"].map(_by_number(trials, "state"))
    clash = ((replicates["outcome"] == "stopped") & (state != "pruned")) | (
        (replicates["outcome"] == "complete") & (state == "pruned")
    )
    if clash.any():
        rows = replicates.loc[clash, "trial_number"]
        yield f"outcomes of replicates contradict the state of {_named(rows)}"


def _planned_networks(trials: pd.DataFrame, plan: Mapping[str, Any]) -> pd.Series[int]:
    """Networks of each trial: the first look's blocks, and for a confirm trial those that its look adds."""
    looks = planned_looks(plan)
    added = [after - before for before, after in pairwise((0, *looks))]
    number = pd.to_numeric(trials["number"])
    place = look_of(plan, number).clip(0, len(looks) - 1).where(trials["phase"] == "confirm", 0)
    return place.astype(int).map(dict(enumerate(added)))


def recorded_epochs(epochs: pd.DataFrame) -> pd.DataFrame:
    """How many epochs are recorded of each network: trial_number, replicate, size, nunique, max."""
    return (
        epochs.groupby(["trial_number", "replicate"])["epoch"].agg(["size", "nunique", "max"]).reset_index()
    )


def _wrong_epochs(trials: pd.DataFrame, replicates: pd.DataFrame, recorded: pd.DataFrame) -> Iterator[str]:
    """A network that was not lost has a row for each epoch of its trial up to its own end; none has more."""
    key = ["trial_number", "replicate"]
    ends = replicates[STOPPED] if STOPPED in replicates else pd.Series(math.nan, index=replicates.index)
    rows = replicates[[*key, "outcome"]].assign(end=ends).merge(recorded, on=key, how="left")
    rows = rows.fillna({"size": 0, "nunique": 0, "max": 0})
    reached = rows["trial_number"].map(_by_number(trials, "epochs")).fillna(0)
    reached = reached.where(rows["end"].isna(), np.minimum(reached, rows["end"]))
    whole = rows["outcome"].isin(("complete", "stopped"))
    off = (whole & (rows["size"] != reached)) | (rows["max"] > reached) | (rows["size"] != rows["nunique"])
    if off.any():
        yield f"the epochs recorded for {_named(rows.loc[off, 'trial_number'])} are not those it reached"


def _plan_too_late(trials: pd.DataFrame, created_at: datetime | None) -> Iterator[str]:
    if created_at is None or "started_at" not in trials:
        return
    started = pd.to_datetime(trials["started_at"], utc=True)
    limit = pd.Timestamp(created_at)
    limit = limit.tz_localize("UTC") if limit.tzinfo is None else limit
    early = trials[started < limit]
    if len(early):
        yield f"the plan is dated {limit.isoformat()}, after the start of {_named(early['number'])}"
