"""Studies that are unfinished, broken or tiny, made from a sample: every one must give a readable report."""

import math
from dataclasses import replace

import numpy as np
import pandas as pd

from reports.inputs.inputs import ReportInputs
from tests.reports.sample import sample_inputs, sample_tuning

SMALL = {"depth": (3, 7), "batch_norm": (False, True)}


def until(inputs: ReportInputs, last: int, state: str = "running") -> ReportInputs:
    """The study as it stood when trials up to number `last` had ended."""
    trials = inputs.trials[inputs.trials["number"] <= last]
    kept = set(trials["number"])

    def rows(frame: pd.DataFrame) -> pd.DataFrame:
        return frame[frame["trial_number"].isin(kept)]

    return replace(
        inputs,
        state=state,
        trials=trials,
        replicates=rows(inputs.replicates),
        epochs=rows(inputs.epochs),
        gradients=rows(inputs.gradients),
    )


def recorded_before(inputs: ReportInputs) -> ReportInputs:
    """The study as plan version 2 recorded it, whose claims Holm's p values license."""
    plan = {name: value for name, value in inputs.plan.items() if name != "error_shares"}
    return replace(inputs, plan={**plan, "plan_version": 2})


def without_rows(inputs: ReportInputs) -> ReportInputs:
    """The study before its first row: frames with columns and nothing in them."""
    return replace(
        inputs,
        state="running",
        trials=pd.DataFrame(columns=inputs.trials.columns),
        replicates=pd.DataFrame(columns=inputs.replicates.columns),
        epochs=pd.DataFrame(columns=inputs.epochs.columns),
        gradients=pd.DataFrame(columns=inputs.gradients.columns),
        events=pd.DataFrame(columns=inputs.events.columns),
        artifacts=pd.DataFrame(columns=inputs.artifacts.columns),
    )


def all_diverged(inputs: ReportInputs) -> ReportInputs:
    """Every network non-finite from its first step."""
    scores = dict.fromkeys(["val_loss", "val_accuracy", "test_loss", "test_accuracy"], np.nan)
    losses = dict.fromkeys(["train_loss", "train_accuracy", "val_loss", "val_accuracy"], np.nan)
    return replace(
        inputs,
        trials=inputs.trials.assign(objective=math.log(inputs.num_classes)),
        replicates=inputs.replicates.assign(outcome="diverged", verdict_trained="DIVERGED", **scores),
        epochs=inputs.epochs.assign(**losses),
        gradients=inputs.gradients.assign(delta_rms=np.nan),
    )


def all_alike(inputs: ReportInputs) -> ReportInputs:
    """Every network with the same scores."""
    scores = {"val_loss": 0.1, "val_accuracy": 0.97}
    test = {"test_loss": 0.1, "test_accuracy": 0.97}
    train = {"train_loss": 0.1, "train_accuracy": 0.97}
    return replace(
        inputs,
        trials=inputs.trials.assign(objective=0.1),
        replicates=inputs.replicates.assign(**scores, **test),
        epochs=inputs.epochs.assign(**scores, **train),
    )


def odd_inputs() -> dict[str, ReportInputs]:
    """Name of the case to inputs."""
    base = sample_inputs(SMALL, num_blocks=3, rates=3)
    tuning = sample_tuning(budget=12, num_blocks=3)
    return {
        "one block": sample_inputs(SMALL, num_blocks=1, rates=2),
        "one level": sample_inputs({"depth": (3,)}, num_blocks=3, rates=2),
        "no factor": sample_inputs({}, num_blocks=3, rates=2),
        "a level that is none": sample_inputs({"train_size": (None, 0.5)}, num_blocks=10, rates=1),
        "levels that are lists": sample_inputs({"width": ((64, 32), (128, 64))}, num_blocks=3, rates=1),
        "one hidden layer": sample_inputs({"depth": (1, 2)}, num_blocks=3, rates=1),
        "half of the search": until(base, 6),
        "half of the confirm phase": until(base, 14),
        "interrupted at once": until(base, 0, "interrupted"),
        "frames without rows": without_rows(base),
        "all diverged": all_diverged(base),
        "all alike": all_alike(base),
        "no gradients": replace(base, gradients=base.gradients.iloc[:0]),
        "half of a tuning": until(tuning, 7),
        "tuning before its first trial": until(tuning, 0),
    }
