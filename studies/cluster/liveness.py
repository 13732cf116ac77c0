"""Whether Ray is alive: open connections to its processes here break when these die, and its nodes are polled."""

import socket
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from typing import Any, Self

import ray

from studies.base.stopwatch import Stopwatch
from studies.cluster.nodes import listed_nodes

MAX_SECONDS_WITHOUT_ANSWER = 30.0
"""How long a Ray that was started for the run may be silent, before the run ends."""
MAX_SECONDS_ON_A_CLUSTER = 180.0
"""The same for a cluster that was joined: its head may be restarted, moved, or paused with its machine."""
SECONDS_UNTIL_TOLD = 10.0
"""A silence longer than this is told on the screen, and again each minute."""
SECONDS_BETWEEN_QUESTIONS = 1.0
SECONDS_BETWEEN_LOOKS = 0.1
SECONDS_TO_CONNECT = 3.0
RAYLET, GCS = "raylet", "gcs_server"
"""Ray's processes, by their names in the process list, without which a driver on the same machine cannot go on."""


class Line:
    """An idle connection to a process: the operating system breaks it the moment the process dies."""

    def __init__(self, connect: Callable[[], socket.socket]) -> None:
        """`connect` opens a connection; it is called when the context is entered."""
        self._connect = connect
        self._socket: socket.socket | None = None

    def __enter__(self) -> Self:
        self._call()
        return self

    def __exit__(self, *_: object) -> None:
        if self._socket is not None:
            self._socket.close()

    def is_broken(self) -> bool:
        """Return whether the process is dead; a connection that it closed, as Ray does after 2 min, is reopened."""
        if self._is_open():
            return False
        try:
            self._call()
        except OSError:
            return True
        return False

    def _call(self) -> None:
        self._socket = self._connect()
        self._socket.setblocking(False)

    def _is_open(self) -> bool:
        if self._socket is None:
            return False
        try:
            while self._socket.recv(4096):
                pass
        except BlockingIOError:
            return True
        except OSError:
            pass
        self._socket.close()
        self._socket = None
        return False


