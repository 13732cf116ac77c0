"""Trials that do no work: reports as large as those of a real trial, at its rungs, after as long as one says."""

import os
import time
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from ray import tune

from tests.studies.faults import made_up
from trainables.base.records import EpochRecord, TrialReport
from trainables.trials.trial_spec import TrialSpec


def reports(trial_spec: TrialSpec) -> Iterator[TrialReport]:
    """Yield a made-up report at each rung, with the epochs since the one before."""
    pending: list[EpochRecord] = []
    for report in made_up.reports(trial_spec):
        pending += report.epochs
        if report.epoch in trial_spec.rungs:
            yield replace(report, epochs=tuple(pending), models=())
            pending = []


def light_trial(seconds_per_epoch: float) -> type[tune.Trainable]:
    """Return a trainable that waits so long for each epoch, and computes nothing."""

    class LightTrial(tune.Trainable):
        def setup(self, config: dict[str, Any], **_: Any) -> None:
            self.reset_config(config)

        def reset_config(self, new_config: dict[str, Any]) -> bool:
            self._trial_spec: TrialSpec = new_config["trial_spec"]
            self._reports, self._epoch = reports(self._trial_spec), 0
            return True

        def step(self) -> dict[str, Any]:
            started = time.perf_counter()
            report = next(self._reports)
            time.sleep(seconds_per_epoch * (report.epoch - self._epoch))
            self._epoch = report.epoch
            done = report.epoch >= self._trial_spec.epochs
            report = replace(
                report, busy_seconds=time.perf_counter() - started, worker=f"light:{os.getpid()}"
            )
            return {"objective": report.objective, "epoch": report.epoch, "report": report, "done": done}

    return LightTrial
