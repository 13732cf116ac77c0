"""What an autoscaler is doing, as its status says: both versions, and clusters without one."""

from types import SimpleNamespace
from typing import Any

from studies.cluster.autoscaling import Autoscaler, of_first_version, of_second_version


def report(**changes: Any) -> dict[str, Any]:
    """A status as the monitor of Ray 2.60 writes it, of a head that has just started."""
    told: dict[str, Any] = {"active_nodes": {}, "pending_nodes": [], "pending_launches": {}}
    told |= {"node_type_mapping": {"f0": "ray.head.default"}}
    return {"autoscaler_report": told | changes}


def test_the_first_version_counts_launches_and_nodes_that_are_starting() -> None:
    assert of_first_version(report()) == Autoscaler(num_starting=0)
    starting = report(pending_launches={"small": 2}, pending_nodes=[["10.0.0.2", "small", "setting-up"]])
    assert of_first_version(starting) == Autoscaler(num_starting=3)
    assert of_first_version(starting, joined={"10.0.0.2"}) == Autoscaler(num_starting=2)


def test_a_monitor_that_only_looks_is_no_autoscaler() -> None:
    looking = report(active_nodes={"node_f0": 1}, node_type_mapping={"f0": "node_f0"})
    assert of_first_version(looking) is None
    assert of_first_version({"load_metrics_report": {}}) is None
    assert of_first_version(report(node_type_mapping=None)) is None


def second(
    *, version: int = 1, types: tuple[str, ...] = ("headgroup",), requested: int = 0, pending: int = 0
) -> Any:
    state = SimpleNamespace(
        autoscaler_state_version=version,
        pending_instance_requests=[SimpleNamespace(count=requested)] if requested else [],
        pending_instances=[object()] * pending,
    )
    nodes = [SimpleNamespace(ray_node_type_name=name) for name in types]
    return SimpleNamespace(autoscaling_state=state, cluster_resource_state=SimpleNamespace(node_states=nodes))


def test_the_second_version_counts_the_same() -> None:
    assert of_second_version(second()) == Autoscaler(num_starting=0)
    assert of_second_version(second(requested=2, pending=1)) == Autoscaler(num_starting=3)
    assert of_second_version(second(version=0)) is None
    assert of_second_version(second(types=("node_f0", "node_f1"))) is None
