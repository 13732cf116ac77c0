"""Studies on a real cluster of three nodes: they use what joins, go on without what leaves, and share what is there."""

import json
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.studies.cluster.waiting_loop import WaitingLoop
from tests.studies.command import TIMEOUT, Command, finished, rows, started
from tests.studies.multi_node import RunningCluster, cluster

RUNNING = """
SELECT count(*) FROM trial JOIN study ON study.id = study_id WHERE name = '{name}' AND trial.state = 'running'
"""
LOST = "SELECT count(*) FROM event WHERE kind = 'worker_lost'"
AGAIN = "SELECT count(*) FROM trial WHERE attempt = 2"


@pytest.fixture
def nodes() -> Iterator[RunningCluster]:
    """A head and two nodes with one CPU each."""
    with cluster({}, {}) as running:
        yield running


class Run:
    """A study that runs on a cluster, whose trials wait for permits."""

    def __init__(
        self, stack: ExitStack, folder: Path, on: RunningCluster, name: str, *arguments: str
    ) -> None:
        self.loop, self._folder, self.name = WaitingLoop(folder, name, trials_per_cell=6), folder, name
        words = ("run", f"./{name}.py", "--address", on.address, *arguments)
        self.command: Command = stack.enter_context(started(folder, *words, settings=on.environment))

    def trains(self, number: int) -> None:
        """Wait until so many trials are running."""
        self.waits(lambda: self._running() == number, lambda: (number, self._running()))

    def says(self, words: str) -> None:
        """Wait until it has told so."""
        self.waits(lambda: words in self.told(), lambda: words)

    def waits(self, condition: Callable[[], bool], about: Callable[[], object]) -> None:
        """Wait until `condition` holds; fail if it takes too long or the run ends before."""
        deadline = time.monotonic() + TIMEOUT
        while not condition():
            assert time.monotonic() < deadline, (self.name, about(), self.told())
            assert self.command.process.poll() is None, (self.name, about(), self.told())
            time.sleep(0.05)

    def told(self) -> str:
        return self.command.output + self.command.errors

    def ends(self) -> None:
        self.loop.go()
        assert self.command.finish() == 0, self.told()

    def _running(self) -> int:
        return int((rows(self._folder, RUNNING.format(name=self.name)) or [(0,)])[0][0])


@pytest.mark.slow  # Ray alone needs up to 20 s to see that a node is gone
def test_studies_use_what_joins_and_share_what_is_there(tmp_path: Path, nodes: RunningCluster) -> None:
    with ExitStack() as stack:
        first = Run(stack, tmp_path, nodes, "first")
        first.trains(3)
        added = nodes.add()
        first.trains(4)
        nodes.kill(added)
        first.waits(lambda: rows(tmp_path, LOST) == [(1,)], lambda: "a lost worker")
        second, third = (Run(stack, tmp_path, nodes, name) for name in ("second", "third"))
        for each in (first, second, third):  # Ray needs some seconds to see that the node is gone
            each.says("1 of 3 slots: 3 studies share the cluster")
        second.says("waiting for room: other work has taken the nodes")
        first.loop.permit(3)
        for each in (first, second, third):
            each.trains(1)
        assert rows(tmp_path, AGAIN) == [(1,)], "the trial whose node is gone was the next"
        second.ends()
        first.says("2 of 3 slots: 2 studies share the cluster")
        first.trains(2)
        third.ends()
        first.trains(3)
        first.ends()
    joined = [
        json.loads(row[0])
        for row in rows(tmp_path, "SELECT detail FROM event WHERE kind = 'cluster_started'")
    ]
    assert len({each["ray_cluster"] for each in joined}) == 1
    assert len(joined) == 3
    assert rows(tmp_path, LOST) == [(1,)], "no worker was lost to another study"
    for name in ("first", "second", "third"):
        assert (tmp_path / "runs" / name / "report.html").exists()
        assert finished(tmp_path, "verify", name).process.returncode == 0
