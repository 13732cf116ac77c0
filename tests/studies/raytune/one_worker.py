"""A run without Ray: one worker in this process really trains, in the order of Tune's calls, and dies where told to."""

import functools
import math
import os
import pickle
import signal
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType, SimpleNamespace
from typing import Any, ClassVar
from unittest.mock import patch

import torch
from ray import tune
from ray.tune.schedulers import TrialScheduler
from ray.tune.search import Searcher

from reports.pages.atomic_files import PARTIAL, write_whole
from studies.cluster.cluster import Cluster
from studies.cluster.liveness import Liveness
from studies.database.draining import open_spool
from studies.database.rows import StudyRow
from studies.database.store import Store
from studies.database.writer import Writer
from studies.planning.plan import Plan
from studies.planning.resources import Resources
from studies.raytune import checkpoints, experiment
from studies.raytune.checkpoints import Checkpoints
from studies.raytune.experiment import open_queue, train_study
from studies.search.progress import Progress, planned_progress
from tests.studies.database.so_far import so_far
from trainables import datasets
from trainables.data.dataset import Dataset
from trainables.data.splits import split_blocks
from trainables.trials.reporting import train_trial_spec

Place = tuple[int, int]
"""A trial's number and the epoch that it last reported."""

CLUSTER = Cluster(num_workers=1, threads=1, find_dashboard=None, token_path=None, scratch=Path())


class DriverDiedError(BaseException):
    """The driver dies here."""


@dataclass
class OneWorker:
    """Stands in for tune.Tuner."""

    trainable: type
    tune_config: Any
    run_config: Any
    dies_at: ClassVar[Counter[Place]] = Counter()
    """Where the worker dies, and how often."""

    def fit(self) -> None:
        while isinstance(config := self._suggest(), dict):
            worker = SimpleNamespace(ray_actor=None)
            trial = SimpleNamespace(config=config, temporary_state=worker)
            # A worker gets a copy, made before Tune says that the trial has started.
            carried = pickle.loads(pickle.dumps(config))
            self._tell("on_trial_start", trial)
            self._train(trial, carried)
            if self.run_config.stop.stop_all():
                return

    def _train(self, trial: Any, config: dict[str, Any]) -> None:
        worker: Any = object.__new__(self.trainable)
        worker.setup(config, **self.trainable.given)  # type: ignore[attr-defined]
        epoch, stops = config["checkpoint"].epoch if "checkpoint" in config else 0, False
        while not stops:
            place = config["trial_spec"].number, epoch
            if self.dies_at[place] > 0:
                self.dies_at[place] -= 1
                self._tell("on_trial_error", trial)
                return
            result = worker.step()
            epoch = result["epoch"]
            stops = result["done"] or self._scheduler_stops(trial, result)
            self._tell("on_trial_result", trial, result)
            stops = stops or self.run_config.stop.stop_all()
        self._tell("on_trial_complete", trial)

    def _suggest(self) -> Any:
        config = self.tune_config.search_alg.suggest("")
        assert config is not None, "Tune would wait in vain: nothing runs that could end"
        return None if config == Searcher.FINISHED else config

    def _scheduler_stops(self, trial: Any, result: dict[str, Any]) -> bool:
        action = self.tune_config.scheduler.on_trial_result(None, trial, result)
        return bool(action == TrialScheduler.STOP)

    def _tell(self, what: str, *about: Any) -> None:
        for callback in self.run_config.callbacks:
            getattr(callback, what)(0, [], *about)


