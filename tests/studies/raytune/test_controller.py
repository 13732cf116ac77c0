"""Tune's controller without Ray: that Tune uses it, which workers it shows as starting, and what a failure does."""

import importlib
import inspect
from types import SimpleNamespace
from typing import Any

import pytest
import ray
from ray.air._internal import usage
from ray.air.execution._internal.actor_manager import RayActorManager
from ray.tune import Callback
from ray.tune.execution.tune_controller import TuneController

from studies.raytune.controller import _ActorManager, _Controller, _remembering_trainables, controlled

TUNE: Any = importlib.import_module("ray.tune.tune")


def trial(number: int) -> Any:
    """Return what is asked of a trial of Tune's."""
    return SimpleNamespace(config={"trial_spec": SimpleNamespace(number=number)})


class Trial(SimpleNamespace):
    """A trial that can be in a set, as Tune's can."""

    __hash__ = object.__hash__  # type: ignore[assignment]


@pytest.fixture
def controller() -> Any:
    """A controller with one worker waiting for a place, one starting, one at work, and one taking on its next trial."""
    trials = {
        name: Trial(**vars(trial(number)))
        for number, name in enumerate(("waits", "starts", "works", "resets"))
    }
    controller: Any = object.__new__(_Controller)
    controller._actor_to_trial = trials
    live = {name: (f"actor that {name}", None) for name in trials if name != "waits"}
    controller._actor_manager = SimpleNamespace(_live_actors_to_ray_actors_resources=live)
    controller._started_actors = {"works", "resets"}
    controller._resetting_trials = {trials["resets"]}
    return controller


def test_tune_uses_it_for_as_long_as_it_is_asked_to() -> None:
    heard: list[object] = []
    with controlled(update=lambda *said: heard.append(said), see_starting=heard.append):
        kind = TUNE.TuneController
        assert issubclass(kind, _Controller)
        kind._update(1, ValueError())
        kind._see_starting({})
        assert len(heard) == 2
    assert TUNE.TuneController is TuneController


class Registry:
    """What Tune's registry does, and what it was asked."""

    def __init__(self) -> None:
        self.values: dict[tuple[str, str], Any] = {}
        self.asked: list[str] = []

    def register(self, category: str, key: str, value: Any) -> None:
        self.values[category, key] = value

    def contains(self, category: str, key: str) -> bool:
        self.asked.append("contains")
        return (category, key) in self.values

    def get(self, category: str, key: str) -> Any:
        self.asked.append("get")
        return self.values[category, key]


def test_a_trainable_is_asked_for_once_until_it_is_registered_again() -> None:
    known = Registry()
    with _remembering_trainables(known):
        assert not known.contains("trainable", "study")
        known.register("trainable", "study", "first")
        known.asked.clear()
        for _ in range(3):
            assert known.contains("trainable", "study")
            assert known.get("trainable", "study") == "first"
        assert known.asked == ["contains", "get"]
        known.register("trainable", "study", "second")
        assert known.get("trainable", "study") == "second"
    assert vars(known).keys() == {"values", "asked"}, "it is as before"


def test_tune_has_the_registry_that_is_patched() -> None:
    own = inspect.getsource(importlib.import_module("ray.tune.registry"))
    assert "return _global_registry.get(TRAINABLE_CLASS, trainable_name)" in own
    assert "return _global_registry.contains(TRAINABLE_CLASS, trainable_name)" in own


def test_tune_imports_no_trackers_to_count_its_callbacks() -> None:
    """It counts them in `ray.tune.run`, by this name, although usage statistics are off."""
    assert "air_usage.tag_callbacks(" in inspect.getsource(TUNE)
    own = usage.tag_callbacks
    with controlled(update=lambda *_: None, see_starting=lambda _: None):
        assert TUNE.air_usage.tag_callbacks([Callback()]) is False
        assert TUNE.air_usage.tag_callbacks is not own
    assert usage.tag_callbacks is own


def test_tunes_own_controller_is_back_after_a_failure() -> None:
    with pytest.raises(KeyError), controlled(update=lambda *_: None, see_starting=lambda _: None):
        raise KeyError
    assert TUNE.TuneController is TuneController


def test_a_run_in_a_run_gives_back_the_outer_controller() -> None:
    with controlled(update=lambda *_: None, see_starting=lambda _: None):
        outer = TUNE.TuneController
        with controlled(update=lambda *_: None, see_starting=lambda _: None):
            assert TUNE.TuneController is not outer
        assert TUNE.TuneController is outer
    assert TUNE.TuneController is TuneController


def test_a_worker_that_waits_for_its_place_is_not_starting(controller: Any) -> None:
    assert dict(controller._starting()) == {1: "actor that starts", 3: "actor that resets"}


def test_when_tune_fails_its_workers_are_ended_first(
    controller: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_: object) -> None:
        raise RuntimeError("of Tune's")

    killed: list[str] = []
    monkeypatch.setattr(TuneController, "step", fail)
    monkeypatch.setattr(ray, "kill", killed.append)
    with pytest.raises(RuntimeError, match="of Tune's"):
        controller.step()
    assert killed == ["actor that starts", "actor that works", "actor that resets"]


def test_what_ray_raised_is_heard_before_tune_tells_of_the_failure(
    controller: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    order: list[object] = []
    monkeypatch.setattr(TuneController, "_process_trial_failure", lambda *_: order.append("tune"))
    monkeypatch.setattr(_Controller, "_update", staticmethod(lambda *said: order.append(said)), raising=False)
    error = ValueError("no")
    controller._process_trial_failure(trial(7), error)
    assert order == [(7, error), "tune"]


def test_a_call_of_a_worker_has_the_name_of_its_trial(controller: Any) -> None:
    named = Trial(config={"trial_spec": SimpleNamespace(number=3), "title": "small trial 3, cell 1"})
    controller._actor_to_trial = {"one": named, "other": Trial(**vars(trial(7)))}
    assert controller._name_of("one", "train") == "small trial 3, cell 1: train to the next report"
    assert controller._name_of("one", "reset") == "small trial 3, cell 1: take it up"
    assert controller._name_of("other", "save") == "trial 7: save"
    assert controller._name_of("gone", "stop") == "no trial: end the worker"


def test_tunes_manager_is_cleared_by_its_constructor() -> None:
    """So that it has no argument that Tune does not know."""
    source = inspect.getsource(RayActorManager)
    assert "self.__init__(resource_manager=self._resource_manager)" in source
    resources: Any = SimpleNamespace(clear=lambda: None)
    manager: Any = _ActorManager(resource_manager=resources)
    manager.name_of = lambda tracked, method: f"{tracked}.{method}"
    manager.__init__(resource_manager=resources)
    assert manager.name_of("a", "train") == "a.train"
