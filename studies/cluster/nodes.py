"""The nodes of a Ray cluster: on which one a worker was, and whether that one is lost."""

import socket
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from typing import Any, Self

from studies.base.wording import printable

SECONDS_TO_CONNECT = 2.0
"""How long a node may take to answer a connection; one that lives answers in milliseconds."""
SHORT = 12
"""Characters of Ray's identifier of a node by which it is named in a line; all of it has 56."""


@dataclass(frozen=True, kw_only=True)
class Node:
    """A node of the cluster: its IP address, its host's name, and Ray's hexadecimal identifier."""

    node_id: str
    address: str
    host: str
    trains: bool = True
    """Whether it offers CPUs, so that trials may run there."""

    @classmethod
    def of(cls, listed: Mapping[str, Any]) -> Self:
        """Return a node as `ray.nodes()` lists it."""
        address = str(listed["NodeManagerAddress"])
        return cls(
            node_id=listed["NodeID"],
            address=address,
            host=str(listed["NodeManagerHostname"] or address),
            trains=listed["Resources"].get("CPU", 0) > 0,
        )

    @property
    def short_id(self) -> str:
        """The beginning of its identifier, as Ray's dashboard and `ray list nodes` show it."""
        return self.node_id[:SHORT]

    def __str__(self) -> str:
        """Return its name in a line.

        >>> str(Node(node_id="a2fc8ef81a0f8e7a1ca34237", address="10.0.0.3", host="gpu-7"))
        '10.0.0.3 (host gpu-7, Ray node a2fc8ef81a0f)'
        """
        return printable(f"{self.address} (host {self.host}, Ray node {self.short_id})")


def lost_node(actor_id: str | None) -> Node | None:
    """Return the node on which a worker was that is lost itself, None if only the worker is.

    Ray takes up to a minute to declare a node dead. So that one that is still listed as alive counts as lost, too, if
    its raylet, without which it has no workers, takes no connection. Blocks while the head does not answer.
    """
    if actor_id is None:
        return None
    try:
        node_id, nodes = _place(actor_id), listed_nodes()
    except Exception:  # whatever Ray raises: the loss is then recorded as the worker's alone
        return None
    return lost_among(node_id, nodes, answers=_answers)


def lost_among(
    node_id: str, nodes: Sequence[Mapping[str, Any]], *, answers: Callable[[str, int], bool]
) -> Node | None:
    """Return the node with this identifier if it is lost: of `nodes`, as `ray.nodes()` returns them.

    `answers` says whether something takes connections at an address and port.
    """
    found = next((node for node in nodes if node["NodeID"] == node_id), None)
    if found is None:
        return None
    address, port = str(found["NodeManagerAddress"]), int(found["NodeManagerPort"])
    if found["Alive"] and answers(address, port):
        return None
    return Node.of(found)


def _place(actor_id: str) -> str:
    """Return the identifier of the node on which an actor is or was; empty if it never had one."""
    from ray._private import state

    actor: dict[str, Any] = state.actors(actor_id)
    return str(actor["Address"]["NodeID"]) if actor else ""


def listed_nodes() -> list[dict[str, Any]]:
    """Return the nodes that the cluster has had, as Ray lists them; blocks while its head does not answer."""
    import ray

    nodes: list[dict[str, Any]] = ray.nodes()  # type: ignore[no-untyped-call]
    return nodes


def _answers(address: str, port: int) -> bool:
    try:
        with closing(socket.create_connection((address, port), timeout=SECONDS_TO_CONNECT)):
            return True
    except OSError:
        return False
