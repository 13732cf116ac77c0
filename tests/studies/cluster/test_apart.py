"""A study on two machines with file systems of their own, in namespaces of this one: nothing is shared by accident."""

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from tests.studies.cluster.apart import PORT, Machine, two_machines, wait_for
from tests.studies.command import STUDY

pytestmark = pytest.mark.slow

LONG = STUDY.replace("rungs=(3, 9)", "rungs=(3, 9, 27, 81)").replace("epochs=9", "epochs=81")
OUTPUT = "/tmp/output"
"""A folder that exists on each machine, and is another one there."""


def studies(door: str, shared: Path, *arguments: str) -> list[str]:
    """Return the command that opens a door."""
    return ["python", "-m", f"studies.{door}", *arguments, "--storage", f"sqlite:///{shared}/studies.db"]


def found(shared: Path, query: str) -> list[tuple[Any, ...]]:
    """Return what a query finds in the storage."""
    with closing(sqlite3.connect(f"file:{shared}/studies.db?mode=ro", uri=True)) as connection:
        return connection.execute(query).fetchall()


def start_ray(one: Machine, other: Machine) -> str:
    """Start a head and a node; return the cluster's address."""
    address = f"{one.address}:{PORT}"
    common = ["--num-cpus=1", "--disable-usage-stats", "--object-store-memory=104857600"]
    head = ["--head", f"--port={PORT}", f"--node-ip-address={one.address}", "--include-dashboard=false"]
    one.run("ray", "start", *head, *common)
    other.run("ray", "start", f"--address={address}", f"--node-ip-address={other.address}", *common)
    return address


def test_a_machine_is_lost_with_the_driver_and_the_other_goes_on() -> None:
    """The artifacts lie where only the driver reaches them; what is recorded is enough to go on without them."""
    with two_machines() as (one, other, shared):
        (shared / "small.py").write_text(LONG)
        address = start_ray(one, other)
        driver = one.start(*studies("run", shared, "./small.py", "--address", address, "--output", OUTPUT))
        wait_for("SELECT 1 FROM epoch LIMIT 1 OFFSET 200", driver, shared / "studies.db")
        hosts = {
            worker.partition(":")[0] for (worker,) in found(shared, "SELECT worker FROM trial") if worker
        }
        before = found(shared, "SELECT trial_number, replicate, epoch, val_loss FROM epoch")
        one.kill()
        driver.communicate(timeout=60)
        assert hosts == {"first", "second"}
        again = ("./small.py", "--workers", "1", "--no-dashboard", "--output", OUTPUT)
        said = other.run(*studies("run", shared, *again), timeout=300)
        assert "Does a second hidden layer help?" in said
        after = set(found(shared, "SELECT trial_number, replicate, epoch, val_loss FROM epoch"))
        assert set(before) <= after, (
            "what was recorded stays, and what is trained again comes to the same numbers"
        )
        sound = other.run(*studies("verify", shared, "small", "--output", OUTPUT))
        assert "Sound: all" in sound
        assert {row[0] for row in found(shared, "SELECT state FROM study")} == {"complete"}


def test_ray_symmetric_run_starts_the_cluster_and_the_study() -> None:
    """The same command on both machines, as a SLURM job step gives it: the head runs it, the other one serves."""
    with two_machines() as (one, other, shared):
        (shared / "small.py").write_text(STUDY)
        address = f"{one.address}:{PORT}"
        run = studies("run", shared, "./small.py", "--address", "auto", "--output", OUTPUT)
        command = ["ray", "symmetric-run", "--address", address, "--min-nodes", "2", "--num-cpus", "1"]
        processes = [machine.start(*command, "--", *run) for machine in (other, one)]
        said = [process.communicate(timeout=300)[0] for process in processes]
        assert [process.returncode for process in processes] == [0, 0], said
        assert found(shared, "SELECT state FROM study") == [("complete",)]
        hosts = {worker.partition(":")[0] for (worker,) in found(shared, "SELECT worker FROM trial")}
        assert hosts <= {"first", "second"}
        assert "Ray node" not in said[1], "no node was lost"
