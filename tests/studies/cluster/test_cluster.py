"""Starting Ray: what does not fit or cannot be joined is told, nothing stays, and it can be done again."""

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from types import SimpleNamespace
from typing import Self

import pytest
import ray
from ray._private.node import Node

from studies.base.errors import StudiesError
from studies.cluster import cluster, room
from studies.cluster.cluster import starting_cluster
from studies.cluster.serving_ray import UNREAD
from studies.planning.resources import Resources
from tests.studies.cluster.test_room import node
from tests.studies.command import ROOT
from tests.studies.faults.traces import wait_until

SECONDS_TO_LEAVE = 10.0
"""Ray's own start would take as long again."""


class FakeHead:
    """A Ray that has started in no time; `environments` are those that its processes would have."""

    def __init__(self, environments: list[dict[str, str]]) -> None:
        self._environments = environments

    def __call__(self, folder: Path, options: object, environment: dict[str, str]) -> Self:
        self._environments.append(environment)
        return self

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def address(self) -> str:
        return "127.0.0.1:6379"

    def dashboard(self) -> str | None:
        return "http://127.0.0.1:8265"

    def give_up(self) -> None:
        pass


@pytest.fixture
def environments() -> list[dict[str, str]]:
    """Environments that Ray's processes would have had."""
    return []


@pytest.fixture
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, environments: list[dict[str, str]]) -> Path:
    """Where the run's folder is made; Ray itself is not started."""
    monkeypatch.setattr(cluster, "Head", FakeHead(environments))
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setattr(cluster, "MAX_FOLDER_LENGTH", 500)
    monkeypatch.setattr(ray, "is_initialized", lambda: False)
    monkeypatch.setattr(ray, "init", lambda **_: SimpleNamespace(dashboard_url="127.0.0.1:8265"))
    monkeypatch.setattr(room, "look", lambda: [node(cpus=2)])
    return tmp_path


def test_a_trial_that_would_wait_for_ever_is_refused(temporary: Path) -> None:
    with (
        starting_cluster(Resources(workers=1, gpus_per_trial=1)) as future,
        pytest.raises(
            StudiesError,
            match=r"one takes 1 CPU and 1 GPU; here \(Ray node 0123abcdef\) has 2 CPU \(2 free\), no GPU",
        ),
    ):
        future.result(timeout=60)


def test_as_many_trials_run_as_fit(temporary: Path) -> None:
    with starting_cluster(Resources(cpus_per_trial=0.5)) as future:
        started = future.result(timeout=60)
    assert started.find_dashboard is not None
    assert (started.num_workers, started.find_dashboard()) == (4, "http://127.0.0.1:8265")


def test_an_unreachable_cluster_is_told_with_its_address(
    temporary: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(**_: object) -> None:
        raise ConnectionError("nobody answers")

    monkeypatch.setattr(ray, "init", refuse)
    with (
        starting_cluster(Resources(address="10.0.0.1:6379")) as future,
        pytest.raises(StudiesError, match=r"joined at 10\.0\.0\.1:6379: nobody answers"),
    ):
        future.result(timeout=60)


def test_a_ray_that_runs_in_this_process_already_is_left_alone(
    temporary: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ray, "is_initialized", lambda: True)
    monkeypatch.setattr(ray, "shutdown", lambda: pytest.fail("somebody else's Ray was shut down"))
    with pytest.raises(StudiesError, match="runs in this process"), starting_cluster(Resources()):
        pytest.fail("it was joined")


def test_the_folder_is_private_and_goes_away(temporary: Path) -> None:
    with starting_cluster(Resources()) as future:
        future.result(timeout=60)
        (folder,) = temporary.iterdir()
        assert folder.stat().st_mode & 0o777 == 0o700
        assert (folder / "token").stat().st_mode & 0o777 == 0o600
        assert len((folder / "token").read_text()) == 64
    assert list(temporary.iterdir()) == []


def test_the_environment_is_put_back_and_secrets_are_kept_from_ray(
    temporary: Path, monkeypatch: pytest.MonkeyPatch, environments: list[dict[str, str]]
) -> None:
    monkeypatch.setenv("RAY_AIR_NEW_OUTPUT", "1")
    monkeypatch.setenv("STUDIES_STORAGE", "postgresql://me:canary-77@host/db")
    monkeypatch.setenv("PGPASSWORD", "canary-78")
    before = dict(os.environ)
    with starting_cluster(Resources()) as future:
        future.result(timeout=60)
        assert os.environ["RAY_USAGE_STATS_ENABLED"] == "0"
        assert os.environ["RAY_AIR_NEW_OUTPUT"] == "0"
        (inherited,) = environments
        assert "canary" not in str(inherited), "workers would inherit a password"
        assert inherited["RAY_AUTH_MODE"] == "token"
        assert os.environ["PGPASSWORD"] == "canary-78", "the driver may have to connect again"
        assert Path(os.environ["RAY_AUTH_TOKEN_PATH"]).is_file()
    assert dict(os.environ) == before


def test_threads_are_a_share_of_the_cores(temporary: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cluster, "num_cores", lambda: 8)
    monkeypatch.setattr(room, "look", lambda: [node(cpus=8)])
    for limit, workers, threads in (("", 2, 4), ("", 16, 1), ("3", 2, 3), ("64", 2, 4)):
        monkeypatch.setenv("OMP_NUM_THREADS", limit)
        with starting_cluster(Resources(workers=workers)) as future:
            assert future.result(timeout=60).threads == threads


TWICE = """
import psutil

from studies.cluster.cluster import starting_cluster
from studies.planning.resources import Resources

for number in (1, 2):
    with starting_cluster(Resources(workers=number, dashboard=False)) as future:
        print(future.result().num_workers)
        commands = [process.info["cmdline"] for process in psutil.process_iter(["cmdline"])]
        ours = [" ".join(words) for words in commands if str(future.result().scratch.parent) in " ".join(words or ())]
        assert any("raylet" in command for command in ours)
        assert not any(name in command for command in ours for name in ("monitor.py", "dashboard.py")), ours
"""


def test_ray_still_has_the_methods_that_start_what_is_left_out() -> None:
    assert all(callable(getattr(Node, name)) for name in UNREAD)


def test_one_process_can_start_one_after_the_other_each_with_a_token_of_its_own(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", TWICE],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert (done.returncode, done.stdout) == (0, "1\n2\n"), done.stderr


@pytest.fixture
def short(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Where the run's folder is made, with a path that leaves room for Ray's sockets."""
    with tempfile.TemporaryDirectory(prefix="up-", dir="/tmp") as folder:
        monkeypatch.setattr(tempfile, "tempdir", folder)
        yield Path(folder)


@pytest.mark.parametrize("file", ["head.log", "ray/session_latest/logs/gcs_server.out"])
def test_a_start_that_is_given_up_ends_at_once_and_leaves_nothing(short: Path, file: str) -> None:
    with starting_cluster(Resources(workers=1, dashboard=False)) as future:
        wait_until(lambda: any(short.glob(f"studies-*/{file}")), "Ray to come so far")
        leaving = time.monotonic()
    assert time.monotonic() - leaving < SECONDS_TO_LEAVE
    with pytest.raises(StudiesError, match="it was given up"):
        future.result(timeout=0)
    assert processes_with(str(short)) == []
    assert list(short.iterdir()) == []


def processes_with(text: str) -> list[str]:
    """Return the command lines of other processes that have `text` in them or in their environment."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            command = (process / "cmdline").read_bytes()
            if text.encode() in command + (process / "environ").read_bytes():
                found.append(command.decode())
    return found
