"""A study on a cluster whose nodes Ray's autoscaler starts: it waits for them, and says what never comes."""

import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.studies.autoscaling import Autoscaled, autoscaled
from tests.studies.cluster.waiting_loop import WaitingLoop
from tests.studies.command import TIMEOUT, Command, rows, started

RUNNING = "SELECT count(*) FROM trial WHERE state = 'running'"


@pytest.fixture(scope="module")
def scaled() -> Iterator[Autoscaled]:
    """A head without CPUs, and nodes of one CPU when they are wanted."""
    with autoscaled(small={"CPU": 1}) as running:
        yield running


def waits(command: Command, condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + TIMEOUT
    while not condition():
        told = command.output + command.errors
        assert command.process.poll() is None, told
        assert time.monotonic() < deadline, told
        time.sleep(0.05)


@pytest.mark.slow
def test_nodes_are_started_for_a_study_as_many_as_it_asks_for(tmp_path: Path, scaled: Autoscaled) -> None:
    loop = WaitingLoop(tmp_path, "loop")
    arguments = ("run", "./loop.py", "--address", scaled.address, "--workers", "2")
    with started(tmp_path, *arguments, settings=scaled.environment) as command:
        waits(
            command,
            lambda: "no trial fits on any node now, as one takes 1 CPU" in command.output + command.errors,
        )
        waits(command, lambda: rows(tmp_path, RUNNING) == [(2,)])
        loop.go()
        assert command.finish() == 0, command.errors
    assert len({note["raylet"] for note in loop.notes()}) == 2
    ((detail,),) = rows(tmp_path, "SELECT detail FROM event WHERE kind = 'cluster_started'")
    assert json.loads(detail)["workers"] == 1


@pytest.mark.slow
def test_what_no_type_of_node_has_is_told_and_the_run_can_be_stopped(
    tmp_path: Path, scaled: Autoscaled
) -> None:
    WaitingLoop(tmp_path, "loop")
    arguments = ("run", "./loop.py", "--address", scaled.address, "--cpus-per-trial", "64")
    with started(tmp_path, *arguments, settings=scaled.environment) as command:
        waits(command, lambda: "the autoscaler starts no node for it" in command.output + command.errors)
        command.press_ctrl_c()
        assert command.finish() == 130
