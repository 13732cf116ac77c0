"""Ray on its way while a run loads its data: started ahead where it will be needed, and gone once it is not."""

from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Self

from studies.base.stop_signal import never_broken_off
from studies.cluster.address import check_address
from studies.planning.resources import Resources

if TYPE_CHECKING:
    from studies.cluster.cluster import Cluster


class Starting:
    """Ray's start in the background, ahead of its use or with it; leaving ends what has started, however far it is."""

    def __init__(self, resources: Resources, *, last_words: str) -> None:
        """Start nothing yet; should this process be killed later on, another one says `last_words`."""
        self._resources, self._last_words = resources, last_words
        self._stack = ExitStack()
        self._future: Future[Cluster] | None = None
        self._is_checked = False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        with never_broken_off():
            self._stack.close()

    def check(self) -> None:
        """Raise StudiesError where Ray is to be joined at an address and nothing there can be, or has turned out to."""
        if self._future is None and self._resources.address is not None and not self._is_checked:
            check_address(self._resources.address)
            self._is_checked = True
        if self._future is not None and self._future.done():
            self._future.result()

    def begin(self) -> "Future[Cluster]":
        """Start or join Ray now, if that has not begun; return what becomes the cluster."""
        self.check()
        if self._future is None:
            # At its call, because all but training does without it.
            from studies.cluster.cluster import starting_cluster

            started = starting_cluster(self._resources, last_words=self._last_words)
            with never_broken_off():
                self._future = self._stack.enter_context(started)
        return self._future

    @contextmanager
    def cluster(self) -> "Iterator[Future[Cluster]]":
        """Yield what becomes the cluster, and shut that down in the end."""
        with self._stack:
            yield self.begin()
