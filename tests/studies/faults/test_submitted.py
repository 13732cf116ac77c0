"""A study as a job of a real cluster with a token, submitted from elsewhere, into a PostgreSQL with a password."""

import json
import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from studies.database.store import Store
from studies.run_log.log_file import FILE_NAME
from tests.studies.command import STUDY, TIMEOUT, Command, started
from tests.studies.faults.conftest import PASSWORD
from tests.studies.faults.servers import Server
from tests.studies.faults.soundness import check_whole, num_doubled
from tests.studies.faults.test_secrets import holds_password, leaking_files
from tests.studies.multi_node import RunningCluster, cluster

JOB = "studies-small-1"


@dataclass(frozen=True, kw_only=True)
class Place:
    """A cluster, a database, the folder where the study's file lies, and one where nothing does."""

    cluster: RunningCluster
    guarded: Server
    url: str
    here: Path
    elsewhere: Path
    output: Path

    @contextmanager
    def submitting(self, *words: str) -> Iterator[Command]:
        """Start the command that submits the study, and leave nothing of it."""
        where = ("--address", self.cluster.dashboard, "--output", str(self.output))
        with started(self.here, "submit", "./small.py", *where, *words, settings=self.settings) as command:
            yield command

    def submitted(self, *words: str) -> Command:
        """Submit the study, and wait for the end of the command."""
        with self.submitting(*words) as command:
            command.finish(timeout=240)
        return command

    def told(self, *words: str) -> Command:
        """Run a command where nothing lies to its end."""
        with started(self.elsewhere, *words, settings=self.settings) as command:
            command.finish()
        return command

    @property
    def settings(self) -> dict[str, str]:
        """The storage's URL with its password, and where the token is: all that a command knows."""
        return {
            "STUDIES_STORAGE": self.url,
            "RAY_AUTH_TOKEN_PATH": str(self.cluster.token_path),
            "XDG_STATE_HOME": str(self.here / "state"),
        }

    def ask(self, path: str, method: str = "GET") -> str:
        """Return what the dashboard says to those who have the token."""
        headers = {"Authorization": f"Bearer {self.cluster.token_path.read_text()}"}
        request = urllib.request.Request(self.cluster.dashboard + path, headers=headers, method=method)
        with urllib.request.urlopen(request, timeout=60) as answer:
            return str(answer.read().decode())


