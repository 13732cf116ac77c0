"""Leaving Ray while other threads may still drop what they hold of it."""

from typing import Any, final

import ray
from ray._private import worker

WORKER: Any = worker.global_worker
"""This process in Ray's terms; its core worker is set and removed without a declaration."""


def leave_ray() -> None:
    """Call ray.shutdown, during which any thread may drop references to Ray's objects.

    Ray's shutdown ends the core worker first and takes it away from Python afterwards. A reference that is dropped in
    between, as by the garbage collector in whatever thread, finds one that has ended, and Ray then ends the process at
    once ("The core worker has already been shutdown. ... The process will exit"). So it is taken away first.
    """
    core_worker = getattr(WORKER, "core_worker", None)
    if core_worker is not None:
        WORKER.core_worker = _EndingCoreWorker(core_worker)
    ray.shutdown()


@final
class _EndingCoreWorker:
    """Ray's core worker, until it is asked to end."""

    def __init__(self, core_worker: Any) -> None:
        self._core_worker = core_worker

    def __getattr__(self, name: str) -> Any:
        return getattr(self._core_worker, name)

    def shutdown_driver(self) -> None:
        """End the core worker, which nobody finds from here on."""
        WORKER.core_worker = _EndedCoreWorker()
        self._core_worker.shutdown_driver()


@final
class _EndedCoreWorker:
    """Stands where Ray's core worker was, until its shutdown removes it: there is nothing to count references in."""

    def remove_object_ref_reference(self, reference: object) -> None:
        """Do nothing."""

    def remove_actor_handle_reference(self, actor_id: object) -> None:
        """Do nothing."""
