"""Waiting for what another thread or process does."""

import time
from collections.abc import Callable

SECONDS = 30.0
"""How long anything may take on a machine with much else to do."""


def wait_until(condition: Callable[[], object]) -> None:
    deadline = time.monotonic() + SECONDS
    while not condition():
        assert time.monotonic() < deadline, "nothing happened"
        time.sleep(0.01)
