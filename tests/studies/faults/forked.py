"""Drivers that start in milliseconds: each is forked from a process that has imported everything already."""

import json
import os
import signal
import subprocess
import sys
import traceback
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[3]


class Forked:
    """One driver: a process of its own that can be killed and waited for."""

    def __init__(self, nursery: "Nursery", number: int, errors: Path) -> None:
        """It runs as process `number`."""
        self.number = number
        self._nursery, self._errors = nursery, errors
        self._exit_code: int | None = None

    @property
    def errors(self) -> str:
        """What it has printed on standard error so far."""
        return self._errors.read_text()

    @property
    def has_ended(self) -> bool:
        """Whether it is there no more; until it is waited for, its number is not given to another."""
        if self._exit_code is None:
            self._exit_code = self._nursery.ask(look_at=self.number)
        return self._exit_code is not None

    def send(self, number: signal.Signals) -> None:
        """Send it a signal, if it is still there."""
        if not self.has_ended:
            os.kill(self.number, number)

    def finish(self) -> int:
        """Wait for its end and return the exit code, negative for a signal's number."""
        if self._exit_code is None:
            self._exit_code = self._nursery.ask(wait_for=self.number)
        assert self._exit_code is not None
        return self._exit_code


class Nursery:
    """The process that drivers are forked from."""

    def __init__(self) -> None:
        """Start it; the first driver waits for its imports."""
        environment = {name: value for name, value in os.environ.items() if not name.startswith("STUDIES_")}
        # More threads than one would not survive the fork.
        environment |= {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
        self._process = subprocess.Popen(
            [sys.executable, "-m", __name__],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=environment,
            text=True,
        )
        self._num_started = 0

    def start(self, folder: Path, *arguments: str, environment: Mapping[str, str]) -> Forked:
        """Start `studies run` with the arguments in `folder`."""
        self._num_started += 1
        errors = folder / f"errors-{self._num_started}.txt"
        errors.touch()  # one that is killed at once makes none itself
        number = self.ask(
            folder=str(folder), arguments=arguments, errors=str(errors), environment=dict(environment)
        )
        assert number is not None
        return Forked(self, number, errors)

    def ask(self, **question: Any) -> int | None:
        """Put a question and return the answer."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(question) + "\n")
        self._process.stdin.flush()
        answer = self._process.stdout.readline()
        assert answer, "the process that drivers are forked from has ended"
        number: int | None = json.loads(answer)
        return number

    def close(self) -> None:
        """End it."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        self._process.wait(timeout=30)
        self._process.stdout.close()


@contextmanager
def nursery() -> Iterator[Nursery]:
    """Keep a nursery for as long as drivers are needed."""
    made = Nursery()
    try:
        yield made
    finally:
        made.close()


def answer(question: Mapping[str, Any]) -> int | None:
    """Answer as the nursery: fork a driver, look whether one has ended, or wait for its end."""
    if "look_at" in question:
        number, status = os.waitpid(question["look_at"], os.WNOHANG)
        return os.waitstatus_to_exitcode(status) if number else None
    if "wait_for" in question:
        return os.waitstatus_to_exitcode(os.waitpid(question["wait_for"], 0)[1])
    number = os.fork()
    if number == 0:
        be_driver(**question)
    return number


def be_driver(folder: str, arguments: Sequence[str], errors: str, environment: Mapping[str, str]) -> None:
    """Run the command and end; nothing of the nursery's is used again."""
    code = 70
    try:
        os.chdir(folder)
        os.environ.update(environment)
        nothing = os.open(os.devnull, os.O_RDWR)
        os.dup2(nothing, 0)
        os.dup2(nothing, 1)
        os.dup2(os.open(errors, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), 2)
        from tests.studies.faults.light import run_light

        code = run_light(arguments)
    except SystemExit as error:
        code = error.code if isinstance(error.code, int) else 1
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stderr.flush()
        os._exit(code)


def serve() -> None:
    """Import what drivers need, then answer one question a line until there are no more."""
    import studies.database.engines.postgresql
    import studies.raytune.experiment
    import studies.results.best_model
    import studies.results.report_inputs
    import tests.studies.faults.light

    assert studies, tests
    for line in sys.stdin:
        print(json.dumps(answer(json.loads(line))), flush=True)


if __name__ == "__main__":
    serve()
