"""The real command with a stand-in for Ray: made-up networks are trained in the driver itself, in Tune's order."""

import os
import random
import sys
from collections.abc import Callable, Generator, Iterator, Sequence
from concurrent.futures import Future
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from unittest.mock import patch

import ray
from ray import tune
from ray.tune.schedulers import TrialScheduler
from ray.tune.search import Searcher
from sqlalchemy import Engine, event

from reports.inputs.inputs import ReportInputs
from reports.pages.json_report import as_json, json_report
from reports.pages.rendering import write_page
from reports.results.results import compute
from studies.cluster import cluster
from studies.cluster.cluster import Cluster
from studies.cluster.liveness import Liveness
from studies.database.engines import sqlite
from studies.database.writer import Writer
from studies.execution import driver
from studies.planning.resources import Resources
from studies.raytune import experiment
from studies.results import best_model, report_inputs
from studies.run import main
from tests.studies.faults.forked_workers import KILLS_WORKERS, ForkedWorkers, WorkerLostError, with_parameters
from tests.studies.faults.made_up import made_model, reports
from tests.studies.faults.traces import Acknowledged, Gate, Moment, Moments
from trainables.base.records import TrialReport
from trainables.trials.trial_spec import TrialSpec

TRACES = "STUDIES_TEST_TRACES"
"""The folder in which the driver leaves its traces: where it is, and what it has acknowledged."""
PATIENCE = "STUDIES_TEST_PATIENCE"
"""Seconds for which the driver waits for a lock or tries a write again, where they are not to be the usual ones."""
WHOLE_REPORT = "STUDIES_TEST_WHOLE_REPORT"
"""Whether the report has its pictures, which take longer than everything else."""


MakeReports = Callable[[dict[str, Any]], Generator[TrialReport, None, None]]


class LightTrial:
    """What callbacks and schedulers ask of a trial of Tune's, and its reports."""

    num_failures = 0

    def __init__(self, number: int, config: dict[str, Any], reports_of: MakeReports) -> None:
        self.trial_id = f"{number:08x}"
        self.config = config
        self.temporary_state = SimpleNamespace(ray_actor=None)
        self.reports = reports_of(config)
        self.error_file: str | None = None


@dataclass
class LightTuner:
    """Stands in for tune.Tuner: as many trials at a time, one after another in a random order.

    The order of its calls is Tune's: scheduler, callback, and only then is the worker let go on.
    """

    trainable: type
    tune_config: Any
    run_config: Any

    def fit(self) -> None:
        traces = Path(os.environ[TRACES])
        self._moments, self._acknowledged = Moments.of(traces), Acknowledged.of(traces)
        self._gate, self._num_reports = Gate.of(traces), 0
        running: list[LightTrial] = []
        draw, started = random.Random(os.getpid()), 0
        while not self.run_config.stop.stop_all():
            while len(running) < self.tune_config.max_concurrent_trials:
                config = self._suggest(started)
                if not isinstance(config, dict):
                    break
                running.append(self._start(started, config))
                started += 1
            if not running:
                break
            trial = draw.choice(running)
            if self._step(trial):
                running.remove(trial)
        self._moments.reach(Moment.ENDING)

    def _suggest(self, number: int) -> Any:
        self._moments.reach(Moment.HANDING_OUT)
        config = self.tune_config.search_alg.suggest(f"{number:08x}")
        return None if config == Searcher.FINISHED else config

    def _start(self, number: int, config: dict[str, Any]) -> LightTrial:
        self._moments.reach(Moment.STARTING_TRIAL)
        trial = LightTrial(number, config, self._make_reports())
        for callback in self._callbacks:
            callback.on_trial_start(0, [], trial)
        return trial

    def _step(self, trial: LightTrial) -> bool:
        """Train to the next report and record it; return whether that was the trial's last."""
        trial_spec: TrialSpec = trial.config["trial_spec"]
        self._moments.reach(Moment.TRAINING)
        self._gate.wait(self._num_reports)
        self._num_reports += 1
        try:
            report = next(trial.reports)
        except WorkerLostError as lost:
            trial.error_file = lost.error_file
            for callback in self._callbacks:
                callback.on_trial_error(0, [], trial)
            return True
        done = report.error is not None or report.epoch >= trial_spec.epochs
        result = {"objective": report.objective, "epoch": report.epoch, "report": report, "done": done}
        self._moments.reach(Moment.RECORDING)
        if not done:
            done = self.tune_config.scheduler.on_trial_result(None, trial, result) == TrialScheduler.STOP
        for callback in self._callbacks:
            callback.on_trial_result(0, [], trial, result)
        if not self.run_config.stop.stop_all():  # which lets no worker go on
            self._moments.reach(Moment.ACKNOWLEDGING)
            self._acknowledged.add(trial_spec.number, report.epoch)
        if done:
            trial.reports.close()
            for callback in self._callbacks:
                callback.on_trial_complete(0, [], trial)
        return done

    def _make_reports(self) -> MakeReports:
        if KILLS_WORKERS not in os.environ:
            return lambda config: reports(config["trial_spec"])
        return ForkedWorkers.of(self.trainable, Path(os.environ[TRACES])).reports

    @property
    def _callbacks(self) -> Sequence[Any]:
        return list(self.run_config.callbacks)


