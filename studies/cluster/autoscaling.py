"""Whether a cluster has an autoscaler, and what it is doing about trials that have no room yet.

Trials that wait are its request: each has a placement group, which both versions of Ray's autoscaler start nodes for.
Such a request ends with the driver, however that ends, and those of several studies add up. One made by
`ray.autoscaler.sdk.request_resources` would outlive a driver that is killed, and replace another study's.
"""

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from studies.cluster.nodes import listed_nodes

READ_ONLY = "node_"
"""How the names of node types begin where Ray only looks at nodes that others start: each node is its own type."""


@dataclass(frozen=True, kw_only=True)
class Autoscaler:
    """What an autoscaler is doing: `num_starting` nodes are being started."""

    num_starting: int


def find() -> Autoscaler | None:
    """Return what the cluster's autoscaler is doing, None where it has none; may block while Ray does not answer."""
    # Named here, because they are no public interface of Ray's.
    from ray._private import worker
    from ray._private.ray_constants import DEBUG_AUTOSCALING_STATUS
    from ray.autoscaler.v2.utils import is_autoscaler_v2
    from ray.experimental.internal_kv import _internal_kv_get

    if is_autoscaler_v2():
        from ray.core.generated import autoscaler_pb2

        messages: Any = autoscaler_pb2  # made at its import, so that no name in it is known before
        this: Any = worker.global_worker
        reply = messages.GetClusterStatusReply()
        reply.ParseFromString(this.gcs_client.get_cluster_status())
        return of_second_version(reply)
    found = _internal_kv_get(DEBUG_AUTOSCALING_STATUS)
    if not found:
        return None
    alive = [node for node in listed_nodes() if node["Alive"]]
    joined = {name for node in alive for name in (node["NodeManagerAddress"], node["NodeID"])}
    return of_first_version(json.loads(found), joined=joined)


def of_first_version(
    status: Mapping[str, Any], *, joined: Collection[str] = frozenset()
) -> Autoscaler | None:
    """Return the state that the status of the first version says, as its monitor writes it.

    A node that it calls pending is not being started if it has joined already, with one of the names `joined`: one
    whose set-up never ends stays pending.
    """
    report = status.get("autoscaler_report") or {}
    types = {
        *(report.get("node_type_mapping") or {}).values(),
        *(report.get("active_nodes") or {}),
        *(report.get("pending_launches") or {}),
    }
    if all(name.startswith(READ_ONLY) for name in types):
        return None
    launching = sum((report.get("pending_launches") or {}).values())
    starting = [name for name, *_ in report.get("pending_nodes") or () if name not in joined]
    return Autoscaler(num_starting=launching + len(starting))


def of_second_version(reply: Any) -> Autoscaler | None:
    """Return the state that the head node's answer about the second version says."""
    state = reply.autoscaling_state
    types = {node.ray_node_type_name for node in reply.cluster_resource_state.node_states}
    if not state.autoscaler_state_version or all(name.startswith(READ_ONLY) for name in types):
        return None
    launching = sum(request.count for request in state.pending_instance_requests)
    return Autoscaler(num_starting=launching + len(state.pending_instances))
