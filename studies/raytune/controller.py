"""Ray Tune's controller, patched: any error of an actor counts as a lost worker, and starting actors are reported."""

import importlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import ray
from ray.air._internal import usage
from ray.air.execution._internal.actor_manager import RayActorManager
from ray.tune import Callback, registry
from ray.tune.execution.tune_controller import TuneController

from studies.raytune.lost_worker import as_lost_actor
from trainables.trials.trial_log import TITLE

OnLoss = Callable[[int, BaseException], None]
"""Called with a trial's number and the error that Ray raised about its worker, before Tune's callbacks."""
OnStarting = Callable[[Mapping[int, Any]], None]
"""Called at each step with the actors that are starting, or being reset for another trial, by trial number."""

CALLS = {"train": "train to the next report", "reset": "take it up", "stop": "end the worker"}
"""What Tune's calls of a worker do, in words."""


@contextmanager
def controlled(
    *, update: OnLoss, see_starting: OnStarting, is_full: Callable[[], bool] = lambda: False
) -> Iterator[None]:
    """Let Tune's runs in here use this controller, and afterwards the one that they used before.

    Tune has no argument for a controller: `ray.tune.run` makes the one that its module knows as `TuneController`. Nor
    does it then count which callbacks it has, for usage statistics that are off: for that it would import MLflow and
    Weights & Biases where they are installed, which takes seconds and leaves folders of theirs behind a killed run.

    A worker that is kept for the next trial is ended while `is_full` says that none will be handed out, so that it
    holds nothing that another study waits for.

    Meanwhile Tune asks Ray for the trainable's class once, and not several times for every trial, before which a free
    worker would wait.
    """

    class Controller(_Controller):
        _update, _see_starting = staticmethod(update), staticmethod(see_starting)
        _is_full = staticmethod(is_full)

    # By its name, because ray.tune has a function of the module's.
    module: Any = importlib.import_module("ray.tune.tune")
    before, counting = module.TuneController, usage.tag_callbacks
    module.TuneController, usage.tag_callbacks = Controller, _count_no_callbacks
    try:
        with _remembering_trainables(registry._global_registry):
            yield
    finally:
        module.TuneController, usage.tag_callbacks = before, counting


@contextmanager
def _remembering_trainables(known_to_ray: Any) -> Iterator[None]:
    """Let Tune's registry, which lies in Ray's head node, be asked once for what does not change."""
    found: dict[tuple[str, str], Any] = {}
    before = dict(vars(known_to_ray))
    get, contains, register = known_to_ray.get, known_to_ray.contains, known_to_ray.register

    def remembered(category: str, key: str) -> Any:
        if (category, key) not in found:
            found[category, key] = get(category, key)
        return found[category, key]

    def is_known(category: str, key: str) -> bool:
        return (category, key) in found or bool(contains(category, key))

    def register_anew(category: str, key: str, value: Any) -> None:
        found.pop((category, key), None)
        register(category, key, value)

    known_to_ray.get, known_to_ray.contains, known_to_ray.register = remembered, is_known, register_anew
    try:
        yield
    finally:
        for name in ("get", "contains", "register"):
            delattr(known_to_ray, name)  # which leaves the methods of its class
            if name in before:
                setattr(known_to_ray, name, before[name])


def _count_no_callbacks(callbacks: list[Callback] | None) -> bool:
    return False


