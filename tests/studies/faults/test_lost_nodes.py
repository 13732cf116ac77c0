"""A study on a cluster of several nodes: some are lost while it runs, and the head is silent or gone for a while."""

import json
import os
import re
import signal
import time
import urllib.request
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from studies.database.store import Store
from studies.verification.verification import verify
from tests.conftest import LOOPS_IN_THE_SUITE
from tests.studies.command import STUDY, Command, finished, rows, started
from tests.studies.faults.nodes_run import NODES, NodesRun, nodes_loop, settings_of
from tests.studies.faults.soundness import check_whole, num_doubled, results
from tests.studies.faults.tally import Tally
from tests.studies.multi_node import Joined, RunningCluster, cluster
from trainables.kernels.cache import OFF

LONG = STUDY.replace("rungs=(3, 9)", "rungs=(3, 9, 27, 81)").replace("epochs=9", "epochs=81")
"""Trials of seconds, so that something can happen to each."""
NUM_TRIALS, NUM_MANY = 10, 82
MANY = LONG.replace("trials_per_cell=4", "trials_per_cell=40")
"""So many trials that a node can join and start a worker meanwhile, on a busy machine too."""
SECONDS_OF_SILENCE = 60.0


def begun(folder: Path, running: RunningCluster, text: str = LONG) -> Any:
    """Start the study on a cluster."""
    (folder / "small.py").write_text(text)
    return started(folder, "run", "./small.py", "--address", running.address, settings=running.environment)


def num_epochs(folder: Path) -> int:
    return len(rows(folder, "SELECT 1 FROM epoch"))


def check_counted_once(folder: Path, num_trials: int = NUM_TRIALS) -> None:
    """Everything planned is there once, as in a study that nothing has happened to."""
    with Store.open(f"sqlite:///{folder}/runs/studies.db") as store:
        found = verify(store, "small", folder / "runs" / "small")
        assert found.is_sound, str(found)
        study = store.find_study("small")
        assert study is not None
        check_whole(store, study.id)
        assert num_doubled(store, study.id) == 0
        assert len(store.trials(study.id)) == num_trials
        assert sum(store.outcomes(study.id).values()) == 2 * num_trials


def asked(running: RunningCluster, what: str) -> list[dict[str, Any]]:
    """Return what Ray's dashboard lists of `actors` or `tasks`."""
    token = running.token_path.read_text()
    request = urllib.request.Request(
        f"{running.dashboard}/api/v0/{what}?limit=1000&detail=1", headers={"Authorization": f"Bearer {token}"}
    )
    with urllib.request.urlopen(request, timeout=60) as answer:
        listed: list[dict[str, Any]] = json.load(answer)["data"]["result"]["result"]
    return listed


def check_names(running: RunningCluster) -> None:
    """Workers and their calls have the names of study, trial and cell in Ray's dashboard, and logs say the same."""
    assert "small" in {actor["class_name"] for actor in asked(running, "actors")}
    (job,) = asked(running, "jobs")
    assert job["metadata"] == {"job_name": "small"}
    named = {task["name"] for task in asked(running, "tasks") if task["type"] == "ACTOR_TASK"}
    titles = {name.partition(":")[0] for name in named if name.endswith(": train to the next report")}
    assert titles, named
    assert all(re.fullmatch(r"small trial \d+, cell [12]", title) for title in titles)
    logs = [path.read_text() for path in (running.session_folder / "logs").glob("worker-*.out")]
    began = [
        line for log in logs for line in log.splitlines() if " begins: search, attempt 1, depth " in line
    ]
    assert {re.sub(r".* UTC (.*?) begins.*", r"\1", line) for line in began} >= titles


def works_for(raylet: int, worker: str) -> bool:
    """Say whether a worker, by its host and process, lives and was started by a node's raylet."""
    try:
        stat = Path(f"/proc/{worker.rpartition(':')[2]}/stat").read_text()
    except OSError:
        return False
    return int(stat.rpartition(")")[2].split()[1]) == raylet


def trains_on(node: Joined, folder: Path) -> bool:
    """Say whether a trial is trained on a node."""
    query = "SELECT worker FROM trial WHERE state = 'running' AND worker <> ''"
    return any(works_for(node.raylet, worker) for (worker,) in rows(folder, query))


