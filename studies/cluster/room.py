"""What the nodes of a cluster have room for: how many trials fit, node by node, and what to say where none does."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from studies.base.errors import StudiesError
from studies.base.wording import printable
from studies.cluster.nodes import SHORT, listed_nodes

EPSILON = 1e-6
"""Ray counts in ten-thousandths; floating-point sums differ from these by less."""
MAX_NAMED = 6
"""Of how many nodes a message says what they have."""


@dataclass(frozen=True, kw_only=True)
class Bundle:
    """What one trial takes on one node: CPUs, and GPUs as whole ones or a fraction of one."""

    cpus: float
    gpus: float = 0.0

    def __str__(self) -> str:
        return f"{self.cpus:g} CPU" + (f" and {self.gpus:g} GPU" if self.gpus else "")

    def fitting(self, cpus: float, gpus: float) -> int:
        """Return how many fit on a node with so many CPUs and GPUs; a fraction of a GPU never lies on two.

        >>> Bundle(cpus=0.5, gpus=0.4).fitting(8, 2)
        4
        """
        by_cpu = int(cpus / self.cpus + EPSILON)
        if not self.gpus:
            return by_cpu
        by_gpu = (
            int(gpus) * int(1 / self.gpus + EPSILON) if self.gpus < 1 else int(gpus / self.gpus + EPSILON)
        )
        return min(by_cpu, by_gpu)


@dataclass(frozen=True, kw_only=True)
class NodeRoom:
    """A node that is alive: what it has, and what of that is free."""

    node_id: str
    host: str
    cpus: float
    gpus: float
    free_cpus: float
    free_gpus: float

    def words(self, *, with_free: bool) -> str:
        """Return what it has, by its host and the beginning of its id."""
        cpus, gpus = (
            f" ({amount:g} free)" if with_free else "" for amount in (self.free_cpus, self.free_gpus)
        )
        has = f"{self.cpus:g} CPU{cpus}" + (f" and {self.gpus:g} GPU{gpus}" if self.gpus else ", no GPU")
        return printable(f"{self.host} (Ray node {self.node_id[:SHORT]}) has {has}")


def fitting(nodes: Sequence[NodeRoom], bundle: Bundle) -> int:
    """Return how many trials fit on the nodes at once if nothing else runs there."""
    return sum(bundle.fitting(node.cpus, node.gpus) for node in nodes)


def free(nodes: Sequence[NodeRoom], bundle: Bundle) -> int:
    """Return how many trials fit on what is free of the nodes, at most: free fractions may lie on several GPUs."""

    def fits(node: NodeRoom) -> int:
        by_cpu = int(node.free_cpus / bundle.cpus + EPSILON)
        return min(by_cpu, int(node.free_gpus / bundle.gpus + EPSILON)) if bundle.gpus else by_cpu

    return sum(map(fits, nodes))


def by_node(nodes: Sequence[NodeRoom], *, with_free: bool = True) -> str:
    """Return what the nodes have, and what is free of it, at most MAX_NAMED of them by name."""
    if not nodes:
        return "the cluster has no node that is alive"
    # Those with the most first: of many equal ones a few are enough.
    named = sorted(nodes, key=lambda node: (-node.gpus, -node.cpus, node.host, node.node_id))[:MAX_NAMED]
    left = len(nodes) - len(named)
    return "; ".join(node.words(with_free=with_free) for node in named) + (
        f"; and {left} more with no more than these" if left else ""
    )


def no_room(nodes: Sequence[NodeRoom], bundle: Bundle) -> StudiesError:
    """Return the error of a cluster that has no node on which a trial fits, though nothing else ran there."""
    return StudiesError(
        f"no trial fits on any node: one takes {bundle}; {by_node(nodes)}",
        f"{lower(nodes, bundle)}, or let a node join that has room; then give the command again.",
    )


def lower(nodes: Sequence[NodeRoom], bundle: Bundle) -> str:
    """Return which options to change so that a trial fits on one of the nodes."""
    cpus = max((node.cpus for node in nodes), default=0.0)
    gpus = max((node.gpus for node in nodes), default=0.0)
    told = []
    if bundle.cpus > cpus + EPSILON and cpus:
        told.append(f"--cpus-per-trial {cpus:g} or less")
    if bundle.gpus > gpus + EPSILON:
        told.append(f"--gpus-per-trial {gpus:g} or less" if gpus else "no --gpus-per-trial")
    if told:
        return f"Give {' and '.join(told)}"
    return "Lower --cpus-per-trial or --gpus-per-trial until one node has both"


def unused_gpus(nodes: Sequence[NodeRoom], bundle: Bundle) -> str | None:
    """Return a note on GPUs that trials leave idle because none was asked for; None where there are none."""
    gpus = sum(node.gpus for node in nodes)
    if bundle.gpus or not gpus:
        return None
    plural = "" if gpus == 1 else "s"
    return (
        f"trials use none of the cluster's {gpus:g} GPU{plural}: --gpus-per-trial 1 gives each trial one, "
        "--gpus-per-trial 0.5 half of one"
    )


def cluster_id() -> str:
    """Return the id of the Ray cluster that this process has joined, the same for all that join it."""
    from ray._private import worker

    node = worker.global_worker.node
    assert node is not None, "a cluster was joined"
    return str(node.cluster_id.hex())


def look() -> list[NodeRoom]:
    """Return the nodes that are alive; asks Ray's head node, and may block as long as that does not answer."""
    from ray._private.state import available_resources_per_node

    available = available_resources_per_node()  # type: ignore[no-untyped-call]
    return [_room(node, available.get(node["NodeID"], {})) for node in listed_nodes() if node["Alive"]]


def _room(node: dict[str, Any], available: dict[str, float]) -> NodeRoom:
    total = node["Resources"]
    return NodeRoom(
        node_id=node["NodeID"],
        host=node.get("NodeManagerHostname") or node.get("NodeManagerAddress") or "a node",
        cpus=total.get("CPU", 0.0),
        gpus=total.get("GPU", 0.0),
        free_cpus=available.get("CPU", 0.0),
        free_gpus=available.get("GPU", 0.0),
    )