class _ActorManager(RayActorManager):
    """Tune's manager of actors, whose calls have names in Ray's dashboard, and whose errors all are lost actors."""

    name_of: Callable[[Any, str], str]
    """Returns the name of a call of an actor's method. No argument: Tune calls `__init__` again to clear it."""

    def _schedule_tracked_actor_task(
        self,
        tracked_actor_task: Any,
        method_name: str,
        *,
        args: tuple[Any, ...] | None = None,
        kwargs: dict[str, Any] | None = None,
        _return_future: bool = False,
    ) -> Any:
        """Call an actor's method, as Tune does, with a name."""
        tracked_actor = tracked_actor_task._tracked_actor
        actor, _ = self._live_actors_to_ray_actors_resources[tracked_actor]
        future = getattr(actor, method_name)._remote(
            args=args or (), kwargs=kwargs or {}, name=self.name_of(tracked_actor, method_name)
        )
        self._actor_task_events.track_future(
            future=future,
            on_result=lambda result: self._actor_task_resolved(tracked_actor_task, result),
            on_error=lambda error: self._actor_task_failed(tracked_actor_task, error),
        )
        self._tracked_actors_to_task_futures[tracked_actor].add(future)
        return (tracked_actor_task, future) if _return_future else tracked_actor_task

    def _actor_task_failed(self, tracked_actor_task: Any, exception: Exception) -> None:
        """Treat any error of a task as the loss of its actor: Tune would end the run for an OutOfMemoryError."""
        super()._actor_task_failed(tracked_actor_task, as_lost_actor(exception))


class _ActorClasses:
    """Makes each trainable an actor's class, without the environment that Tune asks for.

    That holds nothing but a variable for Lightning, which the trainable sets itself, and a worker with an environment
    of its own is a new process: those that Ray has started with itself, early, would stay idle.
    """

    def __init__(self) -> None:
        self._made: dict[type, Any] = {}

    def get(self, trainable: type) -> Any:
        """Return the class of actors, which Ray is sent once."""
        if trainable not in self._made:
            self._made[trainable] = ray.remote(trainable)
        return self._made[trainable]


class _Controller(TuneController):
    _update: OnLoss
    _see_starting: OnStarting
    _is_full: Callable[[], bool]

    def __init__(self, **given: Any) -> None:
        super().__init__(**given)
        self._class_cache: Any = _ActorClasses()
        self._actor_manager = _ActorManager(resource_manager=self._actor_manager._resource_manager)
        self._actor_manager.name_of = self._name_of

    def _name_of(self, tracked: Any, method: str) -> str:
        """Return the name of a call of a worker's: its trial and what it does, as Ray's dashboard shows it."""
        trial = self._actor_to_trial.get(tracked)
        title = "no trial" if trial is None else trial.config.get(TITLE, f"trial {_number(trial)}")
        return f"{title}: {CALLS.get(method, method)}"

    def step(self) -> None:
        """Run a step; if Tune fails, kill the workers, because Tune would wait for those that hang."""
        try:
            super().step()  # type: ignore[no-untyped-call]
        except Exception:
            for actor, _ in self._actor_manager._live_actors_to_ray_actors_resources.values():
                ray.kill(actor)
            raise

    def _cleanup_cached_actors(self, force_all: bool = False) -> None:
        """End kept workers that no trial will need; Tune would keep one."""
        is_over = bool(self._actor_cache.num_cached_objects) and self._is_full()
        super()._cleanup_cached_actors(force_all=force_all or is_over)

    def _process_trial_failure(self, trial: Any, exception: Any) -> None:
        self._update(_number(trial), exception)
        super()._process_trial_failure(trial, exception)

    def _stop_experiment_if_needed(self) -> None:
        """Report the starting actors before Tune asks its Stopper (the watchdog)."""
        self._see_starting(dict(self._starting()))
        super()._stop_experiment_if_needed()  # type: ignore[no-untyped-call]

    def _starting(self) -> Iterator[tuple[int, Any]]:
        """Yield the actors that have their resources but do not answer yet; one without resources is only waiting."""
        live = self._actor_manager._live_actors_to_ray_actors_resources
        for tracked, trial in self._actor_to_trial.items():
            if tracked in live and (tracked not in self._started_actors or trial in self._resetting_trials):
                yield _number(trial), live[tracked][0]


def _number(trial: Any) -> int:
    number: int = trial.config["trial_spec"].number
    return number
