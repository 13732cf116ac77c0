"""Trainables whose trials fail, lose their worker once, or lose it each time they are tried."""

import os
import signal
from pathlib import Path
from typing import Any

from trainables.training import StackData
from trainables.trial import StackTrial

FAILS, DIES_ONCE, ALWAYS_DIES = 2, 3, 5
"""Numbers of the trials that do so."""


def misbehaving(marker: Path) -> type[StackTrial]:
    """Return the trainable; `marker` is a file that says that a worker has died already."""

    class Misbehaving(StackTrial):
        def step(self) -> dict[str, Any]:
            number, begun = self._assignment.number, self._epoch > 0
            if number == ALWAYS_DIES or (number == DIES_ONCE and begun and not marker.exists()):
                marker.touch()
                os.kill(os.getpid(), signal.SIGKILL)
            return super().step()

        def _stack_data(self) -> StackData:
            if self._assignment.number == FAILS:
                raise RuntimeError("the data has gone <script>alert(1)</script>")
            return super()._stack_data()

    return Misbehaving
