"""How many workers a study may have now: what the cluster has room for, divided among the studies that share it."""

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

from studies.base.wording import counted
from studies.cluster import autoscaling, room
from studies.cluster.autoscaling import Autoscaler
from studies.cluster.room import Bundle, NodeRoom
from studies.database.rows import HeldStudy
from studies.run_log import run_events
from studies.search.progress import Progress

SECONDS_BETWEEN_LOOKS = 2.0
LOOKS_UNTIL_TOLD = 3
"""After so many looks at which nothing trains, a run says what it waits for: a worker's start takes some seconds."""
LOOKS_OF_PATIENCE = 15
"""After so many looks without a node being started, an autoscaler is taken to start none."""
SECONDS_TO_END = 0.5


def share(slots: int, *, place: int, num_studies: int) -> int:
    """Return how many of the cluster's slots a study has, the one at `place` (from 0) of those that share it.

    Each has an even part; what is left over goes to those that came first. None has fewer than one.

    >>> [share(8, place=place, num_studies=3) for place in range(3)]
    [3, 3, 2]
    """
    return max(1, slots // num_studies + (place < slots % num_studies))


@dataclass(frozen=True, kw_only=True)
class Place:
    """A study's place, from 0, among the `num_studies` that run on its cluster, by when their runs began."""

    place: int = 0
    num_studies: int = 1


def place_among(held: Sequence[HeldStudy], *, own: int, ray_cluster: str) -> Place:
    """Return the place of study `own` among those that run on `ray_cluster`; last while it is not yet recorded."""
    there = [each.id for each in held if run_events.joined_cluster(each.detail) == ray_cluster]
    if own not in there:
        there.append(own)
    return Place(place=there.index(own), num_studies=len(there))


@dataclass(frozen=True, kw_only=True)
class Sharing:
    """Which studies share a cluster: `held` asks the storage for those that run now, and may raise anything."""

    ray_cluster: str
    study_id: int
    held: Callable[[], Sequence[HeldStudy]]

    def place(self) -> Place:
        """Return the study's place among them."""
        return place_among(self.held(), own=self.study_id, ray_cluster=self.ray_cluster)


class Slots:
    """The number of workers that a study may have, which follows the cluster's nodes and the studies that share it.

    Calling it returns the number, at least 1, and never blocks: threads of their own ask Ray and the storage. While
    these do not answer, the last number holds.
    """

    def __init__(
        self,
        *,
        num_workers: int,
        asked: int | None,
        bundle: Bundle,
        nodes: Sequence[NodeRoom],
        sharing: Sharing | None,
        progress: Progress,
        look: Callable[[], Sequence[NodeRoom]] = room.look,
        find_autoscaler: Callable[[], Autoscaler | None] = autoscaling.find,
    ) -> None:
        """Start with `num_workers`; at most `asked` if that is given.

        `nodes` are those of a cluster that was joined, as they were then; without any, the number never changes.
        What the run waits for, and its share, are told through `progress`.
        """
        self._asked, self._bundle, self._sharing, self._progress = asked, bundle, sharing, progress
        self._look, self._find_autoscaler = look, find_autoscaler
        self._fitting, self._place, self._grows = num_workers, Place(), False
        self._looks_idle = self._looks_unstarted = 0
        self._is_joined = bool(nodes)
        self._is_taken = bool(nodes) and not room.free(nodes, bundle)
        self._is_at_work: Callable[[], bool] = lambda: bool(progress.running)
        self._taken = taken(nodes, bundle) if self._is_taken and room.fitting(nodes, bundle) else None
        self._tell(nodes, self._taken)

    def __call__(self) -> int:
        """Return how many workers the study may have now."""
        if not self._is_joined:
            return self._fitting
        place, fitting = self._place, max(1, self._fitting)
        if place.num_studies > 1:
            part = share(fitting, place=place.place, num_studies=place.num_studies)
            return part if self._asked is None else min(self._asked, part)
        if self._asked is None:
            return fitting
        # An autoscaler starts nodes for trials that wait; elsewhere these would only be chosen earlier than they run.
        return self._asked if self._grows else min(self._asked, fitting)

    @contextmanager
    def followed(self, is_at_work: Callable[[], bool]) -> Iterator[None]:
        """Follow the cluster and its studies meanwhile; `is_at_work` says whether any worker has its resources."""
        self._is_at_work = is_at_work
        with ExitStack() as stack:
            if self._is_joined:
                stack.enter_context(_repeating("room", self.see_room))
            if self._sharing is not None:
                stack.enter_context(_repeating("shares", self.see_studies))
            yield

    def see_studies(self) -> None:
        """Look once which studies share the cluster; keep what is known if the storage cannot tell."""
        if self._sharing is None:
            return
        try:
            self._place = self._sharing.place()
        except Exception:  # an outage, or whatever a damaged row of another study raises
            return
        self._tell_share()

    def see_room(self) -> None:
        """Look once what the nodes have room for, and what is waited for; keep what is known if Ray does not answer."""
        try:
            nodes = self._look()
            fitting = room.fitting(nodes, self._bundle)
            autoscaler = self._find_autoscaler() if fitting < (self._asked or 1) else None
        except Exception:  # whatever Ray raises while its head node is away
            return
        self._fitting = fitting
        self._grows = autoscaler is not None
        self._tell_share()
        self._tell(nodes, self._waits_for(nodes, autoscaler))

    def _tell(self, nodes: Sequence[NodeRoom], waits_for: str | None) -> None:
        told = [waits_for, room.unused_gpus(nodes, self._bundle)]
        self._progress.waiting = "; ".join(filter(None, told)) or None

    def _tell_share(self) -> None:
        place, told = self._place, None
        if place.num_studies > 1:
            slots = counted(max(1, self._fitting), "slot")
            told = f"{self()} of {slots}: {place.num_studies} studies share the cluster"
        self._progress.sharing = told

    def _waits_for(self, nodes: Sequence[NodeRoom], autoscaler: Autoscaler | None) -> str | None:
        """Return what the run waits for, if anything; called once a look."""
        is_idle = not self._is_at_work()
        self._looks_idle = self._looks_idle + 1 if is_idle else 0
        is_starting = autoscaler is not None and autoscaler.num_starting > 0
        self._looks_unstarted = 0 if autoscaler is None or is_starting else self._looks_unstarted + 1
        if not self._fitting:
            return self._without_room(nodes, autoscaler)
        is_told = self._is_taken or self._looks_idle >= LOOKS_UNTIL_TOLD
        self._is_taken = is_idle and is_told and not room.free(nodes, self._bundle)
        self._taken = (self._taken or taken(nodes, self._bundle)) if self._is_taken else None
        if self._taken is not None:
            return self._taken  # as it was first: a log would get a line for every change elsewhere
        if self._asked is not None and self._fitting < self._asked and self._place.num_studies == 1:
            return f"{self._fitting} of the {self._asked} workers asked for have room{self._more(autoscaler)}"
        return None

    def _without_room(self, nodes: Sequence[NodeRoom], autoscaler: Autoscaler | None) -> str:
        needs = f"no trial fits on any node now, as one takes {self._bundle}; {room.by_node(nodes, with_free=False)}"
        if autoscaler is None:
            return f"{needs}; waiting for a node that has room"
        if self._looks_unstarted > LOOKS_OF_PATIENCE:
            return (
                f"{needs}; the autoscaler starts no node for it: no node type of its configuration has as much, or its "
                "limit of nodes is reached. Raise these, or stop with Ctrl-C and give a lower --cpus-per-trial or "
                "--gpus-per-trial"
            )
        return f"{needs}; waiting for the autoscaler{_started(autoscaler)}"

    def _more(self, autoscaler: Autoscaler | None) -> str:
        if autoscaler is None:
            return "; others are used as soon as nodes join"
        if self._looks_unstarted > LOOKS_OF_PATIENCE:
            return "; the autoscaler starts no more nodes: its limit of nodes is reached, or no node type has room"
        return f"; waiting for the autoscaler{_started(autoscaler)}"


def taken(nodes: Sequence[NodeRoom], bundle: Bundle) -> str:
    """Return that every node is taken by other work, and what a trial waits for."""
    return (
        f"waiting for room: other work has taken the nodes on which a trial fits, which takes {bundle}; "
        f"{room.by_node(nodes)}; training begins as soon as enough is free"
    )


def _started(autoscaler: Autoscaler) -> str:
    if not autoscaler.num_starting:
        return " to start a node"
    return f", which starts {counted(autoscaler.num_starting, 'node')}"


@contextmanager
def _repeating(name: str, action: Callable[[], None]) -> Iterator[None]:
    """Repeat `action` in a thread of its own, as it may hang."""
    over = threading.Event()

    def repeat() -> None:
        while not over.is_set():
            action()
            over.wait(SECONDS_BETWEEN_LOOKS)

    thread = threading.Thread(target=repeat, name=name, daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join(SECONDS_TO_END)
