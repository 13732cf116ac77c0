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
    """Ray could not be started, or its start was abandoned."""

    def __init__(self, why: Exception | str) -> None:
        super().__init__(
            f"Ray could not be started: {in_a_line(why)}",
            "Check free memory and /tmp, or try --no-dashboard.",
        )


class Head:
    """Starts Ray in a process beside the driver, which then joins it.

    A `ray.init` in the driver's own process could not be interrupted: if the processes that it starts are killed, it
    waits a minute and ends the driver.
    """

    def __init__(self, folder: Path, options: Mapping[str, Any], environment: Mapping[str, str]) -> None:
        """Start at once; `environment` must mark the processes as those of `folder` (by TMPDIR)."""
        self._folder = folder
        self._lock = threading.Lock()
        self._is_awaited, self._is_given_up = True, False
        answer, told = os.pipe()
        with (folder / LOG).open("wb") as log:
            # -P: a module named ray in the current folder is not imported.
            self._process = subprocess.Popen(
                [sys.executable, "-P", str(PROGRAM), str(told), json.dumps(options)],
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=log,
                env=environment,
                pass_fds=[told],
                start_new_session=True,  # so that Ctrl-C reaches the driver alone
            )
        os.close(told)
        self._answer = os.fdopen(answer, encoding="utf-8")
        self._dashboard: str | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """Shut Ray down, unless its processes have been ended already."""
        assert self._process.stdin is not None
        with suppress(BrokenPipeError):
            self._process.stdin.close()
        self._process.wait()
        self._answer.close()

    def address(self) -> str:
        """Wait for Ray and return its address; raise NotStartedError if it does not start or `give_up` was called."""
        text = self._answer.readline()
        with self._lock:
            if self._is_given_up:
                raise NotStartedError("it was given up")
            self._is_awaited = False
        told = json.loads(text) if text else {"error": self._last_words()}
        if "error" in told:
            raise NotStartedError(told["error"])
        threading.Thread(target=self._hear_of_dashboard, name="ray-dashboard", daemon=True).start()
        return str(told["address"])

    def dashboard(self) -> str | None:
        """Return the URL of the dashboard, or why there is none; None while it starts, which nothing waits for."""
        return self._dashboard

    def _hear_of_dashboard(self) -> None:
        with suppress(OSError, ValueError):  # the pipe is closed: the run has ended
            if text := self._answer.readline():
                told = json.loads(text)
                is_there = told.get("dashboard") is not None
                self._dashboard = (
                    f"http://{told['dashboard'].removeprefix('http://')}"
                    if is_there
                    else f"it did not start: {in_a_line(told.get('error', 'Ray told no address'))}"
                )

    def give_up(self) -> None:
        """Kill what has started so far, unless `address` has returned: then the driver has to leave the cluster."""
        with self._lock:
            if self._is_awaited:
                self._is_given_up = True
                self._process.kill()
                end_processes(self._folder, patience_seconds=0.0)

    def _last_words(self) -> str:
        lines = (self._folder / LOG).read_text(encoding="utf-8", errors="replace").split("\n")
        said = [line.strip() for line in lines if line.strip()]
        return said[-1] if said else "its process ended without a word"
