"""Workers without Ray: each trial is trained by the real trainable in a process of its own, which may be killed."""

import os
import pickle
import random
import signal
import struct
import time
from collections.abc import Generator, Iterator
from functools import cache
from pathlib import Path
from typing import Any, NoReturn, Self

from trainables.base.records import TrialReport
from trainables.trial import StackTrial
from trainables.trials.reporting import train_trial_spec

KILLS_WORKERS = "STUDIES_TEST_KILLS_WORKERS"
"""Set where trials are trained in processes; the share of reports before which their process is killed."""
MAX_SECONDS_TO_KILL = 0.02
"""About what an epoch takes."""
GO_ON = b"g"
SIZE = struct.Struct("Q")
RAYS_WORDS = (
    "Failure # 1 (then)\nThe worker died. Worker exit type: SYSTEM_ERROR Worker exit detail: end of file\n"
)


class WorkerLostError(Exception):
    """A worker's process has gone; Ray's words stand in a file."""

    def __init__(self, error_file: str) -> None:
        super().__init__(error_file)
        self.error_file = error_file


def with_parameters(trainable: type[StackTrial], **given: Any) -> type[StackTrial]:
    """Stand in for tune.with_parameters: keep them in the class; a report and a checkpoint come after each epoch."""

    def begin(self: StackTrial) -> Iterator[TrialReport]:
        checkpoint_ref, self._checkpoint_ref = self._checkpoint_ref, None
        return train_trial_spec(
            self._trial_spec,
            self._stack_data(self._trial_spec),
            worker=self._worker,
            checkpoint=None if checkpoint_ref is None else checkpoint_ref.data,
            seconds_between_reports=0.0,
            seconds_between_checkpoints=0.0,
            **self._means(self._trial_spec),
        )

    return type("Given", (trainable,), {"given": given, "_begin": begin})


class ForkedWorkers:
    """Makes a worker for each trial, and kills some: none twice in one trial, as that would be the trial's doing."""

    def __init__(self, trainable: type, traces: Path, share: float) -> None:
        self._trainable, self._share = trainable, share
        self._draw, self._killed = random.Random(os.getpid()), set[int]()
        self._log, self._error_file = traces / "killed-workers", traces / "error.txt"
        self._error_file.write_text(RAYS_WORDS)
        self._log.touch()

    @classmethod
    @cache
    def of(cls, trainable: type, traces: Path) -> Self:
        """Return those of one driver."""
        return cls(trainable, traces, float(os.environ[KILLS_WORKERS]))

    def reports(self, config: dict[str, Any]) -> Generator[TrialReport, None, None]:
        """Yield a trial's reports, each asked for when it is taken; raise WorkerLostError where there is none."""
        number = config["trial_spec"].number
        worker = _Worker(self._trainable, pickle.loads(pickle.dumps(config)))
        try:
            while True:
                worker.ask()
                if number not in self._killed and self._draw.random() < self._share:
                    self._killed.add(number)
                    time.sleep(self._draw.random() * MAX_SECONDS_TO_KILL)
                    worker.kill()
                    with self._log.open("a") as log:
                        log.write(f"{number}\n")
                report = worker.answer()
                if report is None:
                    raise WorkerLostError(str(self._error_file))
                yield report
        finally:
            worker.close()


class _Worker:
    """One process; it ends when nobody asks any more, as after its driver was killed."""

    def __init__(self, trainable: type, config: dict[str, Any]) -> None:
        orders, self._orders = os.pipe()
        self._answers, answers = os.pipe()
        self._number = os.fork()
        if self._number == 0:
            os.close(self._orders)
            os.close(self._answers)
            _serve(trainable, config, orders, answers)
        os.close(orders)
        os.close(answers)

    def ask(self) -> None:
        os.write(self._orders, GO_ON)

    def answer(self) -> TrialReport | None:
        """Return the report, None where the process has ended before it was whole."""
        head = _read(self._answers, SIZE.size)
        size = SIZE.unpack(head)[0] if len(head) == SIZE.size else 0
        body = _read(self._answers, size)
        report: TrialReport | None = pickle.loads(body) if size and len(body) == size else None
        return report

    def kill(self) -> None:
        os.kill(self._number, signal.SIGKILL)

    def close(self) -> None:
        os.close(self._orders)
        os.close(self._answers)
        os.waitpid(self._number, 0)


def _serve(trainable: type, config: dict[str, Any], orders: int, answers: int) -> NoReturn:
    code = 1
    try:
        trial: Any = object.__new__(trainable)
        trial.setup(config, **trainable.given)  # type: ignore[attr-defined]
        while os.read(orders, 1) == GO_ON:
            body = pickle.dumps(trial.step()["report"])
            os.write(answers, SIZE.pack(len(body)))
            while body:
                body = body[os.write(answers, body) :]
        code = 0
    finally:
        os._exit(code)


def _read(descriptor: int, size: int) -> bytes:
    """Return so many bytes, fewer where there are no more."""
    found = b""
    while len(found) < size and (more := os.read(descriptor, size - len(found))):
        found += more
    return found
