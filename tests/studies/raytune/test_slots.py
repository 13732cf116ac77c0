"""How many workers a study may have: what fits on the nodes, divided among the studies that share them."""

import json
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from studies.base.errors import StudiesError
from studies.base.states import Phase
from studies.cluster.autoscaling import Autoscaler
from studies.cluster.room import Bundle, NodeRoom
from studies.database.rows import HeldStudy
from studies.raytune.slots import LOOKS_OF_PATIENCE, LOOKS_UNTIL_TOLD, Sharing, Slots, place_among, share
from studies.search.progress import Progress
from tests.studies.cluster.test_room import node

HERE = "a" * 56
ONE_CPU = Bundle(cpus=1)


def held(number: int, cluster: str | None = HERE) -> HeldStudy:
    detail = (
        None
        if cluster is None
        else json.dumps({"workers": 2, "threads_per_worker": 1, "ray_cluster": cluster})
    )
    return HeldStudy(id=number, since=datetime(2030, 1, 1, tzinfo=UTC), detail=detail)


def progress() -> Progress:
    return Progress(planned=dict.fromkeys(Phase, 1), planned_networks=1, expected_network_epochs=1.0)


class World:
    """A cluster's nodes, its autoscaler and its studies, and the slots of study 1 there."""

    def __init__(self, *nodes: NodeRoom, asked: int | None = None, takes: Bundle = ONE_CPU) -> None:
        self.nodes: Sequence[NodeRoom] = nodes
        self.autoscaler: Autoscaler | None = None
        self.studies: Sequence[HeldStudy] = [held(1)]
        self.is_out = self.is_at_work = False
        self.outage: Exception = StudiesError("away", "wait")
        self.progress = progress()
        self.slots = Slots(
            num_workers=sum(takes.fitting(each.cpus, each.gpus) for each in nodes),
            asked=asked,
            bundle=takes,
            nodes=nodes,
            sharing=Sharing(ray_cluster=HERE, study_id=1, held=self._held),
            progress=self.progress,
            look=self._look,
            find_autoscaler=lambda: self.autoscaler,
        )
        self.slots._is_at_work = lambda: self.is_at_work

    def _look(self) -> Sequence[NodeRoom]:
        if self.is_out:
            raise ConnectionError("the head node is away")
        return self.nodes

    def _held(self) -> Sequence[HeldStudy]:
        if self.is_out:
            raise self.outage
        return self.studies

    def look(self, times: int = 1) -> int:
        for _ in range(times):
            self.slots.see_room()
            self.slots.see_studies()
        return self.slots()


@given(slots=st.integers(0, 200), num_studies=st.integers(1, 30))
def test_shares_are_even_leave_nothing_over_and_are_never_nothing(slots: int, num_studies: int) -> None:
    shares = [share(slots, place=place, num_studies=num_studies) for place in range(num_studies)]
    assert shares == sorted(shares, reverse=True), "what is left over goes to those that came first"
    assert max(shares) - min(shares) <= 1
    assert min(shares) >= 1
    assert sum(shares) == max(slots, num_studies)


def test_only_studies_on_the_same_cluster_share_it() -> None:
    there = [held(7), held(3, "b" * 56), held(4, None), held(1), held(9)]
    found = place_among(there, own=1, ray_cluster=HERE)
    assert (found.place, found.num_studies) == (1, 3)
    unrecorded = place_among(there, own=2, ray_cluster=HERE)
    assert (unrecorded.place, unrecorded.num_studies) == (3, 4), "its own event may be on the way"


@pytest.mark.parametrize("detail", ["", "{", "[]", "null", '{"ray_cluster": 3}', '"text"'])
def test_a_strange_event_is_no_study_on_the_cluster(detail: str) -> None:
    strange = HeldStudy(id=2, since=datetime(2030, 1, 1, tzinfo=UTC), detail=detail)
    assert place_among([strange, held(1)], own=1, ray_cluster=HERE).num_studies == 1


def test_a_study_alone_has_what_fits_and_follows_nodes_that_join_and_leave() -> None:
    world = World(node(), node())
    assert world.slots() == world.look() == 2
    world.nodes = [node(), node(), node(cpus=3)]
    assert world.look() == 5
    world.nodes = [node()]
    assert world.look() == 1
    world.nodes = []
    assert world.look() == 1, "one trial waits for a node"
    assert world.progress.sharing is None


