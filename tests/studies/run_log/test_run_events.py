"""What each run was and took, added up over all of them."""

from typing import Any

from studies.base.states import StudyState
from studies.database.rows import StudyRow
from studies.database.store import Store
from studies.run_log import run_events


def seconds(value: float) -> dict[str, float]:
    return {"wall": value, "busy": 2 * value, "recording": value / 10, "startup": value / 2}


def test_seconds_add_up_and_the_first_startup_counts(store: Store, begun: StudyRow) -> None:
    before = run_events.total_seconds(store.events(begun.id))
    assert set(before) == {"wall", "busy", "recording", "startup"}
    for value in (10.0, 4.0):
        run_events.note_end(store, begun.id, state=StudyState.INTERRUPTED, looks=1, seconds=seconds(value))
    totals = run_events.total_seconds(store.events(begun.id))
    assert totals == {"wall": 14.0, "busy": 28.0, "recording": 1.4, "startup": 5.0}


def test_the_share_of_measuring_is_of_the_runs_that_tell_it(store: Store, begun: StudyRow) -> None:
    assert run_events.measuring_share(store.events(begun.id)) is None
    for value, measuring in ((10.0, None), (4.0, 1.0), (1.0, 0.5)):
        known = seconds(value) | ({} if measuring is None else {"measuring": measuring})
        run_events.note_end(store, begun.id, state=StudyState.INTERRUPTED, looks=1, seconds=known)
    assert run_events.measuring_share(store.events(begun.id)) == 1.5 / 10.0


def test_a_start_knows_its_workers_once_it_has_them(store: Store, begun: StudyRow) -> None:
    num_before = len(run_events.started_with(store.events(begun.id)))
    run_events.note_start(store, begun.id, {"command": "first"})
    run_events.note_start(store, begun.id, {"command": "second"})
    run_events.note_cluster(store, begun.id, workers=2, threads=1)
    assert run_events.started_with(store.events(begun.id))[num_before:] == [
        {"command": "first"},
        {"command": "second", "workers": 2, "threads_per_worker": 1},
    ]


def test_a_cluster_is_noted_whatever_its_nodes_answered(store: Store, begun: StudyRow) -> None:
    run_events.note_start(store, begun.id, {})
    answered = {"host": "a", "python": "3.11.7", "versions": {"ray": "2.60.0"}}
    under_another_name = {"host": "b", "python": "3.11.7", "versions": {"ray": None}}
    nodes: list[dict[str, Any]] = [answered, under_another_name, {"host": "c"}]
    run_events.note_cluster(store, begun.id, workers=2, threads=1, nodes=nodes)
    (*_, start) = run_events.started_with(store.events(begun.id))
    assert start["cluster"]["nodes"] == 3
    assert start["cluster"]["ray"] == ["2.60.0", "unknown"]


def test_looks_are_done_when_a_run_completed_them(store: Store, begun: StudyRow) -> None:
    assert run_events.looks_done(store.events(begun.id)) == 0
    run_events.note_end(store, begun.id, state=StudyState.COMPLETE, looks=1, seconds=seconds(1))
    run_events.note_end(store, begun.id, state=StudyState.INTERRUPTED, looks=2, seconds=seconds(1))
    assert run_events.looks_done(store.events(begun.id)) == 1