@dataclass(kw_only=True)
class Moments:
    """Counts the moments at which a driver may die, and dies at one of them."""

    die_at: int | None = None
    die: Callable[[], None]
    count: int = 0

    def pass_by(self) -> None:
        """Live through one more."""
        self.count += 1
        if self.count == self.die_at:
            self.die()

    def around(self, action: Callable[..., Any]) -> Callable[..., Any]:
        """Return the action with a moment before and one after it."""

        def wrapped(*given: Any, **named: Any) -> Any:
            self.pass_by()
            result = action(*given, **named)
            self.pass_by()
            return result

        return wrapped

    def writing(self, path: Path, data: bytes) -> None:
        """Write a file, with moments before, in the middle and afterwards."""
        self.pass_by()
        half = path.with_name(path.name + PARTIAL)
        half.write_bytes(data[: len(data) // 2])
        self.pass_by()
        half.unlink()
        write_whole(path, data)
        self.pass_by()


def watch_nothing(*, is_local: bool) -> Liveness:
    """Return the liveness of a Ray that is not there, and answers."""
    return Liveness(lines={}, is_any_node_alive=lambda: True)


@contextmanager
def without_ray(moments: Moments, *, is_checkpointing: bool) -> Iterator[None]:
    """Put the worker in Ray's place; it reports after every epoch, with a checkpoint if so wished."""
    seconds = 0.0 if is_checkpointing else 1e9
    eager = functools.partial(
        train_trial_spec, seconds_between_reports=-1.0, seconds_between_checkpoints=seconds
    )
    threads = torch.get_num_threads()
    try:
        with (
            patch.object(tune, "Tuner", OneWorker),
            patch.object(tune, "with_parameters", lambda of, **given: type("Given", (of,), {"given": given})),
            patch.object(experiment, "watch_ray", watch_nothing),
            patch("trainables.trials.reporting.train_trial_spec", eager),
            patch("trainables.trials.reporting.CHECKPOINT_BYTES_PER_SECOND", math.inf),
            patch.object(Writer, "start_trial", moments.around(Writer.start_trial)),
            patch.object(Writer, "confirm_trial", moments.around(Writer.confirm_trial)),
            patch.object(Writer, "_write", moments.around(Writer._write)),
            patch.object(checkpoints, "write_whole", moments.writing),
        ):
            yield
    finally:
        torch.set_num_threads(threads)
        torch.set_flush_denormal(False)


def fall() -> None:
    """Die so that whoever runs the driver survives it."""
    raise DriverDiedError


def kill() -> None:
    """Die as by kill -9."""
    os.kill(os.getpid(), signal.SIGKILL)


@contextmanager
def opened(plan: Plan, folder: Path) -> Iterator[tuple[Store, StudyRow]]:
    """Open the storage in `folder`, the study made where it is missing."""
    with Store.open(f"sqlite:///{folder}/studies.db") as store:
        study = store.find_study(plan.name) or store.create_study(
            name=plan.name, question="?", plan=plan.to_dict(), plan_hash=plan.hash, seed=plan.seed
        )
        yield store, study


def run(
    plan: Plan,
    folder: Path,
    *,
    die_at: int | None = None,
    die: Callable[[], None] = fall,
    dies_at: Mapping[Place, int] = MappingProxyType({}),
    is_checkpointing: bool = True,
) -> tuple[Progress, int]:
    """Run or resume a study in `folder` to its end, or to the moment `die_at`; return the moments lived through.

    `dies_at` says where its worker dies, and how often.
    """
    moments = Moments(die_at=die_at, die=die)
    with (
        opened(plan, folder) as (store, study),
        without_ray(moments, is_checkpointing=is_checkpointing),
        patch.object(OneWorker, "dies_at", Counter(dies_at)),
    ):
        queue = open_queue(plan, store, study.id)
        progress = planned_progress(plan, so_far(store.trials(study.id)), num_networks=0, num_diverged=0)
        with Writer(store, study.id, open_spool(store, study, folder)) as writer:
            train_study(
                plan,
                writer=writer,
                study_id=study.id,
                queue=queue,
                checkpoints=Checkpoints.open(store, study.id, queue, folder),
                dataset=digits(),
                splits=split_blocks(digits(), seed=plan.seed, blocks=range(plan.study.replicates)),
                folder=folder,
                cluster=CLUSTER,
                resources=Resources(workers=1, dashboard=False),
                progress=progress,
                versions={"torch": "a version"},
                go_on=lambda: False,
                should_stop=lambda: False,
            )
    return progress, moments.count


@functools.cache
def digits() -> Dataset:
    """Return the digits."""
    return datasets.load("digits")
