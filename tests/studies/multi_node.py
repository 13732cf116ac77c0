"""A real Ray cluster of several nodes on this machine, in a process of its own: nodes join and are killed on request.

Run as a program it starts `ray.cluster_utils.Cluster` and follows requests, one line of JSON each; used from a test it
is `cluster(...)`. Every node asks for a token; nothing of it, its environment included, reaches the tests' process.
"""

import json
import os
import secrets
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any, TextIO

from studies.cluster.reaper import end_processes
from studies.cluster.token import MODE, TOKEN_PATH

ROOT = Path(__file__).resolve().parents[2]
OBJECT_STORE_BYTES = 100 * 2**20
Node = Mapping[str, Any]
"""What a node is started with, as for `Cluster.add_node`: num_cpus, num_gpus, resources, env_vars..."""


@dataclass(frozen=True, kw_only=True)
class Joined:
    """A node: its number in the order of joining, Ray's hexadecimal id, and the process of its raylet."""

    index: int
    node_id: str
    raylet: int


class RunningCluster:
    """A cluster; its first node is the head."""

    def __init__(self, process: "subprocess.Popen[str]", token_path: Path, told: Mapping[str, Any]) -> None:
        """It runs in `process`, which has `told` where."""
        self._process, self.token_path = process, token_path
        self.address: str = told["address"]
        self.dashboard: str = told["dashboard"]
        self.session_folder = Path(told["session"])
        self.gcs: int = told["gcs"]
        self.nodes = [Joined(**node) for node in told["nodes"]]

    @property
    def environment(self) -> dict[str, str]:
        """What a process needs in its environment to join with the token."""
        return {MODE: "token", TOKEN_PATH: str(self.token_path)}

    def add(self, **node: Any) -> Joined:
        """Let a node join; return it once it is there."""
        added = Joined(**self._ask({"add": node}))
        self.nodes.append(added)
        return added

    def kill(self, node: Joined) -> None:
        """Kill every process of a node at once, as a power cut does."""
        self._ask({"kill": node.index})

    def _ask(self, request: Mapping[str, Any]) -> Any:
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(request) + "\n")
        self._process.stdin.flush()
        return _answer(self._process)


@contextmanager
def cluster(
    *nodes: Node,
    head: Node = MappingProxyType({}),
    dashboard: bool = False,
    settings: Mapping[str, str] = MappingProxyType({}),
) -> Iterator[RunningCluster]:
    """Start a head and `nodes`, each with one CPU unless it says otherwise; leave nothing of them.

    `settings` are in the environment of every node. The token is in a file for its owner; `dashboard` starts the
    dashboard, which jobs are submitted to, on a free port.
    """
    folder = Path(tempfile.mkdtemp(prefix="studies-n", dir="/tmp"))
    (folder / "tmp" / "ray").mkdir(parents=True)  # in which Ray notes the address for `auto`
    token_path = folder / "token"
    with open(os.open(token_path, os.O_WRONLY | os.O_CREAT, 0o600), "w", encoding="ascii") as file:
        file.write(secrets.token_hex(32))
    environment = {name: value for name, value in os.environ.items() if not name.startswith("STUDIES_")}
    environment |= {
        MODE: "token",
        TOKEN_PATH: str(token_path),
        "TMPDIR": str(folder / "tmp"),
        "PYTHONPATH": str(ROOT),
        "RAY_USAGE_STATS_ENABLED": "0",
        "RAY_enable_metrics_collection": "0",
        "RAY_worker_niceness": "0",
        "OMP_NUM_THREADS": "1",
        **settings,
    }
    with (folder / "errors").open("w", encoding="utf-8") as errors:
        process = subprocess.Popen(
            [sys.executable, "-P", "-m", "tests.studies.multi_node", str(folder)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
            cwd=folder,
            env=environment,
            start_new_session=True,
        )
    try:
        assert process.stdin is not None
        process.stdin.write(
            json.dumps({"head": dict(head), "nodes": list(nodes), "dashboard": dashboard}) + "\n"
        )
        process.stdin.flush()
        try:
            told = _answer(process)
        except AssertionError:
            print((folder / "errors").read_text(encoding="utf-8", errors="replace")[-4000:], file=sys.stderr)
            raise
        yield RunningCluster(process, token_path, told)
    finally:
        process.kill()
        process.communicate()  # which closes its pipes
        end_processes(folder, patience_seconds=0.0)
        shutil.rmtree(folder, ignore_errors=True)


def _answer(process: "subprocess.Popen[str]") -> Any:
    assert process.stdout is not None
    line = process.stdout.readline()
    assert line, "the process of the cluster has ended"
    return json.loads(line)


def main(folder: str) -> None:
    """Start what the first line of standard input asks for, and follow the next ones until it ends."""
    # Whatever Ray prints goes to standard error: standard output is for the answers.
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    from ray.cluster_utils import Cluster

    asked = json.loads(sys.stdin.readline())
    head = {
        "num_cpus": 1,
        "object_store_memory": OBJECT_STORE_BYTES,
        "temp_dir": f"{folder}/r",
        "include_dashboard": asked["dashboard"],
        "dashboard_port": 0,
        "dashboard_agent_listen_port": 0,
        **asked["head"],
    }
    running = Cluster(initialize_head=True, head_node_args=head)
    # Where Ray looks for the cluster of a job's driver, as `ray start` writes it; else it takes any on the machine.
    Path(folder, "r", "ray_current_cluster").write_text(running.address, encoding="utf-8")
    known = [running.head_node]
    known += [running.add_node(**_with_defaults(node, folder)) for node in asked["nodes"]]
    first: Any = running.head_node
    _tell(
        answers,
        {
            "address": running.address,
            "dashboard": f"http://{first.webui_url}" if first.webui_url else "",
            "session": first.get_session_dir_path(),
            "gcs": _process(first, "gcs_server"),
            "nodes": [_described(index, node) for index, node in enumerate(known)],
        },
    )
    for line in sys.stdin:
        request = json.loads(line)
        if "add" in request:
            known.append(running.add_node(**_with_defaults(request["add"], folder)))
            _tell(answers, _described(len(known) - 1, known[-1]))
        else:
            running.remove_node(known[request["kill"]], allow_graceful=False)
            _tell(answers, None)


def _with_defaults(node: Node, folder: str) -> dict[str, Any]:
    return {"num_cpus": 1, "object_store_memory": OBJECT_STORE_BYTES, "temp_dir": f"{folder}/r", **node}


def _described(index: int, node: Any) -> dict[str, Any]:
    return {"index": index, "node_id": node.node_id, "raylet": _process(node, "raylet")}


def _process(node: Any, name: str) -> int:
    number: int = node.all_processes[name][0].process.pid
    return number


def _tell(answers: TextIO, answer: Any) -> None:
    answers.write(json.dumps(answer) + "\n")
    answers.flush()


if __name__ == "__main__":
    main(*sys.argv[1:])
