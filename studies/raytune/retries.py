"""How often a trial is trained again after its worker was lost, and what it has failed of after that."""

from collections import Counter
from typing import Final, final

from studies.raytune.lost_worker import Loss

MAX_LOST_WORKERS: Final = 3
"""A trial is started again after at most this many lost workers."""
MAX_LOST_NODES: Final = 10
"""A trial is started again after at most this many lost nodes in a row, between which it gets no further."""


@final
class Retries:
    """Counts the workers that each trial has lost, and decides whether the trial is to blame.

    A worker that was lost with its node is not the trial's fault: where nodes come and go, as machines that a cloud
    takes back do, a long trial loses any number. Only one that brings nodes down itself, as by taking all their memory,
    never gets further than before until the next is lost: that one has failed after MAX_LOST_NODES.
    """

    def __init__(
        self, *, max_lost_workers: int = MAX_LOST_WORKERS, max_lost_nodes: int = MAX_LOST_NODES
    ) -> None:
        """Start a trial again after at most so many losses."""
        self._max_lost_workers, self._max_lost_nodes = max_lost_workers, max_lost_nodes
        self._lost_workers, self._lost_nodes = Counter[int](), Counter[int]()
        self._furthest = Counter[int]()
        """The last epoch that a trial has reported in any attempt of this run."""
        self._vanished_after: dict[int, int] = {}
        """The last epoch that a trial had reported when its process vanished."""

    def note_report(self, number: int, epoch: int) -> None:
        """Note a trial's report after `epoch`: it has got on if no attempt has reported that epoch before."""
        if epoch > self._furthest[number]:
            self._furthest[number] = epoch
            self._lost_nodes.pop(number, None)

    def blame(self, number: int, loss: Loss, *, epoch: int) -> str | None:
        """Count a lost worker; return what the trial has failed of, None if it is to be trained again.

        `epoch` is the last one that this attempt has reported, 0 if there is none.
        """
        if loss.node is not None:
            return self._blame_for_node(number, loss)
        self._lost_workers[number] += 1
        times = self._lost_workers[number]
        if self._ends_its_worker(number, loss, epoch):
            return (
                f"the worker was lost {times} times, twice after epoch {epoch} and "
                "without an error: something in this trial ends its process, such as os._exit(), a crash in a "
                f"library's own code, or memory that the system takes back\n{loss.full}"
            )
        if times > self._max_lost_workers:
            return f"the worker was lost {times} times; the last time:\n{loss.full}"
        return None

    def _blame_for_node(self, number: int, loss: Loss) -> str | None:
        self._lost_nodes[number] += 1
        times = self._lost_nodes[number]
        if times <= self._max_lost_nodes:
            return None
        return (
            f"{times} nodes in a row were lost under this trial, and it got no further than epoch "
            f"{self._furthest[number]}: it may take more memory than they have, or they are taken back before it gets "
            "on. Use a smaller width, depth or batch_size, or nodes that live longer; the last time:\n"
            f"{loss.full}"
        )

    def _ends_its_worker(self, number: int, loss: Loss, epoch: int) -> bool:
        """Return whether a trial's process vanished after the same epoch as before, so that the trial is the cause."""
        if not loss.has_vanished:
            return False
        is_again = self._vanished_after.get(number) == epoch
        self._vanished_after[number] = epoch
        return is_again
