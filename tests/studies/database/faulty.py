"""Writes that fail when a test says so: before they do anything, or after they were committed."""

import threading
from collections.abc import Callable
from typing import Any

import pytest

from studies.database.engines.problems import OutageError
from studies.database.store import Store

METHODS = ("add_trial", "start_trial", "record_result", "add_event", "set_study_state")


class Fault:
    """What happens to every write, in any store, until told otherwise."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Let everything work."""
        self.error: Exception | None = None
        self.comes_after_the_commit = False
        self.num_calls = 0
        self._num_good = self._times_left = 0
        self._may_go_on = threading.Event()
        self._may_go_on.set()
        for name in METHODS:
            monkeypatch.setattr(Store, name, self._disturbed(getattr(Store, name)))

    def begin(
        self,
        error: Exception | None = None,
        *,
        comes_after_the_commit: bool = False,
        after: int = 0,
        times: int = 10**9,
    ) -> None:
        """Let the next writes fail, but for the first few."""
        self._num_good, self._times_left = after, times
        self.error = error or OutageError("the storage is out: nobody answers", "Start the server.")
        self.comes_after_the_commit = comes_after_the_commit

    def hang(self) -> None:
        """Let every write wait until the fault ends."""
        self._may_go_on.clear()

    def end(self) -> None:
        """Let everything work again."""
        self.error = None
        self._may_go_on.set()

    def _disturbed(self, method: Callable[..., Any]) -> Callable[..., Any]:
        def call(*arguments: Any, **named: Any) -> Any:
            self.num_calls += 1
            self._may_go_on.wait()
            error = self.error if self._num_good <= 0 < self._times_left else None
            self._num_good, self._times_left = self._num_good - 1, self._times_left - (error is not None)
            if error is None or self.comes_after_the_commit:
                method(*arguments, **named)
            if error is not None:
                raise error

        return call
