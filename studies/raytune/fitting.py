"""Tune's loop in a thread of its own, so that a run ends in time even where Ray never answers."""

import threading
from collections.abc import Callable

from studies.base.stopwatch import Stopwatch

MAX_SECONDS_TO_END = 5.0
"""How long Tune may take to stop its trials and end, before it is left behind."""
SECONDS_BETWEEN_LOOKS = 0.05


def fit(
    work: Callable[[], object],
    *,
    should_stop: Callable[[], bool],
    is_lost: Callable[[], bool],
    max_seconds: float = MAX_SECONDS_TO_END,
) -> bool:
    """Do `work`, Tune's loop, and raise what it raised; return whether it ended.

    It is left behind as soon as Ray `is_lost`, and where it should have stopped `max_seconds` ago: in Ray's calls no
    signal is heard and no exception arrives. The thread then goes on, as far as Ray lets it, until the process ends.
    """
    raised: list[BaseException] = []

    def run() -> None:
        try:
            work()
        except BaseException as error:
            raised.append(error)

    thread = threading.Thread(target=run, name="tune", daemon=True)
    thread.start()
    stopping: Stopwatch | None = None
    while thread.is_alive():
        thread.join(SECONDS_BETWEEN_LOOKS)
        if is_lost():
            return False
        if stopping is None and should_stop():
            stopping = Stopwatch()
        if stopping is not None and stopping.look() > max_seconds:
            return False
    if raised:
        raise raised[0]
    return True
