"""What Ray raises: each of its errors is decided, taken by Tune for a lost worker, and told in two lines."""

from types import SimpleNamespace
from typing import Any

import pytest
import ray
from ray import exceptions
from ray.air.execution._internal.tracked_actor import TrackedActor
from ray.air.execution._internal.tracked_actor_task import TrackedActorTask
from ray.exceptions import OutOfMemoryError, RayActorError, RayError, RayTaskError

from studies.base.wording import error_line
from studies.cluster.nodes import Node
from studies.raytune.controller import _ActorManager
from studies.raytune.lost_worker import CAUSES, MAX_CHARACTERS, Treatment, as_lost_actor, loss_of

KINDS = sorted(CAUSES, key=lambda kind: kind.__name__)
OF_MEMORY = """1 worker(s) were killed due to the node running low on memory. Memory on the node was 22GB / 23GB (0.95)
OOM kill reason: Memory usage 22GB exceeded threshold of 22GB
Object store memory usage: [- objects spillable: 4
- bytes spillable: 504609
]
Top 10 memory users: PID\tMEM(GB)\tCOMMAND
12092\t20.50\tsomebody else's
"""
DIED = """The actor died unexpectedly before finishing this task.
\tclass_name: small
\tactor_id: 1234
The actor is dead because its worker process has died. Worker exit type: SYSTEM_ERROR
"""
IN_ITS_START = """The actor died because of an error in its creation task, \x1b[36mray::s.__init__()\x1b[39m (pid=1)
  File "trial.py", line 1, in setup
    import torch
ImportError: no torch
"""


def out_of_memory(said: str) -> RayError:
    """Return what Ray raises of a worker that it has killed."""
    return OutOfMemoryError(said)  # type: ignore[no-untyped-call]


def made(kind: type[RayError]) -> RayError:
    """Return an error of a kind, as Ray makes it."""
    match kind.__name__:
        case "RayTaskError":
            return RayTaskError("step", "Traceback ...", ValueError("no"))  # type: ignore[no-untyped-call]
        case "ActorUnavailableError":
            return exceptions.ActorUnavailableError("no answer", None)
        case "TaskCancelledError":
            return exceptions.TaskCancelledError(error_message="cancelled")
        case "RayActorError":
            return RayActorError(error_msg="lost")
        case "ActorDiedError":
            return exceptions.ActorDiedError()
        case "CrossLanguageError":
            return exceptions.CrossLanguageError(
                SimpleNamespace(formatted_exception_string="lost", language=0)  # type: ignore[no-untyped-call]
            )
        case "ObjectReconstructionFailedError":
            return exceptions.ObjectReconstructionFailedError("ab")
    if issubclass(kind, exceptions.ObjectLostError):
        return kind("ab", None, "somewhere")
    return kind() if kind is exceptions.LocalRayletDiedError else kind("lost")


def handed_over(error: Exception) -> list[tuple[str, Exception]]:
    """Return what Tune's controller is told when a task in an actor comes to `error`."""
    told: list[tuple[str, Exception]] = []
    made_up: Any = object()
    resources: Any = SimpleNamespace(free_resources=lambda acquired_resource: None)
    manager = _ActorManager(resource_manager=resources)
    actor = TrackedActor(1, on_error=lambda _, error: told.append(("actor", error)))
    manager._live_actors_to_ray_actors_resources[actor] = made_up, made_up
    task = TrackedActorTask(actor, on_error=lambda _, error: told.append(("task", error)))
    manager._actor_task_failed(task, error)
    return told


def test_every_error_of_rays_is_decided() -> None:
    """A version of Ray that brings another one wants a decision."""
    known = {
        kind for kind in vars(exceptions).values() if isinstance(kind, type) and issubclass(kind, RayError)
    }
    assert set(CAUSES) == known


