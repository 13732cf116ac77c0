"""Tune's loop in a thread: waited for, and left behind where it hangs."""

import threading
import time
from collections.abc import Iterator

import pytest

from studies.raytune.experiment import fit


@pytest.fixture
def hang() -> Iterator[threading.Event]:
    """An event that hanging work waits for; it is set in the end."""
    event = threading.Event()
    yield event
    event.set()


def test_work_is_waited_for() -> None:
    done = []

    def work() -> None:
        time.sleep(0.2)
        done.append("work")

    assert fit(work, should_stop=lambda: False, is_lost=lambda: False)
    assert done == ["work"]


def test_what_work_raises_is_raised() -> None:
    def fail() -> None:
        raise ZeroDivisionError("no such luck")

    with pytest.raises(ZeroDivisionError, match="no such luck"):
        fit(fail, should_stop=lambda: False, is_lost=lambda: False)


def test_work_that_stops_when_asked_is_waited_for(hang: threading.Event) -> None:
    def should_stop() -> bool:
        hang.set()
        return True

    assert fit(hang.wait, should_stop=should_stop, is_lost=lambda: False, max_seconds=60.0)


def test_work_that_does_not_stop_is_left_behind(hang: threading.Event) -> None:
    begun = time.monotonic()
    assert not fit(hang.wait, should_stop=lambda: True, is_lost=lambda: False, max_seconds=0.2)
    assert time.monotonic() - begun < 10


def test_work_on_a_lost_ray_is_left_behind_at_once(hang: threading.Event) -> None:
    begun = time.monotonic()
    assert not fit(hang.wait, should_stop=lambda: False, is_lost=lambda: True, max_seconds=60.0)
    assert time.monotonic() - begun < 10
