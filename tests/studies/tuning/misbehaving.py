"""Trainables whose trials fail, run out of memory, hang, or lose their worker: once, as it takes them on, or always."""

import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from studies.tuning.silence import Silence
from trainables.data.stack_data import StackData
from trainables.records import TrialReport
from trainables.trial import StackTrial
from trainables.trials.assignment import Assignment
from trainables.trials.reporting import train_assignment

FAILS, DIES_ONCE, DIES_TAKING_IT_ON, ALWAYS_DIES, HANGS, RUNS_OUT_OF_MEMORY = 2, 3, 4, 5, 7, 8
"""Numbers of the trials that do so."""


def misbehaving(folder: Path) -> type[StackTrial]:
    """Return the trainable, which sends a checkpoint with every report; `folder` remembers which worker has died."""

    def die_once(number: int) -> None:
        if not (folder / str(number)).exists():
            (folder / str(number)).touch()
            os.kill(os.getpid(), signal.SIGKILL)

    class Misbehaving(StackTrial):
        def reset_config(self, new_config: dict[str, Any]) -> bool:
            if new_config["assignment"].number == DIES_TAKING_IT_ON:
                die_once(DIES_TAKING_IT_ON)
            return super().reset_config(new_config)

        def step(self) -> dict[str, Any]:
            if self._assignment.number == ALWAYS_DIES:
                os.kill(os.getpid(), signal.SIGKILL)
            if self._assignment.number == HANGS:
                time.sleep(600)
            if self._assignment.number == DIES_ONCE and self._epoch > 0:
                die_once(DIES_ONCE)
            return super().step()

        def _begin(self) -> Iterator[TrialReport]:
            parcel, data = self._parcel, self._stack_data(self._assignment)
            return train_assignment(
                self._assignment,
                data,
                worker=self._worker,
                checkpoint=None if parcel is None else parcel.data,
                seconds_between_checkpoints=0.0,
            )

        def _stack_data(self, assignment: Assignment) -> StackData:
            if assignment.number == FAILS:
                raise RuntimeError("the data has gone <script>alert(1)</script>")
            if assignment.number == RUNS_OUT_OF_MEMORY:
                bytearray(2**60)
            return super()._stack_data(assignment)

    return Misbehaving


class QuickToSuspect(Silence):
    """A silence that takes the trial which hangs to hang after a second, and no other sooner than usual."""

    def limit(self, number: int) -> float:
        return 1.0 if number == HANGS else super().limit(number)
