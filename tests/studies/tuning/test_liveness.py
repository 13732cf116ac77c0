"""Whether Ray answers: told at once by a line to a process, and after a while by its nodes' silence."""

import select
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from studies.tuning import liveness
from studies.tuning.liveness import Line, Liveness

LISTEN = """
import socket, sys
server = socket.socket(socket.AF_UNIX)
server.bind(sys.argv[1])
server.listen()
print(flush=True)
while True:
    caller, _ = server.accept()
    print(flush=True)
    sys.stdin.readline()
    caller.send(b"goodbye")
    caller.close()
"""


class Process:
    """A process that takes calls, and hangs up on the first caller when told to."""

    def __init__(self, folder: Path) -> None:
        self.path = str(folder / "socket")
        self._process = subprocess.Popen(
            [sys.executable, "-S", "-c", LISTEN, self.path],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            bufsize=0,
        )
        self.wait_for_output()

    def call(self) -> socket.socket:
        line = socket.socket(socket.AF_UNIX)
        try:
            line.connect(self.path)
        except OSError:
            line.close()
            raise
        return line

    def wait_for_output(self, meanwhile: Callable[[], None] = lambda: None) -> None:
        """Wait until it takes calls or, each time after that, took one."""
        assert self._process.stdout is not None
        while not select.select([self._process.stdout], [], [], 0.01)[0]:
            meanwhile()
        self._process.stdout.read(1)

    def hang_up(self) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(b"\n")

    def kill(self) -> None:
        self._process.kill()
        self._process.communicate()


@pytest.fixture
def process(tmp_path: Path) -> Iterator[Process]:
    """A process that takes calls."""
    process = Process(tmp_path)
    yield process
    process.kill()


@pytest.fixture
def line(process: Process) -> Iterator[Line]:
    """A line to it."""
    line = Line(process.call)
    yield line
    line.close()


@pytest.fixture
def nodes(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Liveness]]:
    """Return a function that makes a liveness, asked all the time, of nodes that answer as the function given does."""
    monkeypatch.setattr(liveness, "SECONDS_BETWEEN_QUESTIONS", 0.01)
    with ExitStack() as stack:

        def make(answer: Callable[[], bool], *, max_seconds: float = 0.3, **lines: Line) -> Liveness:
            watched = Liveness(lines=lines, is_any_node_alive=answer, max_seconds=max_seconds)
            stack.enter_context(watched.asking())
            return watched

        yield make


def wait_for_loss(watched: Liveness) -> str:
    while (loss := watched.loss()) is None:
        time.sleep(0.01)
    return loss


def test_a_line_breaks_when_the_process_is_killed(process: Process, line: Line) -> None:
    assert not line.is_broken()
    process.kill()
    assert line.is_broken()


def test_a_process_that_hangs_up_is_called_again(process: Process, line: Line) -> None:
    def look() -> None:
        assert not line.is_broken()

    process.wait_for_output()
    process.hang_up()
    process.wait_for_output(look)
    process.kill()
    assert line.is_broken()


def test_a_dead_process_is_a_loss_at_once(
    process: Process, line: Line, nodes: Callable[..., Liveness]
) -> None:
    watched = nodes(lambda: True, max_seconds=1000.0, raylet=line)
    assert watched.loss() is None
    assert not watched.is_lost()
    process.kill()
    assert watched.loss() == "Ray is gone: its raylet was killed or crashed"
    assert watched.is_lost()


@pytest.mark.parametrize("answer", ["dead", "error", "never"])
def test_nodes_that_do_not_answer_are_a_loss_after_a_while(
    nodes: Callable[..., Liveness], answer: str
) -> None:
    over = threading.Event()

    def ask() -> bool:
        if answer == "error":
            raise ConnectionError("no route to host")
        if answer == "never":
            over.wait()
        return False

    watched = nodes(ask)
    assert watched.loss() is None
    assert watched.is_lost(), "it waits until that is known"
    assert wait_for_loss(watched) == "no node of Ray's has answered for 0.3 s"
    over.set()


def test_one_answer_is_enough_and_a_loss_is_for_good(nodes: Callable[..., Liveness]) -> None:
    answers = threading.Event()
    answers.set()
    watched = nodes(answers.is_set)
    deadline = time.monotonic() + 1
    while time.monotonic() < deadline:
        assert not watched.is_lost()
    answers.clear()
    wait_for_loss(watched)
    answers.set()
    assert watched.is_lost()