class Liveness:
    """Whether Ray is alive, from connections to its processes here and from polling whether any node is alive."""

    def __init__(
        self,
        *,
        lines: Mapping[str, Line],
        is_any_node_alive: Callable[[], bool],
        max_seconds: float = MAX_SECONDS_WITHOUT_ANSWER,
        stopwatch: Stopwatch | None = None,
        head: str = "Ray",
        is_head_there: Callable[[], bool] | None = None,
    ) -> None:
        """`lines` are connections to processes that nobody would restart, by name; `max_seconds` without any answer.

        `head` is what has not answered, in words; of a cluster that was joined, `is_head_there` says at once whether
        its head takes connections.
        """
        self._head, self._is_head_there = head, is_head_there
        self._lines, self._is_any_node_alive, self._max_seconds = lines, is_any_node_alive, max_seconds
        self._unanswered = stopwatch or Stopwatch()
        self._is_answered, self._is_asked = threading.Event(), threading.Event()
        self._is_over = False
        self._lock = threading.Lock()
        self._loss: str | None = None

    def loss(self) -> str | None:
        """Return what of Ray is lost for good, None while it is alive or after `asking` ended; never blocks."""
        with self._lock:
            if self._loss is None and not self._is_over:
                dead = [name for name, line in self._lines.items() if line.is_broken()]
                silent = self._unanswered.look()
                if dead:
                    self._loss = f"Ray is gone: its {dead[0]} was killed or crashed{self._about_head(silent)}"
                elif silent > self._max_seconds:
                    self._loss = f"{self._head} has not answered for {self._max_seconds:g} s"
            return self._loss

    def notice(self) -> str | None:
        """Return what a user is told of a silence that does not end the run yet, None where there is none."""
        with self._lock:
            silent = self._unanswered.look()
            if self._loss is not None or self._is_over or silent <= SECONDS_UNTIL_TOLD:
                return None
        told = silent // 60 * 60 or SECONDS_UNTIL_TOLD
        return (
            f"{self._head} has not answered for {told:.0f} s: workers train on as far as they can, and the run "
            f"waits for it; if it is silent for {self._max_seconds:g} s the run ends, and can be resumed"
        )

    def _about_head(self, silent: float) -> str:
        """Return how a cluster's head is when a process here has died: a node ends itself a minute after its head."""
        if self._is_head_there is None:
            return ""
        if silent > SECONDS_UNTIL_TOLD:
            return f" on this machine, after {self._head} had not answered for {silent:.0f} s"
        state = "is there" if self._is_head_there() else "takes no connection either"
        return f" on this machine; {self._head} {state}"

    def is_lost(self) -> bool:
        """Return whether Ray is lost; blocks until a node answers, or Ray is known to be lost."""
        self._is_answered.clear()
        self._is_asked.set()
        while self.loss() is None:
            if self._is_over or self._is_answered.wait(SECONDS_BETWEEN_LOOKS):
                return False
        return True

    @contextmanager
    def asking(self) -> Iterator[None]:
        """Poll the nodes in a thread of its own, because Ray may never answer; close the connections in the end."""
        with ExitStack() as stack:
            for line in self._lines.values():
                stack.enter_context(line)
            asker = threading.Thread(target=self._ask, name="liveness", daemon=True)
            asker.start()
            try:
                yield
            finally:
                self._is_over = True
                self._is_asked.set()
                asker.join(SECONDS_BETWEEN_QUESTIONS)

    def _ask(self) -> None:
        while True:
            self._is_asked.wait(SECONDS_BETWEEN_QUESTIONS)
            self._is_asked.clear()
            if self._is_over:
                return
            try:
                is_alive = self._is_any_node_alive()
            except Exception:  # whatever Ray raises, this is no answer
                continue
            if is_alive:
                self._unanswered.restart()
                self._is_answered.set()


def watch_ray(*, is_local: bool, max_seconds: float | None = None) -> Liveness:
    """Return the liveness of the Ray that this process has joined; `is_local` if Ray was started for it alone.

    This machine's raylet owns the memory that the driver shares with its workers, so its death ends the run. A
    cluster's gcs_server may be restarted; a local one is not.
    """
    address = ray.get_runtime_context().gcs_address
    lines = {RAYLET: Line(_call_raylet(_own_node()["RayletSocketName"]))}
    if is_local:
        lines[GCS] = Line(_call_gcs(address))
    usual = MAX_SECONDS_WITHOUT_ANSWER if is_local else MAX_SECONDS_ON_A_CLUSTER
    return Liveness(
        lines=lines,
        is_any_node_alive=_is_any_node_alive,
        max_seconds=usual if max_seconds is None else max_seconds,
        head="Ray" if is_local else f"Ray's head at {address}",
        is_head_there=None if is_local else lambda: _takes_connections(address),
    )


def _own_node() -> Mapping[str, Any]:
    own = ray.get_runtime_context().get_node_id()
    return next(node for node in listed_nodes() if node["NodeID"] == own)


def _is_any_node_alive() -> bool:
    return any(node["Alive"] for node in listed_nodes())


def _call_raylet(path: str) -> Callable[[], socket.socket]:
    def call() -> socket.socket:
        line = socket.socket(socket.AF_UNIX)
        try:
            line.connect(path)
        except OSError:
            line.close()
            raise
        return line

    return call


def _takes_connections(address: str) -> bool:
    try:
        _call_gcs(address)().close()
    except OSError:
        return False
    return True


def _call_gcs(address: str) -> Callable[[], socket.socket]:
    host, _, port = address.rpartition(":")
    return lambda: socket.create_connection((host.strip("[]"), int(port)), timeout=SECONDS_TO_CONNECT)
