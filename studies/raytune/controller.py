"""Ray Tune's controller as a study needs it: what Ray raises of a worker is its loss, and slow starts are watched."""

import importlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import ray
from ray.air.execution._internal.actor_manager import RayActorManager
from ray.tune.execution.tune_controller import TuneController

from studies.raytune.lost_worker import as_lost_actor

Hear = Callable[[int, BaseException], None]
"""Takes note of what Ray raised of the worker of a trial, by its number, before Tune's callbacks are told."""
SeeStarting = Callable[[Mapping[int, Any]], None]
"""Is shown at each step the actors that are being started, or prepared for another trial, by the trial's number."""


@contextmanager
def controlled(*, update: Hear, see_starting: SeeStarting) -> Iterator[None]:
    """Let Tune's runs in here use this controller, and afterwards the one that they used before.

    Tune has no argument for a controller: `ray.tune.run` makes the one that its module knows as `TuneController`.
    """

    class Controller(_Controller):
        _update, _see_starting = staticmethod(update), staticmethod(see_starting)

    # By its name, because ray.tune has a function of the module's.
    module: Any = importlib.import_module("ray.tune.tune")
    before = module.TuneController
    module.TuneController = Controller
    try:
        yield
    finally:
        module.TuneController = before


class _ActorManager(RayActorManager):
    def _actor_task_failed(self, tracked_actor_task: Any, exception: Exception) -> None:
        """Take whatever ends a task for the loss of its actor: Tune would end the run for an OutOfMemoryError."""
        super()._actor_task_failed(tracked_actor_task, as_lost_actor(exception))


class _Controller(TuneController):
    _update: Hear
    _see_starting: SeeStarting

    def __init__(self, **given: Any) -> None:
        super().__init__(**given)
        self._actor_manager = _ActorManager(resource_manager=self._actor_manager._resource_manager)

    def step(self) -> None:
        """Take a step; should Tune itself fail, end the workers first, as it would wait for those that hang."""
        try:
            super().step()  # type: ignore[no-untyped-call]
        except Exception:
            for actor, _ in self._actor_manager._live_actors_to_ray_actors_resources.values():
                ray.kill(actor)
            raise

    def _process_trial_failure(self, trial: Any, exception: Any) -> None:
        self._update(_number(trial), exception)
        super()._process_trial_failure(trial, exception)

    def _stop_experiment_if_needed(self) -> None:
        """Show what is being started before the watchdog is asked, which Tune does in here."""
        self._see_starting(dict(self._starting()))
        super()._stop_experiment_if_needed()  # type: ignore[no-untyped-call]

    def _starting(self) -> Iterator[tuple[int, Any]]:
        """Yield the actors that have a place but do not answer yet; one without a place only waits for it."""
        live = self._actor_manager._live_actors_to_ray_actors_resources
        for tracked, trial in self._actor_to_trial.items():
            if tracked in live and (tracked not in self._started_actors or trial in self._resetting_trials):
                yield _number(trial), live[tracked][0]


def _number(trial: Any) -> int:
    number: int = trial.config["trial_spec"].number
    return number
