"""The Tune trainable: the only file here that knows Ray."""

import os
import socket
import traceback
from collections.abc import Iterator
from typing import Any

import torch
from ray import tune

from trainables.assignment import Assignment
from trainables.checkpoint import Parcel
from trainables.datasets import Dataset
from trainables.memory import MemoryLimits
from trainables.metrics import direction
from trainables.own_code import OWN, OwnCode
from trainables.records import Outcome, ReplicateRecord, TrialReport
from trainables.reporting import train_assignment
from trainables.splits import Splits
from trainables.stack_data import StackData


class StackTrial(tune.Trainable):
    """Trains one assignment after the other in a worker that stays; each step ends at the next report."""

    def setup(  # type: ignore[override]  # with_parameters adds the keywords
        self,
        config: dict[str, Any],
        *,
        dataset: Dataset,
        splits: Splits,
        threads: int,
        code: OwnCode | None = None,
    ) -> None:
        """Prepare the worker once: threads, device, data, and the code of a user's own networks."""
        torch.set_num_threads(threads)
        # Vanishing gradients become subnormal numbers, on which a CPU is many times slower.
        torch.set_flush_denormal(True)
        self._device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        self._worker = f"{socket.gethostname()}:{os.getpid()}"
        self._dataset, self._splits, self._code = dataset, splits, code
        self._limits = MemoryLimits()
        self._data: dict[tuple[float | None, tuple[int, ...]], StackData] = {}
        self.reset_config(config)

    def reset_config(self, new_config: dict[str, Any]) -> bool:
        """Take the next assignment; nothing of the one before is kept but the data and what fits."""
        self._assignment: Assignment = new_config["assignment"]
        self._parcel: Parcel | None = new_config.get("checkpoint")
        self._reports: Iterator[TrialReport] | None = None
        self._epoch = 0
        return True

    def step(self) -> dict[str, Any]:
        """Train to the next report. An error of the trial's own is its last report, not a lost worker."""
        try:
            if self._reports is None:
                self._reports = self._begin()
            report = next(self._reports)
        except Exception:
            report = _failure(self._assignment, self._worker, self._epoch)
        self._epoch = report.epoch
        done = report.error is not None or report.epoch >= self._assignment.epochs
        return {"objective": report.objective, "epoch": report.epoch, "report": report, "done": done}

    def _begin(self) -> Iterator[TrialReport]:
        parcel, self._parcel = self._parcel, None
        checkpoint = None if parcel is None else parcel.data
        code = self._code if self._assignment.model == OWN else None
        return train_assignment(
            self._assignment,
            self._stack_data(),
            worker=self._worker,
            checkpoint=checkpoint,
            limits=self._limits,
            build=None if code is None else code.build,
            loop=None if code is None else code.loop,
        )

    def _stack_data(self) -> StackData:
        size, blocks = self._assignment.hyperparameters.train_size, self._assignment.blocks
        if (size, blocks) not in self._data:
            splits = [self._splits[size, block] for block in blocks]
            self._data[size, blocks] = StackData.make(self._dataset, splits, self._device)
        return self._data[size, blocks]


def _failure(assignment: Assignment, worker: str, epoch: int) -> TrialReport:
    """Return the last report of a trial that failed: its replicates count as failed."""
    return TrialReport(
        epoch=epoch,
        objective=direction(assignment.objective, assignment.metrics).worst,
        epochs=(),
        replicates=tuple(
            ReplicateRecord(replicate=replicate, block=block, outcome=Outcome.FAILED)
            for replicate, block in enumerate(assignment.blocks)
        ),
        busy_seconds=0.0,
        worker=worker,
        error=traceback.format_exc(),
    )