def test_a_node_is_killed_in_the_middle_of_training_and_another_one_joins(tmp_path: Path) -> None:
    with cluster({}, {"num_cpus": 2}, dashboard=True) as running, begun(tmp_path, running) as run:
        victim = running.nodes[2]
        run.wait_until(lambda: num_epochs(tmp_path) > 100 and trains_on(victim, tmp_path))
        with run.standing_still():
            check_names(running)
            running.kill(victim)
        running.add()
        assert run.finish() == 0, run.errors
    check_counted_once(tmp_path)
    ((node,),) = [rows(tmp_path, "SELECT detail FROM event WHERE kind = 'node_lost'")]
    assert json.loads(node[0])["node_id"] == victim.node_id
    name = f"{json.loads(node[0])['address']} (host {json.loads(node[0])['host']}, Ray node {victim.node_id[:12]})"
    lost = rows(tmp_path, "SELECT trial_number, detail FROM event WHERE kind = 'worker_lost'")
    assert lost, "two of its trials trained there"
    assert all(f": its node was lost, {name}: " in detail for _, detail in lost)
    said = json.loads(finished(tmp_path, "status", "small", "--json").output)
    assert [each["node_id"] for each in said["lost_nodes"]] == [victim.node_id]
    trials = (
        "1 trial"
        if len({number for number, _ in lost}) == 1
        else f"{len({number for number, _ in lost})} trials"
    )
    page = (tmp_path / "runs" / "small" / "report.html").read_text()
    assert (
        f"1 node of the cluster was lost while trials trained there: {name}. {trials} lost a worker" in page
    )
    assert rows(tmp_path, "SELECT 1 FROM trial WHERE state = 'failed'") == []


def test_a_node_that_joins_later_is_used(tmp_path: Path) -> None:
    with cluster(head={"num_cpus": 1}) as running, begun(tmp_path, running, MANY) as run:
        run.wait_until(lambda: num_epochs(tmp_path) > 20)
        late = running.add()
        run.wait_until(
            lambda: any(
                works_for(late.raylet, worker)
                for (worker,) in rows(tmp_path, "SELECT worker FROM trial WHERE worker <> ''")
            )
        )
        assert run.finish() == 0, run.errors
    check_counted_once(tmp_path, NUM_MANY)


@pytest.mark.slow
def test_a_head_that_is_silent_for_a_minute_is_waited_for(tmp_path: Path) -> None:
    with cluster({}, {}) as running, begun(tmp_path, running) as run:
        run.wait_until(lambda: num_epochs(tmp_path) > 100)
        os.kill(running.gcs, signal.SIGSTOP)
        time.sleep(SECONDS_OF_SILENCE)
        os.kill(running.gcs, signal.SIGCONT)
        assert run.finish() == 0, run.errors
    assert f"note: Ray's head at {running.address} has not answered for 10 s: workers train on" in run.errors
    assert rows(tmp_path, "SELECT detail FROM event WHERE kind = 'worker_lost'") == []
    check_counted_once(tmp_path)


def goes_on_elsewhere(folder: Path, run: Command, *, what: str) -> None:
    """The run has ended in words, with nothing lost, and its command goes on with another Ray."""
    assert run.finish(timeout=300) == 1, run.errors
    *_, first, second = run.errors.splitlines()
    assert re.fullmatch(f"error: (?:{what}); everything recorded is kept", first), first
    assert second.startswith(
        "Once Ray runs on this machine again, or on another node that reaches the storage, go"
    )
    assert "Traceback" not in run.errors
    assert rows(folder, "SELECT state FROM study") == [("interrupted",)]
    assert rows(folder, "SELECT 1 FROM trial WHERE state = 'failed'") == []
    again = finished(folder, "run", "./small.py", "--workers", "2", "--no-dashboard", "--quiet")
    assert again.process.returncode == 0, again.errors
    check_counted_once(folder)


@pytest.mark.slow
@pytest.mark.parametrize("dies", ["the head's node", "the head's gcs_server"])
def test_a_head_that_is_gone_ends_the_run_in_words(tmp_path: Path, dies: str) -> None:
    # Trained by torch's operations as by the run that goes on here: kernels round otherwise.
    with cluster({}, {}, settings={OFF: "1"}) as running, begun(tmp_path, running) as run:
        run.wait_until(lambda: num_epochs(tmp_path) > 100)
        if dies == "the head's node":
            running.kill(running.nodes[0])
        else:
            os.kill(running.gcs, signal.SIGKILL)
        head = f"Ray's head at {re.escape(running.address)}"
        goes_on_elsewhere(
            tmp_path,
            run,
            what=f"Ray is gone: its raylet was killed or crashed on this machine(; {head} takes no connection either"
            rf"|, after {head} had not answered for \d+ s)|{head} has not answered for 180 s",
        )


@pytest.mark.slow
def test_the_loop_in_which_nodes_die_and_join(
    tally: Tally, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    loops: int = request.config.getoption("--loops")
    traces = tmp_path / "traces"
    traces.mkdir()
    with cluster(*NODES, settings=settings_of(traces)) as running:
        (tmp_path / "undisturbed").mkdir()
        with closing(
            NodesRun(tmp_path / "undisturbed", f"sqlite:///{tmp_path}/undisturbed.db", running, traces)
        ) as whole:
            whole.finish()
            with Store.open(whole.url) as store:
                undisturbed = results(store)
        nodes_loop(tmp_path, running, traces, undisturbed=undisturbed, tally=tally, loops=loops)
    assert tally.rounds >= min(loops, LOOPS_IN_THE_SUITE)
    assert tally.lost == 0
