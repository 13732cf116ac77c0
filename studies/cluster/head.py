"""The process in which Ray is started: it can be ended at any moment, and has none of the driver's secrets."""

import json
import os
import subprocess
import sys
import threading
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, Self

from studies.base.errors import StudiesError
from studies.cluster.address import in_a_line
from studies.cluster.reaper import end_processes

PROGRAM = Path(__file__).with_name("serving_ray.py")
LOG = "head.log"


class NotStartedError(StudiesError):
    """Ray could not be started, or was given up."""

    def __init__(self, why: Exception | str) -> None:
        super().__init__(
            f"Ray could not be started: {in_a_line(why)}",
            "Check free memory and /tmp, or try --no-dashboard.",
        )


class Head:
    """Starts Ray beside the driver, which joins it then.

    A `ray.init` in the driver's own process could not be broken off: where what it has started is killed, it waits a
    minute and takes the process with it.
    """

    def __init__(self, folder: Path, options: Mapping[str, Any], environment: Mapping[str, str]) -> None:
        """Start at once; `environment` must mark its processes as those of `folder`."""
        self._folder = folder
        self._lock = threading.Lock()
        self._is_awaited, self._is_given_up = True, False
        answer, told = os.pipe()
        with (folder / LOG).open("wb") as log:
            # -P: Ray, and not what may have its name in the folder in which the command was given.
            self._process = subprocess.Popen(
                [sys.executable, "-P", str(PROGRAM), str(told), json.dumps(options)],
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=log,
                env=environment,
                pass_fds=[told],
                start_new_session=True,  # so that a Ctrl-C is the driver's alone
            )
        os.close(told)
        self._answer = os.fdopen(answer, encoding="utf-8")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """Shut Ray down; where its processes were ended before, there is nothing left to do."""
        assert self._process.stdin is not None
        with suppress(BrokenPipeError):
            self._process.stdin.close()
        self._process.wait()
        self._answer.close()

    def address(self) -> str:
        """Wait for Ray and return its address; NotStartedError where there is none, or `give_up` came before."""
        text = self._answer.read()
        with self._lock:
            if self._is_given_up:
                raise NotStartedError("it was given up")
            self._is_awaited = False
        told = json.loads(text) if text else {"error": self._last_words()}
        if "error" in told:
            raise NotStartedError(told["error"])
        return str(told["address"])

    def give_up(self) -> None:
        """End what has started so far, unless `address` has been returned: then it is the driver's to leave."""
        with self._lock:
            if self._is_awaited:
                self._is_given_up = True
                self._process.kill()
                end_processes(self._folder, patience_seconds=0.0)

    def _last_words(self) -> str:
        lines = (self._folder / LOG).read_text(encoding="utf-8", errors="replace").split("\n")
        said = [line.strip() for line in lines if line.strip()]
        return said[-1] if said else "its process ended without a word"
