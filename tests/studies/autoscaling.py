"""A real Ray whose autoscaler starts nodes on this machine by Ray's own fake provider, in a process group of its own.

`ray.cluster_utils.AutoscalingCluster` would do the same, but its start and end stop every Ray on the machine, and the
released package lacks the file that it reads; so the configuration is written here.
"""

import json
import os
import secrets
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from ray._private.services import get_node_ip_address

from studies.cluster.reaper import end_processes
from studies.cluster.token import MODE, TOKEN_PATH
from tests.studies.multi_node import OBJECT_STORE_BYTES, ROOT

SECONDS_TO_START = 90.0
LISTS: tuple[str, ...] = (
    "initialization_commands",
    "setup_commands",
    "head_setup_commands",
    "worker_setup_commands",
)
LISTS += ("head_start_ray_commands", "worker_start_ray_commands", "cluster_synced_files")
LISTS += ("rsync_exclude", "rsync_filter")


@dataclass(frozen=True, kw_only=True)
class Autoscaled:
    """The cluster's address, and what a process needs in its environment to join it."""

    address: str
    environment: Mapping[str, str]


@contextmanager
def autoscaled(**node_types: Mapping[str, float]) -> Iterator[Autoscaled]:
    """Start a head without CPUs, whose autoscaler starts up to two nodes of each type; leave nothing of it."""
    folder = Path(tempfile.mkdtemp(prefix="studies-n", dir="/tmp"))
    (folder / "tmp").mkdir()
    token_path = folder / "token"
    with open(os.open(token_path, os.O_WRONLY | os.O_CREAT, 0o600), "w", encoding="ascii") as file:
        file.write(secrets.token_hex(32))
    port, clients = _free_ports()
    address = f"{get_node_ip_address()}:{port}"  # type: ignore[no-untyped-call]
    (folder / "autoscaler.json").write_text(json.dumps(_configuration(address, node_types)), encoding="utf-8")
    joining = {MODE: "token", TOKEN_PATH: str(token_path)}
    settings = {
        "AUTOSCALER_UPDATE_INTERVAL_S": "1",
        "RAY_FAKE_CLUSTER": "1",
        "RAY_USAGE_STATS_ENABLED": "0",
        "RAY_enable_metrics_collection": "0",
        "RAY_worker_niceness": "0",
        "OMP_NUM_THREADS": "1",
        "TMPDIR": str(folder / "tmp"),
        "PYTHONPATH": str(ROOT),
    }
    arguments = ["--head", "--block", f"--port={port}", "--num-cpus=0", f"--temp-dir={folder}/r"]
    arguments += [
        "--include-dashboard=false",
        "--dashboard-agent-listen-port=0",
        f"--ray-client-server-port={clients}",
    ]
    arguments += [
        f"--object-store-memory={OBJECT_STORE_BYTES}",
        f"--autoscaling-config={folder}/autoscaler.json",
    ]
    said = folder / "said"
    with said.open("w", encoding="utf-8") as output:
        process = subprocess.Popen(
            [sys.executable, "-P", "-m", "ray.scripts.scripts", "start", *arguments],
            cwd=folder,
            env={**os.environ, **joining, **settings},
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    try:
        _wait_for_start(process, said)
        yield Autoscaled(address=address, environment=joining)
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        end_processes(folder, patience_seconds=0.0)


def _wait_for_start(process: "subprocess.Popen[bytes]", said: Path) -> None:
    deadline = time.monotonic() + SECONDS_TO_START
    while "Ray runtime started" not in (told := said.read_text(encoding="utf-8", errors="replace")):
        assert process.poll() is None, told
        assert time.monotonic() < deadline, told
        time.sleep(0.1)


def _configuration(address: str, node_types: Mapping[str, Mapping[str, float]]) -> dict[str, object]:
    head = "ray.head.default"
    types = {head: {"resources": {"CPU": 0}, "node_config": {}, "max_workers": 0}}
    for name, has in node_types.items():
        has = {**has, "object_store_memory": OBJECT_STORE_BYTES}
        types[name] = {"resources": has, "node_config": {}, "min_workers": 0, "max_workers": 2}
    return {
        "cluster_name": "tests",
        "max_workers": 4,
        "upscaling_speed": 1.0,
        "idle_timeout_minutes": 5,
        "provider": {
            "type": "fake_multinode",
            "gcs_address": address,
            "disable_node_updaters": True,
            "disable_launch_config_check": True,
        },
        "auth": {"ssh_user": "nobody"},
        "available_node_types": types,
        "head_node_type": head,
        "file_mounts": {},
        "file_mounts_sync_continuously": False,
        "docker": {},
        **{name: [] for name in LISTS},
    }


def _free_ports() -> tuple[int, int]:
    with socket.socket() as first, socket.socket() as second:
        first.bind(("", 0))
        second.bind(("", 0))
        return first.getsockname()[1], second.getsockname()[1]
