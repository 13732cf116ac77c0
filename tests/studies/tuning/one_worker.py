"""A run without Ray: one worker in this process really trains, in the order of Tune's calls, and dies where told to."""

import functools
import itertools
import pickle
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from unittest.mock import patch

import torch
from ray import tune
from ray.tune.schedulers import TrialScheduler
from ray.tune.search import Searcher

from studies.database.draining import open_spool
from studies.database.store import Store
from studies.database.writer import Writer
from studies.planning import Plan
from studies.tuning import checkpoints
from studies.tuning.checkpoints import Checkpoints
from studies.tuning.cluster import Cluster
from studies.tuning.experiment import open_agenda, train_study
from studies.tuning.files import PARTIAL, write_whole
from studies.tuning.progress import Progress, planned_progress
from studies.tuning.resources import Resources
from trainables.datasets import Dataset
from trainables.reporting import train_assignment
from trainables.splits import Splits

CLUSTER = Cluster(num_workers=1, threads=1, dashboard_url=None, token_path=None, scratch=Path())


class DriverDiedError(BaseException):
    """The driver dies here."""


@dataclass
class OneWorker:
    """Stands in for tune.Tuner."""

    trainable: type
    tune_config: Any
    run_config: Any

    def fit(self) -> None:
        while isinstance(config := self._suggest(), dict):
            trial = SimpleNamespace(config=config, get_error=lambda: "the worker died")
            # A worker gets a copy, made before Tune says that the trial has started.
            carried = pickle.loads(pickle.dumps(config))
            self._callback.on_trial_start(0, [], trial)
            self._train(trial, carried)
            if self.run_config.stop.stop_all():
                return

    def _train(self, trial: Any, config: dict[str, Any]) -> None:
        worker: Any = object.__new__(self.trainable)
        worker.setup(config, **self.trainable.given)  # type: ignore[attr-defined]
        stops = False
        while not stops:
            try:
                result = worker.step()
            except WorkerLostError:
                self._callback.on_trial_error(0, [], trial)
                return
            stops = result["done"] or self._scheduler_stops(trial, result)
            self._callback.on_trial_result(0, [], trial, result)
            stops = stops or self.run_config.stop.stop_all()

    def _suggest(self) -> Any:
        config = self.tune_config.search_alg.suggest("")
        assert config is not None, "Tune would wait in vain: nothing runs that could end"
        return None if config == Searcher.FINISHED else config

    def _scheduler_stops(self, trial: Any, result: dict[str, Any]) -> bool:
        action = self.tune_config.scheduler.on_trial_result(None, trial, result)
        return bool(action == TrialScheduler.STOP)

    @property
    def _callback(self) -> Any:
        (callback,) = self.run_config.callbacks
        return callback


class WorkerLostError(BaseException):
    """The worker dies here."""


@dataclass(kw_only=True)
class Moments:
    """Counts the moments at which a driver may die, and dies at one of them."""

    die_at: int | None = None
    count: int = 0

    def pass_by(self) -> None:
        """Live through one more."""
        self.count += 1
        if self.count == self.die_at:
            raise DriverDiedError

    def around(self, action: Callable[..., Any]) -> Callable[..., Any]:
        """Return the action with a moment before and one after it."""

        def wrapped(*given: Any, **named: Any) -> Any:
            self.pass_by()
            result = action(*given, **named)
            self.pass_by()
            return result

        return wrapped

    def writing(self, path: Path, data: bytes, *, mode: int) -> None:
        """Write a file, with moments before, in the middle and afterwards."""
        self.pass_by()
        half = path.with_name(path.name + PARTIAL)
        half.write_bytes(data[: len(data) // 2])
        self.pass_by()
        half.unlink()
        write_whole(path, data, mode=mode)
        self.pass_by()


@contextmanager
def without_ray(moments: Moments, *, is_checkpointing: bool) -> Iterator[None]:
    """Put the worker in Ray's place; it reports after every epoch, with a checkpoint if so wished."""
    seconds = 0.0 if is_checkpointing else 1e9
    eager = functools.partial(
        train_assignment, seconds_between_reports=-1.0, seconds_between_checkpoints=seconds
    )
    threads = torch.get_num_threads()
    try:
        with (
            patch.object(tune, "Tuner", OneWorker),
            patch.object(tune, "with_parameters", lambda of, **given: type("Given", (of,), {"given": given})),
            patch("trainables.trial.train_assignment", eager),
            patch.object(Writer, "_write", moments.around(Writer._write)),
            patch.object(checkpoints, "write_whole", moments.writing),
        ):
            yield
    finally:
        torch.set_num_threads(threads)
        torch.set_flush_denormal(False)


def run(
    plan: Plan,
    folder: Path,
    dataset: Dataset,
    splits: Splits,
    *,
    die_at: int | None = None,
    is_checkpointing: bool = True,
    should_stop: Callable[[], bool] = lambda: False,
) -> tuple[Progress, int]:
    """Run or resume a study in `folder` to its end, or to the moment `die_at`; return the moments lived through."""
    moments = Moments(die_at=die_at)
    with (
        Store.open(f"sqlite:///{folder}/studies.db") as store,
        without_ray(moments, is_checkpointing=is_checkpointing),
    ):
        study = store.find_study(plan.name) or store.create_study(
            name=plan.name, question="?", plan=plan.to_dict(), plan_hash=plan.hash, seed=plan.seed
        )
        agenda = open_agenda(plan, store, study.id)
        progress = planned_progress(plan, 1, store.trials(study.id), num_networks=0, num_diverged=0)
        with Writer(store, study.id, open_spool(store, study, folder)) as writer:
            train_study(
                plan,
                writer=writer,
                study_id=study.id,
                agenda=agenda,
                checkpoints=Checkpoints.open(store, study.id, agenda, folder),
                dataset=dataset,
                splits=splits,
                folder=folder,
                cluster=CLUSTER,
                resources=Resources(workers=1, dashboard=False),
                progress=progress,
                versions={"torch": "a version"},
                should_stop=should_stop,
            )
    return progress, moments.count


def die_again_and_again(every: int, run_once: Callable[[int], object]) -> int:
    """Run, dying after `every` moments each time, until it is done; return the number of deaths."""
    for deaths in itertools.count():
        try:
            run_once(every)
        except DriverDiedError:
            continue
        return deaths
    raise AssertionError
