"""Two machines in one: network, process, mount and host-name namespaces of their own, joined by a cable.

Each has an empty /tmp of its own, so that a path there is reached by one alone; everything else of the file system is
that of this machine, as on a cluster with a shared folder. It takes root, and a kernel that lets it.
"""

import os
import secrets
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, closing, contextmanager, suppress
from pathlib import Path

import pytest
import ray

from studies.cluster.token import MODE, TOKEN_PATH

ROOT = Path(__file__).resolve().parents[3]
PROGRAMS = Path(ray.__file__).parents[4] / "bin"
"""Where the command `ray` is, beside the library of the environment that Ray was installed into."""
NETWORK = "10.213.7"
"""The first three parts of the addresses; nothing outside of the two namespaces sees them."""
SECONDS_TO_START = 120.0
PORT = 6379


class Machine:
    """A machine; commands there have the environment of a cluster with a token."""

    def __init__(self, name: str, number: int, shared: Path) -> None:
        """Start it without a network."""
        self.name, self.address, self._shared = name, f"{NETWORK}.{number}", shared
        inside = f"hostname {name} && mount -t tmpfs tmpfs /tmp && echo up && exec sleep infinity"
        self._holder = subprocess.Popen(
            ["unshare", "-numpf", "--kill-child", "--mount-proc", "sh", "-c", inside],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert self._holder.stdout is not None
        self.is_up = self._holder.stdout.readline() == "up\n"

    @property
    def first(self) -> int:
        """Its first process, as this machine counts it."""
        children = Path(f"/proc/{self._holder.pid}/task/{self._holder.pid}/children").read_text().split()
        return int(children[0])

    def start(self, *command: str, settings: Mapping[str, str] | None = None) -> "subprocess.Popen[str]":
        """Start a command there, in the shared folder; its output goes to the pipe of its standard output."""
        environment = {name: value for name, value in os.environ.items() if not name.startswith("STUDIES_")}
        environment |= {
            MODE: "token",
            TOKEN_PATH: str(self._shared / "token"),
            "PATH": f"{Path(sys.executable).parent}:{PROGRAMS}:{os.environ['PATH']}",
            "PYTHONPATH": str(ROOT),
            "OMP_NUM_THREADS": "1",
            "RAY_USAGE_STATS_ENABLED": "0",
            "RAY_enable_metrics_collection": "0",
            "RAY_worker_niceness": "0",
            "RAY_SYMMETRIC_RUN_CLUSTER_WAIT_TIMEOUT": "180",
            **(settings or {}),
        }
        inside = ["nsenter", "-t", str(self.first), "-n", "-m", "-p", "-u", f"--wdns={self._shared}"]
        return subprocess.Popen(
            [*inside, *command],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env=environment,
        )

    def run(self, *command: str, timeout: float = SECONDS_TO_START) -> str:
        """Run a command there to its end, which must be a good one, and return what it has printed."""
        process = self.start(*command)
        said, _ = process.communicate(timeout=timeout)
        assert process.returncode == 0, f"{command}: {said}"
        return said

    def kill(self) -> None:
        """Cut its power: every process there is gone."""
        with suppress(ProcessLookupError, IndexError, FileNotFoundError):
            os.kill(self.first, signal.SIGKILL)
        self._holder.kill()
        with self._holder:
            pass


@contextmanager
def two_machines() -> Iterator[tuple[Machine, Machine, Path]]:
    """Yield two machines that reach each other, and a folder that both reach; skip where that is not permitted."""
    missing = [name for name in ("unshare", "nsenter", "ip") if shutil.which(name) is None]
    if missing or os.geteuid() != 0:
        pytest.skip(f"namespaces take root, and {' and '.join(missing) or 'its rights'}")
    shared = Path(tempfile.mkdtemp(prefix="studies-apart-", dir="/var/tmp"))
    with ExitStack() as stack:
        stack.callback(shutil.rmtree, shared, ignore_errors=True)
        with open(os.open(shared / "token", os.O_WRONLY | os.O_CREAT, 0o600), "w", encoding="ascii") as file:
            file.write(secrets.token_hex(32))
        one, other = (Machine(name, number, shared) for number, name in ((1, "first"), (2, "second")))
        stack.callback(other.kill)
        stack.callback(one.kill)
        if not (one.is_up and other.is_up):
            pytest.skip("this system lets nobody make namespaces")
        _join(one, other)
        yield one, other, shared


def _join(one: Machine, other: Machine) -> None:
    cable = ["ip", "link", "add", "eth0", "netns", str(one.first), "type", "veth", "peer", "name", "eth0"]
    made = subprocess.run(
        [*cable, "netns", str(other.first)],
        capture_output=True,
        text=True,
        check=False,
        stdin=subprocess.DEVNULL,
    )
    if made.returncode != 0:
        pytest.skip(f"this system has no pair of network devices: {made.stderr.strip()}")
    for machine in (one, other):
        machine.run("ip", "address", "add", f"{machine.address}/24", "dev", "eth0")
        for device in ("lo", "eth0"):
            machine.run("ip", "link", "set", device, "up")


def wait_for(condition: str, process: "subprocess.Popen[str]", path: Path, seconds: float = 240.0) -> None:
    """Wait until a query of an SQLite file finds something, while a command runs."""
    deadline = time.monotonic() + seconds
    while True:
        if path.exists():
            connection = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
            with closing(connection), suppress(sqlite3.OperationalError):
                if connection.execute(condition).fetchall():
                    return
        assert process.poll() is None, process.communicate()[0]
        assert time.monotonic() < deadline, "nothing happened"
        time.sleep(0.05)
