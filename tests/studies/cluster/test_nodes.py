"""Which node a lost worker was on, and whether that is lost too: by Ray's list, or because nothing answers there."""

import socket
from contextlib import closing
from typing import Any

from studies.cluster.nodes import Node, _answers, lost_among, lost_node


def listed(node_id: str, *, alive: bool = True) -> dict[str, Any]:
    """Return a node as Ray lists it."""
    return {
        "NodeID": node_id,
        "Alive": alive,
        "NodeManagerAddress": "10.0.0.3",
        "NodeManagerPort": 4000,
        "NodeManagerHostname": "gpu-7",
        "Resources": {"CPU": 1.0} if alive else {},
    }


def test_a_node_is_lost_if_ray_says_so_or_it_takes_no_connection() -> None:
    asked: list[tuple[str, int]] = []

    def refuse(address: str, port: int) -> bool:
        asked.append((address, port))
        return False

    nodes = [listed("ab"), listed("cd", alive=False)]
    lost = Node(node_id="cd", address="10.0.0.3", host="gpu-7", trains=False)
    assert lost_among("cd", nodes, answers=lambda *_: True) == lost
    assert lost_among("cd", nodes, answers=refuse) == lost
    assert asked == [], "Ray has said so already"
    assert lost_among("ab", nodes, answers=lambda *_: True) is None
    found = lost_among("ab", nodes, answers=refuse)
    assert found is not None
    assert found.node_id == "ab"
    assert asked == [("10.0.0.3", 4000)]


def test_of_a_worker_without_a_node_nothing_is_said() -> None:
    assert lost_among("", [listed("ab", alive=False)], answers=lambda *_: False) is None
    assert lost_among("ef", [], answers=lambda *_: False) is None
    assert lost_node(None) is None, "Ray's error does not say which worker"


def test_a_port_that_nobody_listens_on_does_not_answer() -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as server:
        port = server.getsockname()[1]
        assert _answers("127.0.0.1", port)
    assert not _answers("127.0.0.1", port)
