"""Where workers are placed: on every GPU that Ray is told to have, and those of one trial on several nodes."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from studies.cluster import cluster as starting
from studies.planning.resources import Resources
from tests.studies.cluster.test_room import node
from tests.studies.cluster.waiting_loop import WaitingLoop
from tests.studies.command import TIMEOUT, started
from tests.studies.multi_node import RunningCluster, cluster


@pytest.fixture(scope="module")
def nodes() -> Iterator[RunningCluster]:
    """A head without CPUs, and two nodes with two CPUs and two GPUs each."""
    node = {"num_cpus": 2, "num_gpus": 2}
    with cluster(node, node, head={"num_cpus": 0}) as running:
        yield running


def test_trials_that_run_at_once_have_every_gpu_of_every_node(tmp_path: Path, nodes: RunningCluster) -> None:
    loop = WaitingLoop(tmp_path, "loop", trials_per_cell=2)
    arguments = ("run", "./loop.py", "--address", nodes.address, "--gpus-per-trial", "1")
    with started(tmp_path, *arguments, settings=nodes.environment) as command:
        command.wait_until(lambda: len([each for each in loop.notes() if each["block"] == 0]) == 4)
        where = {(each["raylet"], each["gpus"]) for each in loop.notes()}
        assert where == {(node.raylet, gpu) for node in nodes.nodes[1:] for gpu in ("0", "1")}
        loop.go()
        assert command.finish() == 0, command.errors


def test_the_workers_of_a_trial_whose_networks_are_no_stack_are_spread_over_nodes(
    tmp_path: Path, nodes: RunningCluster
) -> None:
    loop = WaitingLoop(tmp_path, "loop", trials_per_cell=1)
    loop.go()
    arguments = ("run", "./loop.py", "--address", nodes.address)
    with started(tmp_path, *arguments, settings=nodes.environment) as command:
        assert command.finish(2 * TIMEOUT) == 0, command.errors
        told = "trials use none of the cluster's 4 GPUs: --gpus-per-trial 1 gives each trial one"
        assert told in command.errors
    searched: dict[str, set[int]] = {}
    for note in loop.notes():
        if not note["test"]:
            searched.setdefault(note["setting"], set()).add(note["raylet"])
    both = {node.raylet for node in nodes.nodes[1:]}
    assert list(searched.values()) == [both, both], "two replicates of each of two trials, each on a node"


def test_too_many_gpus_are_refused_by_node(tmp_path: Path, nodes: RunningCluster) -> None:
    WaitingLoop(tmp_path, "loop")
    joining = ("run", "./loop.py", "--address", nodes.address)
    with started(tmp_path, *joining, "--gpus-per-trial", "3", settings=nodes.environment) as command:
        assert command.finish() == 1
        assert "no trial fits on any node: one takes 1 CPU and 3 GPU; " in command.errors
        assert "has 2 CPU (2 free) and 2 GPU (2 free)" in command.errors
        assert "Give --gpus-per-trial 2 or less, or let a node join that has room" in command.errors


@pytest.mark.parametrize(
    ("gpus", "workers", "expected"),
    [(0, 8, None), (1, 8, None), (2, 8, 0.25), (2, 3, 0.5), (4, 2, 1.0), (2, 24, 0.0833)],
)
def test_trials_on_a_machine_with_several_gpus_are_spread_over_all(
    gpus: int, workers: int, expected: float | None
) -> None:
    assert starting._gpu_share([node(cpus=8, gpus=gpus)], Resources(workers=workers)) == expected