@pytest.mark.parametrize("kind", KINDS)
def test_whatever_ray_raises_of_a_worker_is_taken_for_its_loss(kind: type[RayError]) -> None:
    error = made(kind)
    told = handed_over(error)
    is_of_task = isinstance(error, RayTaskError) and not isinstance(error, RayActorError)
    assert [what for what, _ in told] == (["task"] if is_of_task else ["actor", "task"])
    assert all(isinstance(said, RayActorError | RayTaskError) for _, said in told)
    loss = loss_of(told[-1][1])
    assert loss == loss_of(error)
    assert loss.words.startswith(f"{CAUSES[kind].meaning}: ")
    assert len(loss.words.splitlines()) <= 2
    assert loss.treatment is (Treatment.SMALLER if kind is OutOfMemoryError else Treatment.AGAIN)


def test_an_error_that_is_not_rays_is_a_lost_worker_too() -> None:
    """An answer that cannot be read, for one."""
    told = handed_over(EOFError("Ran out of input"))
    assert [what for what, _ in told] == ["actor", "task"]
    assert loss_of(told[-1][1]).words == "Ray failed: Ran out of input"
    assert loss_of(KeyError()).words == "Ray failed: KeyError"


def test_what_a_helper_was_lost_to_is_what_counts() -> None:
    kind: Any = RayTaskError
    in_worker = kind("step", "Traceback ...", out_of_memory(OF_MEMORY)).as_instanceof_cause()
    assert loss_of(in_worker).treatment is Treatment.SMALLER
    assert loss_of(in_worker).words.startswith("memory ran low on its machine: 1 worker(s)")


def test_of_rays_many_words_two_lines_are_told() -> None:
    memory = loss_of(out_of_memory(OF_MEMORY))
    assert memory.words == "memory ran low on its machine: " + "\n".join(OF_MEMORY.splitlines()[:2])
    assert memory.full.startswith(f"{memory.words}. Use fewer --workers")
    assert error_line(f"the worker was lost 4 times; the last time:\n{memory.full}").startswith(
        "the worker was lost 4 times; the last time: OOM kill reason: Memory usage 22GB exceeded threshold of 22GB. "
        "Use "
    )
    died = loss_of(RayActorError(error_msg=DIED))
    assert died.words.splitlines() == [
        "its process ended: The actor died unexpectedly before finishing this task.",
        "The actor is dead because its worker process has died. Worker exit type: SYSTEM_ERROR",
    ]
    long = loss_of(out_of_memory("x" * 5000))
    assert len(long.full) < MAX_CHARACTERS + 200


def test_of_a_traceback_the_whole_is_kept() -> None:
    loss = loss_of(RayActorError(error_msg=IN_ITS_START))
    first, last = loss.words.splitlines()
    assert first.endswith("an error in its creation task, ray::s.__init__() (pid=1)")
    assert last == "ImportError: no torch"
    assert 'File "trial.py", line 1, in setup' in loss.full
    of_tune = loss_of(
        ray.tune.TuneError('Traceback (most recent call last):\n  File "a.py"\nValueError: no\n')
    )
    assert of_tune.words == "Ray failed: ValueError: no"


def test_a_worker_that_was_lost_with_its_node_is_told_with_it() -> None:
    node = Node(node_id="a" * 56, address="10.0.0.3", host="gpu-7")
    vanished = loss_of(RayActorError(actor_id="0a", error_msg=DIED))
    assert (vanished.has_vanished, vanished.actor_id) == (True, "0a")
    assert loss_of(as_lost_actor(made(exceptions.NodeDiedError))).actor_id is None
    loss = vanished.with_node(node)
    assert loss.words == f"its node was lost, 10.0.0.3 (host gpu-7, Ray node {'a' * 12}): {vanished.words}"
    assert (loss.has_vanished, loss.treatment, loss.node) == (False, Treatment.AGAIN, node)
    assert loss_of(out_of_memory(OF_MEMORY)).with_node(node).treatment is Treatment.AGAIN