@pytest.fixture(scope="module")
def place(guarded: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    """The head knows the password from a file; Studies is installed on it, as its command on the PATH."""
    folder = tmp_path_factory.mktemp("submitted")
    here, elsewhere = folder / "here", folder / "elsewhere"
    here.mkdir()
    elsewhere.mkdir()
    (here / "small.py").write_text(STUDY.replace("from search", "import beside\nfrom search"))
    (here / "beside.py").touch()
    passwords = folder / "passwords"
    passwords.touch(mode=0o600)
    passwords.write_text(f"*:*:*:driver:{PASSWORD}\n")
    commands = folder / "bin"
    commands.mkdir()
    (commands / "studies").write_text(
        f"#!{sys.executable}\nimport sys\nfrom studies.__main__ import main\nsys.exit(main())\n"
    )
    (commands / "studies").chmod(0o755)
    settings = {
        "PGPASSFILE": str(passwords),
        "PATH": f"{commands}{os.pathsep}{os.environ['PATH']}",
        "STUDIES_NO_KERNELS": "1",  # so that the study lasts until something has happened to it
    }
    url = guarded.make("submitted")
    # Nodes of one machine would share the folder that a job runs in, and each unpacks it anew.
    with cluster(head={"num_cpus": 2}, dashboard=True, settings=settings) as running:
        yield Place(
            cluster=running, guarded=guarded, url=url, here=here, elsewhere=elsewhere, output=folder / "runs"
        )


def num_ended(place: Place) -> int:
    there = place.guarded.execute("SELECT to_regclass('trial') IS NOT NULL", "submitted")
    if not there[0][0]:
        return 0
    query = "SELECT count(*) FROM trial WHERE ended_at IS NOT NULL"
    return int(place.guarded.execute(query, "submitted")[0][0])


def test_a_submitted_study_is_followed_stopped_and_gone_on_with(place: Place) -> None:
    said: list[str] = []

    def kept(command: Command) -> Command:
        said.append(command.output + command.errors)
        return command

    with place.submitting("--detach") as first, place.submitting("--detach") as second:
        for command in (first, second):
            assert command.finish() == 0, command.errors
            kept(command)
            assert f" job {JOB} of {place.cluster.dashboard}" in command.errors
    assert len(json.loads(place.ask("/api/jobs/"))) == 1, "two commands at the same moment make one job"
    assert f"or ray job stop {JOB} --address {place.cluster.dashboard}" in first.output
    assert "PGPASSFILE" in first.errors

    with place.submitting() as following, place.submitting() as left:
        following.wait_until(lambda: num_ended(place) > 0)
        told = json.loads(kept(place.told("status", "small", "--json")).output)
        assert (told["run"]["ray_job"], told["run"]["submitted_to"]) == (JOB, place.cluster.dashboard)
        assert told["holder"]["process"] == told["run"]["process"]
        assert told["run"]["log"] == str(place.output / "small" / FILE_NAME)
        assert places_with_password(place) == []
        left.wait_until(lambda: "small: Does a second hidden layer help?" in left.output)
        left.press_ctrl_c()
        assert left.finish() == 130
        assert f"The job {JOB} goes on." in left.errors
        assert "studies stop small" in left.errors
        place.ask(f"/api/jobs/{JOB}/stop", method="POST")
        assert following.finish(timeout=120) == 143, following.errors
    kept(following)
    assert f"small runs already, submitted before as job {JOB}" in following.errors
    assert "small: Does a second hidden layer help?" in following.output
    assert f"Go on with: studies submit ./small.py --address {place.cluster.dashboard}" in following.errors

    again = kept(place.submitted())
    assert again.process.returncode == 0, again.output + again.errors
    assert "small submitted as job studies-small-2" in again.errors
    assert "search 8 of 8 trials, confirm 2 of 2" in again.output
    with Store.open(place.url, create=False) as store:
        (study,) = store.studies()
        assert study.state == "complete"
        check_whole(store, study.id)
        assert num_doubled(store, study.id) == 0

    log = place.output / "small" / FILE_NAME
    assert log.read_text().count("run: studies run ./small.py") == 2
    node = place.cluster.nodes[0].node_id
    shown = place.ask(f"/api/v0/logs/file?node_id={node}&filename=studies-small.log&lines=1000")
    assert "confirm 2 of 2" in shown, "the dashboard's page Logs has it"
    log.unlink()
    logs = kept(place.told("logs", "small", "-f", "-n", "1000"))
    assert logs.process.returncode == 0, logs.errors
    assert "Running entrypoint for job studies-small-2" in logs.output, "it comes from the cluster"
    assert places_with_password(place) == []
    assert [text for text in said if PASSWORD in text] == []


def places_with_password(place: Place) -> list[str]:
    """Return where the password can be read: command lines, the cluster's files and answers, what the jobs left."""
    found = [str(path) for path in Path("/proc").glob("[0-9]*/cmdline") if holds_password(path)]
    found += leaking_files(place.cluster.session_folder) + leaking_files(place.output)
    return found + ["/api/jobs/"] * (PASSWORD in place.ask("/api/jobs/"))


@pytest.mark.slow
def test_rays_own_command_submits_it_as_well(place: Place) -> None:
    name = "by_ray"
    storage = place.guarded.without_password("submitted")
    words = [
        "studies",
        "run",
        "./small.py",
        "--name",
        name,
        "--storage",
        storage,
        "--output",
        str(place.output),
    ]
    environment = {**os.environ, **place.cluster.environment}
    ray = [sys.executable, "-m", "ray.scripts.scripts", "job", "submit", "--working-dir", ".", "--no-wait"]
    submitted = subprocess.run(
        [*ray, "--submission-id", "mine", "--address", place.cluster.dashboard, "--", *words],
        cwd=place.here,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert submitted.returncode == 0, submitted.stdout + submitted.stderr
    deadline = time.monotonic() + TIMEOUT
    while json.loads(place.ask("/api/jobs/mine"))["status"] in ("PENDING", "RUNNING"):
        assert time.monotonic() < deadline, place.ask("/api/jobs/mine/logs")
        time.sleep(0.5)
    assert json.loads(place.ask("/api/jobs/mine"))["driver_exit_code"] == 0, place.ask("/api/jobs/mine/logs")
    told = json.loads(place.told("status", name, "--json").output)
    assert (told["state"], told["run"]["ray_job"], told["run"]["submitted_to"]) == ("complete", "mine", None)


@pytest.mark.slow
def test_a_cluster_whose_agents_port_is_taken_is_told_with_the_cure(tmp_path: Path) -> None:
    with socket.create_server(("0.0.0.0", 0)) as busy:
        head = {"num_cpus": 1, "dashboard_agent_listen_port": busy.getsockname()[1]}
        with cluster(head=head, dashboard=True) as running:
            where = ("--address", running.dashboard, "--storage", f"sqlite:///{tmp_path}/x.db")
            words = ("depth_study", *where, "--output", str(tmp_path / "runs"))
            with started(tmp_path, "submit", *words, settings=running.environment) as command:
                assert command.finish() == 1
            assert "takes no jobs: none of its nodes has an agent that serves them" in command.errors
            assert "--dashboard-agent-listen-port=0" in command.errors
