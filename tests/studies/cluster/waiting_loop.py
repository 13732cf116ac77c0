"""A study whose trials go on only when a test lets them, and which notes in files where each replicate is trained."""

import json
from pathlib import Path
from typing import Any

SOURCE = '''"""Does shrinking matter? A loop that waits in block 0 until it may go on."""

import json
import os
import pathlib
import time

import numpy as np

from studies.study import Confirm, Metric, Search, Study

PLACE = pathlib.Path({place!r})


def load():
    inputs = np.random.default_rng(0).normal(size=(100, 3))
    return {{"inputs": inputs, "targets": inputs.sum(1)}}


def allowed():
    if (PLACE / "go").exists():
        return True
    for permit in sorted(PLACE.glob("permit-*")):
        try:
            permit.rename(PLACE / f"used-{{permit.name}}")
            return True
        except FileNotFoundError:  # another trial took it
            pass
    return False


def train(hyperparameters, data, seed):
    noted = {{
        "block": data.block,
        "raylet": os.getppid(),
        "gpus": os.environ.get("CUDA_VISIBLE_DEVICES"),
        "test": data.test is not None,
        "setting": hyperparameters.to_dict() if hasattr(hyperparameters, "to_dict") else str(hyperparameters),
    }}
    (PLACE / f"noted-{{time.time_ns()}}-{{os.getpid()}}").write_text(json.dumps(noted))
    while data.block == 0 and not allowed():
        time.sleep(0.05)
    for epoch in range(1, data.epochs + 1):
        error = 1.0 / epoch + hyperparameters.learning_rate
        row = {{"val_error": error}}
        yield row if data.test is None else {{**row, "test_error": error}}


STUDY = Study(
    question="Does shrinking matter?",
    metrics=(Metric(name="error", direction="min", failure=100, primary=True),),
    hyperparameters={{"shrinkage": 0.1}},
    factors={{"shrinkage": (0.2, 3.0)}},
    nuisances={{"learning_rate": {{"low": 0.1, "high": 0.4, "log": True}}}},
    replicates=2,
    search=Search(trials_per_cell={trials}, rungs=(1, 3)),
    confirm=Confirm(epochs=3),
)
'''


class WaitingLoop:
    """A study's file NAME.py in `folder`, and the folder through which a test speaks with its trials."""

    def __init__(self, folder: Path, name: str, *, trials_per_cell: int = 4) -> None:
        """Write the file."""
        self.name, self._place = name, folder / f"{name}-place"
        self._place.mkdir()
        self._num_permits = 0
        text = SOURCE.format(place=str(self._place), trials=trials_per_cell)
        (folder / f"{name}.py").write_text(text, encoding="utf-8")

    def permit(self, number: int = 1) -> None:
        """Let so many trials go on."""
        for _ in range(number):
            self._num_permits += 1
            (self._place / f"permit-{self._num_permits:03}").touch()

    def go(self) -> None:
        """Let every trial go on."""
        (self._place / "go").touch()

    def notes(self) -> list[dict[str, Any]]:
        """Return what was noted at the start of each replicate, in order."""
        found = []
        for path in sorted(self._place.glob("noted-*")):
            text = path.read_text(encoding="utf-8")
            if text:
                found.append(json.loads(text))
        return found
