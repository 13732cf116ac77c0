"""Leaving Ray while other threads may still drop what they hold of it."""

import sys
import threading
import time
from pathlib import Path
from types import FrameType
from typing import Any, Final, final

import ray
from ray._private import worker

WORKER: Any = worker.global_worker
"""This process in Ray's terms; its core worker is set and removed without a declaration."""
MAX_SECONDS_UNDER_WAY: Final = 1.0
"""How long calls that are under way in other threads are waited for; one that only waits may never end, and is safe."""
CALLING: Final = frozenset(
    str(Path(ray.__file__).parent / name) for name in ("actor.py", "remote_function.py", "_private/worker.py")
)
"""Ray's files whose functions call the core worker."""


def leave_ray() -> None:
    """Call ray.shutdown, during which any thread may drop references to Ray's objects.

    Ray's shutdown ends the core worker first and takes it away from Python afterwards. A reference that is dropped in
    between, as by the garbage collector in whatever thread, finds one that has ended, and Ray then ends the process at
    once ("The core worker has already been shutdown. ... The process will exit"). So it is taken away first.

    A call that is under way in another thread, as of Tune that was left behind while it starts a worker, has it in hand
    already and asks it several times: such calls are waited for.
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
        deadline = time.monotonic() + MAX_SECONDS_UNDER_WAY
        while _is_called() and time.monotonic() < deadline:
            time.sleep(0.005)
        self._core_worker.shutdown_driver()


def _is_called() -> bool:
    """Return whether another thread is in a function of Ray's that calls the core worker."""
    frames, own = sys._current_frames(), threading.get_ident()
    return any(_is_within(frame) for thread, frame in frames.items() if thread != own)


def _is_within(frame: FrameType | None) -> bool:
    while frame is not None:
        if frame.f_code.co_filename in CALLING:
            return True
        frame = frame.f_back
    return False


@final
class _EndedCoreWorker:
    """Stands where Ray's core worker was, until its shutdown removes it: there is nothing to count references in."""

    def remove_object_ref_reference(self, reference: object) -> None:
        """Do nothing."""

    def remove_actor_handle_reference(self, actor_id: object) -> None:
        """Do nothing."""
