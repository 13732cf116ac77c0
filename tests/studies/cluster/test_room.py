"""How many trials fit, node by node, and what is said where none does."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from studies.cluster.room import MAX_NAMED, Bundle, NodeRoom, by_node, fitting, free, no_room, unused_gpus


def node(**has: Any) -> NodeRoom:
    given: dict[str, Any] = {"node_id": "0123abcdef", "host": "here", "cpus": 1.0, "gpus": 0.0} | has
    return NodeRoom(**{"free_cpus": given["cpus"], "free_gpus": given["gpus"]} | given)


@pytest.mark.parametrize(
    ("takes", "has", "expected"),
    [
        ((1, 0), (4, 0), 4),
        ((2, 0), (1, 0), 0),
        ((0.1, 0), (1, 0), 10),
        ((0.3, 0), (0.9, 0), 3),
        ((1, 1), (8, 2), 2),
        ((1, 2), (8, 3), 1),
        ((1, 0.4), (8, 1), 2),
        ((1, 0.4), (8, 2), 4),  # 5 by the sum, of which one would lie on two GPUs
        ((1, 0.3333), (8, 1), 3),
        ((1, 1), (8, 0), 0),
        ((4, 0.25), (8, 2), 2),
    ],
)
def test_what_fits_on_a_node(takes: tuple[float, float], has: tuple[float, float], expected: int) -> None:
    assert Bundle(cpus=takes[0], gpus=takes[1]).fitting(*has) == expected


def test_two_nodes_of_one_cpu_have_no_room_for_a_trial_of_two() -> None:
    assert fitting([node(), node()], Bundle(cpus=2)) == 0
    assert fitting([node(), node(cpus=4), node(cpus=3)], Bundle(cpus=2)) == 3


@given(
    cpus=st.integers(1, 40),
    gpus=st.integers(0, 8),
    takes=st.sampled_from([0.05, 0.1, 0.25, 0.3, 0.5, 1.0, 2.0]),
)
def test_what_fits_never_takes_more_than_there_is(cpus: int, gpus: int, takes: float) -> None:
    bundle = Bundle(cpus=takes, gpus=takes)
    found = bundle.fitting(cpus, gpus)
    assert found * takes <= min(cpus, gpus) + 1e-6
    # One more would need a GPU, or the CPUs, that are not there.
    per_gpu = int(1 / takes + 1e-9) if takes < 1 else 1 / takes
    assert found >= min(int(cpus / takes + 1e-9), int(gpus * per_gpu))


def test_what_is_free_is_counted_apart() -> None:
    nodes = [node(cpus=4, free_cpus=1, gpus=2, free_gpus=0.5), node(cpus=4, free_cpus=0)]
    assert (free(nodes, Bundle(cpus=1)), free(nodes, Bundle(cpus=1, gpus=1))) == (1, 0)
    assert free(nodes, Bundle(cpus=0.5, gpus=0.25)) == 2


def test_what_is_asked_and_what_is_there_is_said_by_node_with_the_option_to_change() -> None:
    nodes = [
        node(cpus=1, host="small"),
        node(cpus=2, free_cpus=0.5, gpus=1, host="large", node_id="ffff0000aaaa"),
    ]
    error = no_room(nodes, Bundle(cpus=4, gpus=2))
    assert error.message == (
        "no trial fits on any node: one takes 4 CPU and 2 GPU; "
        "large (Ray node ffff0000aaaa) has 2 CPU (0.5 free) and 1 GPU (1 free); "
        "small (Ray node 0123abcdef) has 1 CPU (1 free), no GPU"
    )
    assert str(error.advice).startswith(
        "Give --cpus-per-trial 2 or less and --gpus-per-trial 1 or less, or let a node"
    )
    assert "no --gpus-per-trial" in str(no_room([node()], Bundle(cpus=1, gpus=1)).advice)
    apart = [node(cpus=1, gpus=1), node(cpus=4)]
    assert "until one node has both" in str(no_room(apart, Bundle(cpus=4, gpus=1)).advice)


def test_of_many_nodes_those_with_the_most_are_named() -> None:
    told = by_node([node(cpus=cpus, host=f"host-{cpus}") for cpus in range(1, 100)])
    assert "host-99 " in told
    assert "host-1 " not in told
    assert told.endswith(f"; and {99 - MAX_NAMED} more with no more than these")
    assert by_node([]) == "the cluster has no node that is alive"
    assert "\x1b" not in by_node([node(host="\x1b[2J")])


def test_idle_gpus_are_told_with_the_option_that_uses_them() -> None:
    nodes = [node(gpus=1), node(gpus=3)]
    assert str(unused_gpus(nodes, Bundle(cpus=1))).startswith(
        "trials use none of the cluster's 4 GPUs: --gpus-per-trial 1"
    )
    assert unused_gpus(nodes, Bundle(cpus=1, gpus=0.5)) is None
    assert unused_gpus([node()], Bundle(cpus=1)) is None
