"""Whether Ray answers: told at once by a line to a process, and after a while by its nodes' silence."""

import select
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

import pytest

from studies.base.stopwatch import Stopwatch
from studies.cluster import liveness
from studies.cluster.liveness import Line, Liveness
from tests.studies.base.test_stopwatch import Clock

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
    with Line(process.call) as line:
        yield line


class Nodes:
    """Nodes that are asked all the time, and answer as a test wants it; their time passes when it says so."""

    def __init__(self) -> None:
        self.clock = Clock()
        self.answer: Callable[[], bool] = lambda: True
        self._stack = ExitStack()

    def watch(self, *, is_head_there: bool | None = None, **lines: Line) -> Liveness:
        watched = Liveness(
            lines=lines,
            head="Ray" if is_head_there is None else "Ray's head at here:1",
            is_head_there=None if is_head_there is None else lambda: bool(is_head_there),
            is_any_node_alive=lambda: self.answer(),
            max_seconds=30.0,
            stopwatch=Stopwatch(self.clock),
        )
        self._stack.enter_context(watched.asking())
        return watched

    def wait_for_loss(self, watched: Liveness) -> str:
        """Let time pass until there is a loss."""
        while (loss := watched.loss()) is None:
            self.clock.now += 0.5
        return loss

    def close(self) -> None:
        self._stack.close()


@pytest.fixture
def nodes(monkeypatch: pytest.MonkeyPatch) -> Iterator[Nodes]:
    """Nodes that answer."""
    monkeypatch.setattr(liveness, "SECONDS_BETWEEN_QUESTIONS", 0.01)
    nodes = Nodes()
    yield nodes
    nodes.close()


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


def test_a_dead_process_is_a_loss_at_once(process: Process, nodes: Nodes) -> None:
    watched = nodes.watch(raylet=Line(process.call))
    assert watched.loss() is None
    assert not watched.is_lost()
    process.kill()
    assert watched.loss() == "Ray is gone: its raylet was killed or crashed"
    assert watched.is_lost()


def test_a_process_that_ends_after_the_run_is_no_loss(process: Process, nodes: Nodes) -> None:
    watched = nodes.watch(raylet=Line(process.call))
    nodes.close()
    process.kill()
    assert watched.loss() is None


@pytest.mark.parametrize("answer", ["dead", "error", "never"])
def test_nodes_that_do_not_answer_are_a_loss_after_a_while(nodes: Nodes, answer: str) -> None:
    over = threading.Event()

    def ask() -> bool:
        if answer == "error":
            raise ConnectionError("no route to host")
        if answer == "never":
            over.wait()
        return False

    nodes.answer = ask
    watched = nodes.watch()
    begun = nodes.clock.now
    assert watched.loss() is None
    assert nodes.wait_for_loss(watched) == "Ray has not answered for 30 s"
    assert nodes.clock.now - begun == 30.5
    over.set()


def test_whoever_must_know_waits_for_an_answer(nodes: Nodes) -> None:
    asked, answers = threading.Event(), threading.Event()

    def ask() -> bool:
        asked.set()
        answers.wait()
        return True

    nodes.answer = ask
    watched = nodes.watch()
    with ThreadPoolExecutor(1) as executor:
        known = executor.submit(watched.is_lost)
        asked.wait()
        assert not known.done()
        answers.set()
        assert known.result(timeout=60) is False


def test_one_answer_is_enough_and_a_loss_is_for_good(nodes: Nodes) -> None:
    watched = nodes.watch()
    for _ in range(100):
        nodes.clock.now += 1.0
        assert not watched.is_lost()
    nodes.answer = lambda: False
    nodes.wait_for_loss(watched)
    nodes.answer = lambda: True
    assert watched.is_lost()


def test_a_silence_is_told_long_before_it_ends_the_run(nodes: Nodes) -> None:
    nodes.answer = lambda: False
    watched = nodes.watch(is_head_there=True)
    told: set[str | None] = set()
    for _ in range(29):
        nodes.clock.now += 1.0
        told.add(watched.notice())
        assert watched.loss() is None
    assert None in told
    (words,) = told - {None}
    assert words is not None
    assert words.startswith("Ray's head at here:1 has not answered for 10 s: ")
    assert "silent for 30 s the run ends" in words
    nodes.answer = lambda: True
    while watched.notice() is not None:
        pass
    nodes.close()
    nodes.clock.now += 1.0
    assert watched.notice() is None


@pytest.mark.parametrize(
    ("is_head_there", "silent", "words"),
    [
        (True, 0, " on this machine; Ray's head at here:1 is there"),
        (False, 0, " on this machine; Ray's head at here:1 takes no connection either"),
        (False, 20, " on this machine, after Ray's head at here:1 had not answered for 2"),
    ],
)
def test_when_a_clusters_node_here_dies_its_head_is_told_of(
    process: Process, nodes: Nodes, is_head_there: bool, silent: int, words: str
) -> None:
    nodes.answer = lambda: silent == 0
    watched = nodes.watch(is_head_there=is_head_there, raylet=Line(process.call))
    for _ in range(silent):
        nodes.clock.now += 1.0
        assert watched.loss() is None
    process.kill()
    loss = watched.loss()
    assert loss is not None
    assert loss.startswith(f"Ray is gone: its raylet was killed or crashed{words}")