def test_as_many_as_asked_for_at_most() -> None:
    world = World(node(cpus=4), asked=3)
    assert world.look() == 3
    world.nodes = [node(cpus=2)]
    world.is_at_work = True
    assert world.look() == 2
    assert world.progress.waiting == (
        "2 of the 3 workers asked for have room; others are used as soon as nodes join"
    )
    world.nodes = [node(cpus=2), node(cpus=4)]
    assert world.look() == 3
    assert world.progress.waiting is None


def test_studies_share_and_a_share_grows_when_another_ends() -> None:
    world = World(node(cpus=3), node(cpus=3))
    world.studies = [held(1), held(2), held(3)]
    assert world.look() == 2
    assert world.progress.told_note == "2 of 6 slots: 3 studies share the cluster"
    world.studies = [held(1), held(3)]
    assert world.look() == 3
    world.studies = [held(1)]
    assert world.look() == 6
    assert world.progress.told_note is None


def test_each_study_counts_in_its_own_bundles() -> None:
    world = World(node(cpus=4), node(cpus=4), takes=Bundle(cpus=2))
    world.studies = [held(1), held(2)]
    assert world.look() == 2


@pytest.mark.parametrize(
    "outage", [StudiesError("away", "wait"), ValueError("a damaged row of another study")]
)
def test_a_share_is_kept_while_neither_storage_nor_ray_answers(outage: Exception) -> None:
    world = World(node(cpus=6))
    world.outage = outage
    world.studies = [held(1), held(2)]
    assert world.look() == 3
    world.is_out, world.studies, world.nodes = True, [held(1)], [node(cpus=6)] * 2
    assert world.look(5) == 3
    world.nodes = [node(cpus=6)]
    world.is_out = False
    assert world.look() == 6


def test_a_cluster_taken_by_other_work_is_told_at_once_and_until_a_worker_is_there() -> None:
    world = World(node(cpus=2, free_cpus=0))
    assert str(world.progress.waiting).startswith("waiting for room: other work has taken the nodes")
    assert "here (Ray node 0123abcdef) has 2 CPU (0 free)" in str(world.progress.waiting)
    world.look()
    assert world.progress.waiting is not None
    world.is_at_work = True
    world.look()
    assert world.progress.waiting is None


def test_a_start_that_takes_a_moment_is_not_taken_for_waiting() -> None:
    world = World(node(cpus=2))
    world.nodes = [node(cpus=2, free_cpus=0)]  # the trials' own placement groups, say
    world.look(LOOKS_UNTIL_TOLD - 1)
    assert world.progress.waiting is None
    world.look()
    assert world.progress.waiting is not None


def test_with_an_autoscaler_what_is_asked_for_is_handed_out_so_that_it_starts_nodes() -> None:
    world = World(node(), asked=4)
    world.is_at_work, world.autoscaler = True, Autoscaler(num_starting=2)
    assert world.look() == 4
    assert world.progress.waiting == (
        "1 of the 4 workers asked for have room; waiting for the autoscaler, which starts 2 nodes"
    )
    world.autoscaler = Autoscaler(num_starting=0)
    world.look(LOOKS_OF_PATIENCE + 1)
    assert "starts no more nodes" in str(world.progress.waiting)


def test_where_an_autoscaler_starts_nothing_for_a_trial_that_fits_nowhere_this_is_told() -> None:
    world = World(node(cpus=0), takes=Bundle(cpus=1, gpus=8))
    world.autoscaler = Autoscaler(num_starting=0)
    assert world.look() == 1
    assert str(world.progress.waiting).endswith("waiting for the autoscaler to start a node")
    world.autoscaler = Autoscaler(num_starting=1)
    world.look(LOOKS_OF_PATIENCE + 1)
    assert str(world.progress.waiting).endswith("which starts 1 node")
    world.autoscaler = Autoscaler(num_starting=0)
    world.look(LOOKS_OF_PATIENCE + 1)
    assert "the autoscaler starts no node for it" in str(world.progress.waiting)
    assert "lower --cpus-per-trial or --gpus-per-trial" in str(world.progress.waiting)


def test_without_a_joined_cluster_the_number_is_fixed() -> None:
    def never() -> Any:
        raise AssertionError("nobody is asked")

    look: Callable[[], Any] = never
    slots = Slots(
        num_workers=4,
        asked=4,
        bundle=Bundle(cpus=1),
        nodes=(),
        sharing=None,
        progress=progress(),
        look=look,
        find_autoscaler=look,
    )
    with slots.followed(lambda: True):
        assert slots() == 4
