"""Trials that fail, run out of memory, hang, or lose their worker, as their trainables and as Ray would have it."""

import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ray.exceptions import OutOfMemoryError

from studies.cluster.watchdog import STARTING, StallDetector
from studies.raytune.controller import _ActorManager
from trainables.base.records import TrialReport
from trainables.data.stack_data import StackData
from trainables.trial import StackTrial
from trainables.trials.reporting import train_trial_spec
from trainables.trials.trial_spec import TrialSpec

FAILS, DIES_ONCE, DIES_TAKING_IT_ON, ALWAYS_DIES, HANGS, RUNS_OUT_OF_MEMORY = 2, 3, 4, 5, 7, 8
HANGS_IN_ITS_START = RUNS_OUT_OF_MEMORY
"""Numbers of the trials that do so. The worker of trial 8 is a new one, and hangs at first."""
FAILS_TUNE, KILLED_FOR_MEMORY = 1, 6
"""Trials whose first result makes Tune itself fail, or is what Ray says of a worker that it has killed."""
HANGING = "hanging"


def misbehaving(folder: Path) -> type[StackTrial]:
    """Return the trainable, which sends a checkpoint with every report; `folder` remembers which worker has died."""

    def die_once(number: int) -> None:
        if not (folder / str(number)).exists():
            (folder / str(number)).touch()
            os.kill(os.getpid(), signal.SIGKILL)

    class Misbehaving(StackTrial):
        def setup(self, config: dict[str, Any], **data: Any) -> None:
            if config["trial_spec"].number == HANGS_IN_ITS_START and not (folder / HANGING).exists():
                (folder / HANGING).touch()
                time.sleep(600)
            super().setup(config, **data)

        def reset_config(self, new_config: dict[str, Any]) -> bool:
            if new_config["trial_spec"].number == DIES_TAKING_IT_ON:
                die_once(DIES_TAKING_IT_ON)
            return super().reset_config(new_config)

        def step(self) -> dict[str, Any]:
            if self._trial_spec.number == ALWAYS_DIES:
                os.kill(os.getpid(), signal.SIGKILL)
            if self._trial_spec.number == HANGS:
                time.sleep(600)
            if self._trial_spec.number == DIES_ONCE and self._epoch > 0:
                die_once(DIES_ONCE)
            return {**super().step(), "number": self._trial_spec.number}

        def _begin(self) -> Iterator[TrialReport]:
            checkpoint_ref, data = self._checkpoint_ref, self._stack_data(self._trial_spec)
            return train_trial_spec(
                self._trial_spec,
                data,
                worker=self._worker,
                checkpoint=None if checkpoint_ref is None else checkpoint_ref.data,
                seconds_between_checkpoints=0.0,
            )

        def _stack_data(self, trial_spec: TrialSpec) -> StackData:
            if trial_spec.number == FAILS:
                raise RuntimeError("the data has gone <script>alert(1)</script>")
            if trial_spec.number == RUNS_OUT_OF_MEMORY:
                bytearray(2**60)
            return super()._stack_data(trial_spec)

    return Misbehaving


class QuickToSuspect(StallDetector):
    """A stall detector that takes what hangs to hang after a second, and nothing else sooner than usual."""

    folder: Path

    def limit(self, number: int) -> float:
        hangs_in_its_start = number == HANGS_IN_ITS_START and not self._num_times[number]
        hangs_at_work = number == HANGS and self._doing.get(number) != STARTING
        hangs = hangs_at_work or (hangs_in_its_start and (self.folder / HANGING).exists())
        return 1.0 if hangs else super().limit(number)


class UnluckyActorManager(_ActorManager):
    """What Tune learns of its actors from, with what Ray might say instead of two results."""

    folder: Path

    def _actor_task_resolved(self, tracked_actor_task: Any, result: Any) -> None:
        number = result["number"] if isinstance(result, dict) else None
        if number in (FAILS_TUNE, KILLED_FOR_MEMORY) and not (self.folder / str(number)).exists():
            (self.folder / str(number)).touch()
            if number == FAILS_TUNE:
                raise RuntimeError("Caught unexpected exception: of Ray's")
            killed: Any = OutOfMemoryError
            self._actor_task_failed(tracked_actor_task, killed("killed, as memory ran low"))
        else:
            super()._actor_task_resolved(tracked_actor_task, result)
