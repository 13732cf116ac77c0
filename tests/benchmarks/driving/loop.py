"""The driver without Ray: a stand-in for Tune that asks, decides and records in Tune's order, and trains nothing."""

from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from unittest.mock import patch

import ray
from ray import tune
from ray.tune.schedulers import TrialScheduler

from studies.cluster import cluster
from studies.cluster.cluster import Cluster
from studies.cluster.liveness import Liveness
from studies.planning.resources import Resources
from studies.raytune import experiment
from tests.benchmarks.driving.light import reports


@dataclass
class LoopTuner:
    """Stands in for tune.Tuner: as many trials at a time, each in turn, with made-up reports."""

    trainable: type
    tune_config: Any
    run_config: Any

    def fit(self) -> None:
        """Run until the searcher has nothing more or the run is to stop."""
        running: list[SimpleNamespace] = []
        while not self.run_config.stop.stop_all():
            while len(running) < self.tune_config.max_concurrent_trials:
                config = self.tune_config.search_alg.suggest("00000000")
                if not isinstance(config, dict):
                    break
                running.append(self._start(config))
            if not running:
                return
            trial = running.pop(0)
            if not self._step(trial):
                running.append(trial)

    def _start(self, config: dict[str, Any]) -> SimpleNamespace:
        trial = SimpleNamespace(
            trial_id="00000000",
            config=config,
            reports=reports(config["trial_spec"]),
            temporary_state=SimpleNamespace(ray_actor=None),
            num_failures=0,
        )
        for callback in self.run_config.callbacks:
            callback.on_trial_start(0, [], trial)
        return trial

    def _step(self, trial: SimpleNamespace) -> bool:
        """Hand on the next report; return whether it was the trial's last."""
        report = next(trial.reports)
        done: bool = report.epoch >= trial.config["trial_spec"].epochs
        result = {"objective": report.objective, "epoch": report.epoch, "report": report, "done": done}
        if not done:
            action: str = self.tune_config.scheduler.on_trial_result(None, trial, result)
            done = action == str(TrialScheduler.STOP)
        for callback in self.run_config.callbacks:
            callback.on_trial_result(0, [], trial, result)
            if done:
                callback.on_trial_complete(0, [], trial)
        return done


@contextmanager
def without_ray(scratch: Path) -> Iterator[None]:
    """Let a run's driver do all it does, but for Ray."""

    @contextmanager
    def starting(
        resources: Resources, *, last_words: str, name: str = "", asked: object = None
    ) -> Iterator["Future[Cluster]"]:
        started: Future[Cluster] = Future()
        num_workers = resources.workers or 1
        started.set_result(
            Cluster(num_workers=num_workers, threads=1, find_dashboard=None, token_path=None, scratch=scratch)
        )
        yield started

    with ExitStack() as stack:
        stack.enter_context(patch.object(cluster, "starting_cluster", starting))
        alive = Liveness(lines={}, is_any_node_alive=lambda: True)
        stack.enter_context(patch.object(experiment, "watch_ray", lambda is_local: alive))
        stack.enter_context(patch.object(ray, "kill", lambda actor, no_restart: None))
        stack.enter_context(patch.object(tune, "Tuner", LoopTuner))
        stack.enter_context(patch.object(tune, "with_parameters", lambda trainable, **_: trainable))
        yield