def write_plain_report(inputs: ReportInputs, folder: Path, **_: object) -> Path:
    """Stand in for the report: its numbers and an empty page, for tests that do not look at it."""
    report = json_report(inputs, compute(inputs))
    write_page(folder / "report.json", as_json(report).encode())
    write_page(folder / "report.html", b"")
    return folder / "report.html"


@contextmanager
def starting_nothing(
    resources: Resources, *, last_words: str, name: str = "", asked: object = None
) -> Iterator[Future[Cluster]]:
    """Stand in for starting Ray: so many workers at once."""
    future: Future[Cluster] = Future()
    future.set_result(
        Cluster(
            num_workers=resources.workers or 1,
            threads=1,
            find_dashboard=None,
            token_path=None,
            scratch=Path(os.environ[TRACES]) / "scratch",
        )
    )
    yield future


def always_alive(*, is_local: bool) -> Liveness:
    """Stand in for watching Ray: there is none that could die."""
    return Liveness(lines={}, is_any_node_alive=lambda: True)


def _plain_report() -> AbstractContextManager[object]:
    return patch.object(report_inputs, "write_report", write_plain_report)


@contextmanager
def _patience(seconds: str | None) -> Iterator[None]:
    if seconds is None:
        yield
        return
    with (
        patch.object(sqlite, "BUSY_SECONDS", float(seconds)),
        patch.object(driver, "Writer", partial(Writer, max_seconds_of_retries=float(seconds))),
    ):
        yield


@contextmanager
def without_ray() -> Iterator[None]:
    """Train in this process what a run would train on Ray, with traces in the folder that the environment names."""
    with (
        nullcontext() if WHOLE_REPORT in os.environ else _plain_report(),
        patch.object(cluster, "starting_cluster", starting_nothing),
        patch.object(experiment, "watch_ray", always_alive),
        patch.object(ray, "kill", lambda actor, no_restart: None),
        patch.object(tune, "Tuner", LightTuner),
        patch.object(tune, "with_parameters", with_parameters),
        patch.object(best_model, "make", made_model),
    ):
        yield


def run_light(arguments: Sequence[str]) -> int:
    """Be the driver: the real command but for Ray."""
    moments = Moments.of(Path(os.environ[TRACES]))
    moments.reach(Moment.STARTING)
    event.listen(Engine, "commit", lambda connection: moments.reach(Moment.COMMITTING))
    with _patience(os.environ.get(PATIENCE)), without_ray():
        return main(arguments)


if __name__ == "__main__":
    sys.exit(run_light(sys.argv[1:]))


ON = ("--workers", "1", "--no-dashboard", "--quiet")
"""What a run is told for a test."""


def run_without_ray(*words: str) -> int:
    """Give the command of a run, with pages that have no pictures and a stand-in for Ray; return its exit code."""
    with without_ray():
        return main([*words, *ON])
