"""A study on a cluster whose nodes are killed and join while it runs, and whose driver is killed at times."""

import random
import signal
import time
from contextlib import closing
from pathlib import Path

from studies.run_log import run_events
from tests.studies.command import STUDY, Command
from tests.studies.faults.light import TRACES
from tests.studies.faults.ray_run import TIMEOUT_SECONDS, RayDriver
from tests.studies.faults.tally import Tally
from tests.studies.faults.traces import Acknowledged, wait_until
from tests.studies.faults.watched_run import Fate, Rows, WatchedRun
from tests.studies.multi_node import Joined, RunningCluster

LONGER = STUDY.replace("rungs=(3, 9)", "rungs=(3, 9, 27, 81)").replace("epochs=9", "epochs=81")
NUM_REPORTS = 120
"""About half as many as an undisturbed driver acknowledges."""
NODES: tuple[dict[str, int], ...] = ({}, {})
"""The nodes beside the head, of one worker each."""


class NodesRun(WatchedRun):
    """A study on a cluster, in which its workers note what was acknowledged in the folder that its nodes know of."""

    def __init__(self, folder: Path, url: str, cluster: RunningCluster, traces: Path) -> None:
        """Run on `cluster`, which was started with `settings_of(traces)`."""
        super().__init__(folder, url, study=LONGER, workers=2)
        self._cluster, self.traces = cluster, traces
        self.acknowledged = Acknowledged.of(traces)
        self.acknowledged.clear()
        self._commands: list[Command] = []

    def start(self) -> RayDriver:
        """Start a driver."""
        arguments = ("./small.py", "--address", self._cluster.address, "--quiet")
        settings = {
            **self._cluster.environment,
            TRACES: str(self.traces),
            "STUDIES_STORAGE": self.url,
            "STUDIES_OUTPUT": str(self.output),
        }
        command = Command(self.folder, "tests.studies.faults.acknowledging", *arguments, settings=settings)
        self._commands.append(command)
        return RayDriver(command)

    def kill(self, kind: float, place: float, delay: float) -> Fate:
        """Not used: here a driver is started once and meets several disturbances."""
        raise NotImplementedError

    def wait_for_reports(self, driver: RayDriver, place: float) -> bool:
        """Wait until a driver has got on by so many more reports; return whether it still runs then."""
        wanted = len(self.acknowledged.reports()) + 1 + place * NUM_REPORTS
        wait_until(
            lambda: driver.has_ended or len(self.acknowledged.reports()) >= wanted,
            "the moment to disturb",
            TIMEOUT_SECONDS,
        )
        return not driver.has_ended

    def lost_nodes(self) -> set[str]:
        """Return Ray's identifiers of the nodes that the study names as lost."""
        with self.opened() as (store, study):
            assert study is not None
            return {node["node_id"] for node in run_events.lost_nodes(store.events(study.id))}

    def close(self) -> None:
        """End everything that drivers have left behind."""
        for command in self._commands:
            command.close()
        super().close()


def settings_of(traces: Path) -> dict[str, str]:
    """Return what a cluster's nodes must have in their environment: their workers do not have the driver's."""
    return {TRACES: str(traces)}


def nodes_loop(
    folder: Path, cluster: RunningCluster, traces: Path, *, undisturbed: Rows, tally: Tally, loops: int
) -> None:
    """Kill so many nodes and drivers, and let nodes join; raise AssertionError where a promise is broken."""
    draw = random.Random(tally.seed)
    joined = list(cluster.nodes[1:])
    while tally.rounds < loops:
        tally.studies += 1
        place = folder / f"study-{tally.studies}"
        place.mkdir(parents=True)
        with closing(NodesRun(place, f"sqlite:///{place}/studies.db", cluster, traces)) as run:
            killed: set[str] = set()
            driver = run.start()
            while tally.rounds < loops and run.wait_for_reports(driver, draw.random()):
                if draw.random() < 0.3:
                    driver.command.process.send_signal(signal.SIGKILL)
                    driver.finish()
                    tally.kills["training: the driver"] += 1
                    _look_after(run, tally)
                    tally.resumes += 1
                    driver = run.start()
                else:
                    killed.add(_kill_node(cluster, joined, draw).node_id)
                    tally.kills["training: a node"] += 1
            assert driver.finish() == 0, driver.errors
            tally.epochs += run.check_end(undisturbed)
            tally.acknowledged += len(run.acknowledged.reports())
            assert run.lost_nodes() <= killed, "a node is named that lives"


def _kill_node(cluster: RunningCluster, joined: list[Joined], draw: random.Random) -> Joined:
    """Kill a node, and let another one like it join, at once or a little later."""
    victim = joined.pop(draw.randrange(len(joined)))
    cluster.kill(victim)
    time.sleep(draw.choice((0.0, 1.0, 3.0)))
    joined.append(cluster.add(**NODES[victim.index % len(NODES)]))
    return victim


def _look_after(run: NodesRun, tally: Tally) -> None:
    missing = run.missing()
    tally.lost += len(missing)
    assert not missing, f"acknowledged and lost: {sorted(missing)}"
    run.check_sound()
