"""The contract of the lease, the same for SQLite and PostgreSQL: one run at a time writes a study."""

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from itertools import count
from typing import Any

import pytest

from studies.base.errors import HeldError, StudiesError
from studies.base.states import StudyState
from studies.database import lease
from studies.database.results import Artifact
from studies.database.rows import LeaseRow, StudyRow
from studies.database.store import Store
from tests.studies.database.recorded import add_trial, at_end, at_rung, contents, new_study, start
from tests.studies.database.waiting import SECONDS, wait_until

pytestmark = pytest.mark.usefixtures("quick_to_let_go")


WRITES: list[Callable[[Store, StudyRow], object]] = [
    lambda store, study: store.set_study_state(study.id, StudyState.COMPLETE),
    lambda store, study: add_trial(store, study, 2),
    start,
    lambda store, study: store.record_result(study.id, 1, at_rung(1, [0, 1])),
    lambda store, study: store.record_result(study.id, 1, at_end(1, [1])),
    lambda store, study: store.add_event(study.id, "note", None, "x"),
    lambda store, study: store.add_artifact(study.id, Artifact(path="a", sha256="0", num_bytes=1)),
    lambda store, study: store.delete_study(study.id),
]


@contextmanager
def holding(url: str) -> Iterator[subprocess.Popen[str]]:
    """Start a driver that tries to hold the study, and leave nothing of it."""
    command = [sys.executable, "-m", "tests.studies.database.holder", url, "depth_study"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as driver:
        try:
            yield driver
        finally:
            driver.kill()


def heard(driver: subprocess.Popen[str]) -> str:
    assert driver.stdout is not None
    return driver.stdout.readline().strip()


def tell(driver: subprocess.Popen[str], line: str) -> None:
    assert driver.stdin is not None
    driver.stdin.write(f"{line}\n")
    driver.stdin.flush()


class TestLease:
    """What two drivers that know nothing of each other rely on."""

    def test_a_second_one_is_told_who_holds_the_study(
        self, store: Store, study: StudyRow, other: Store
    ) -> None:
        before = datetime.now(UTC)
        with store.hold(study.id):
            with pytest.raises(HeldError) as caught, other.hold(study.id):
                pytest.fail("two hold it")
            holder = other.holder(study.id)
        assert holder is not None
        assert (holder.host, holder.process) == (socket.gethostname(), os.getpid())
        assert before <= holder.since <= datetime.now(UTC)
        assert caught.value.exit_code == 3
        assert caught.value.message == (
            f"study depth_study is held by another run: process {os.getpid()} on {socket.gethostname()}, "
            f"since {holder.since:%Y-%m-%d %H:%M:%S} UTC"
        )
        assert "studies stop depth_study" in caught.value.advice

    def test_only_where_the_holder_may_be_out_of_reach_is_taking_over_advised(
        self, store: Store, study: StudyRow, other: Store, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        with store.hold(study.id):
            with pytest.raises(HeldError) as here, other.hold(study.id):
                pytest.fail("two hold it")
            monkeypatch.setattr(socket, "gethostname", lambda: "elsewhere")
            with pytest.raises(HeldError) as there, other.hold(study.id):
                pytest.fail("two hold it")
        assert "--take-over" not in str(here.value)
        assert "is known to be dead: give the same command with --take-over" in str(there.value)

    def test_one_who_is_just_starting_is_named_too(
        self, store: Store, study: StudyRow, other: Store, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        looks, find = count(), lease._found

        def look(*arguments: Any) -> LeaseRow:
            found = find(*arguments)
            is_named = next(looks) > 4 * lease.SECONDS_OF_GRACE / 0.02
            return found if is_named else replace(found, holder_host=None)

        with store.hold(study.id):
            monkeypatch.setattr(lease, "_found", look)
            with pytest.raises(HeldError, match=f"process {os.getpid()} on"), other.hold(study.id):
                pytest.fail("two hold it")

    def test_what_is_given_back_is_free(self, store: Store, study: StudyRow, other: Store) -> None:
        tokens = []
        for each in (store, other, store):
            with each.hold(study.id) as held:
                tokens.append(held.token)
            assert other.holder(study.id) is None
        assert tokens == [1, 2, 3]

    def test_other_studies_are_free(self, store: Store, study: StudyRow, other: Store) -> None:
        second = new_study(store, "second")
        with store.hold(study.id), other.hold(second.id), other.hold(new_study(other, "third").id):
            add_trial(store, study)
            add_trial(other, second)

    def test_a_study_that_is_not_there_cannot_be_held(self, store: Store) -> None:
        with pytest.raises(StudiesError, match="study 99 is not in"), store.hold(99):
            pytest.fail("nothing is held")

    def test_a_holder_writes_and_its_rows_bear_its_token(
        self, store: Store, study: StudyRow, other: Store
    ) -> None:
        add_trial(store, study)
        store.add_event(study.id, "note", None, "by nobody in particular")
        for each, epoch in ((store, 1), (other, 2)):
            with each.hold(study.id):
                each.record_result(study.id, 1, at_rung(epoch, [epoch]))
                each.add_event(study.id, "note", None, "x")
        rows = contents(store)
        assert [row["fencing_token"] for row in rows["event"]] == [0, 1, 2]
        assert [row["fencing_token"] for row in rows["rung_result"]] == [1, 2]
        assert {(row["epoch"], row["fencing_token"]) for row in rows["epoch"]} == {(1, 1), (2, 2)}

    def test_a_later_driver_that_records_the_same_leaves_no_conflict(
        self, store: Store, study: StudyRow, other: Store
    ) -> None:
        add_trial(store, study)
        for each in (store, other):
            with each.hold(study.id):
                each.record_result(study.id, 1, at_rung(1, [1]))
        assert store.events(study.id) == []

    def test_nothing_is_written_by_one_that_was_taken_over(
        self, store: Store, study: StudyRow, other: Store
    ) -> None:
        add_trial(store, study)
        with store.hold(study.id) as lost:
            with other.hold(study.id, take_over=True) as held:
                before = contents(store)
                for write in WRITES:
                    with pytest.raises(HeldError, match="was taken over by another run: process") as caught:
                        write(store, study)
                    assert caught.value.exit_code == 3
                assert contents(store) == before
                assert (lost.token, held.token) == (1, 2)
                assert lost.lost is not None
                add_trial(other, study, 3)
            for write in WRITES:
                with pytest.raises(HeldError, match="was taken over by another run"):
                    write(store, study)

    def test_one_that_was_taken_over_learns_of_it_without_writing(
        self, store: Store, study: StudyRow, other: Store
    ) -> None:
        with store.hold(study.id) as lost, other.hold(study.id, take_over=True) as held:
            wait_until(lambda: lost.lost)
            assert held.lost is None

    def test_one_that_asks_learns_of_it_at_once(
        self, store: Store, study: StudyRow, other: Store, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(lease, "SECONDS_BETWEEN_LOOKS", 1000.0)
        with store.hold(study.id) as lost:
            assert lost.confirm()
            with other.hold(study.id, take_over=True) as held:
                assert lost.lost is None, "nobody has looked yet"
                assert held.confirm()
                assert not lost.confirm()
                assert lost.lost is not None

    def test_one_that_was_taken_over_takes_nothing_with_it(
        self, store: Store, study: StudyRow, other: Store
    ) -> None:
        with other.hold(study.id) as first:
            pass
        with store.hold(study.id):
            taking = other.hold(study.id, take_over=True)
            third = taking.__enter__()
        assert third.token == first.token + 2
        assert store.holder(study.id) is not None, "the first one's end took the lease from the second"
        with pytest.raises(HeldError), store.hold(study.id):
            pytest.fail("two hold it")
        taking.__exit__(None, None, None)

    def test_a_free_study_may_be_taken_over_too(self, store: Store, study: StudyRow) -> None:
        with store.hold(study.id, take_over=True) as held:
            add_trial(store, study)
        assert held.token == 1

    def test_a_request_to_stop_reaches_the_holder_and_not_the_next_one(
        self, store: Store, study: StudyRow, other: Store
    ) -> None:
        with store.hold(study.id) as held:
            assert not held.stop_requested
            assert other.request_stop(study.id) == other.holder(study.id)
            wait_until(lambda: held.stop_requested)
            add_trial(store, study)
        with store.hold(study.id) as held:
            (row,) = contents(store)["study"]
            assert row["stop_requested_at"] is None
            assert not held.stop_requested

    def test_the_studies_that_run_now_are_told_with_what_their_runs_noted(
        self, store: Store, study: StudyRow, other: Store
    ) -> None:
        def told(**which: Any) -> list[tuple[int, str | None]]:
            asked: dict[str, Any] = {"event": "cluster_started", "own": study.id} | which
            return [(each.id, each.detail) for each in other.held_studies(**asked)]

        later, ended, free = (new_study(store, name) for name in ("later", "ended", "free"))
        store.add_event(free.id, "cluster_started", None, "free")
        store.add_event(later.id, "cluster_started", None, "an earlier run of it")
        assert told() == []
        with store.hold(study.id), store.hold(later.id), store.hold(ended.id):
            store.set_study_state(ended.id, StudyState.COMPLETE)
            store.add_event(study.id, "cluster_started", None, "first")
            store.add_event(study.id, "cluster_started", None, "last")
            store.add_event(study.id, "note", None, "of another kind")
            expected = [(study.id, "last"), (later.id, None)]
            assert told() == expected, "the longest held first"
            assert told(own=later.id) == expected
            store.add_event(later.id, "cluster_started", None, "there")
            assert told() == [(study.id, "last"), (later.id, "there")]
        wait_until(lambda: told() == [])

    def test_nobody_is_asked_to_stop_where_nobody_is(self, store: Store, study: StudyRow) -> None:
        before = contents(store)
        assert store.request_stop(study.id) is None
        assert contents(store) == before


class TestProcesses:
    """The same with real processes, killed, frozen and racing."""

    def test_of_drivers_started_together_one_wins(self, store: Store, study: StudyRow, url: str) -> None:
        with holding(url) as first, holding(url) as second, holding(url) as third:
            said = {driver: heard(driver) for driver in (first, second, third)}
            (winner,) = [driver for driver in said if said[driver] == "held 1"]
            for driver in {*said} - {winner}:
                assert said[driver].startswith(
                    f"refused study depth_study is held by another run: process {winner.pid} on "
                )
                assert driver.wait(SECONDS) == 3
            tell(winner, "still here")
            assert heard(winner) == "wrote still here"
        wait_until(lambda: store.holder(study.id) is None)

    def test_a_killed_holder_is_followed_at_once(self, store: Store, study: StudyRow, url: str) -> None:
        with holding(url) as driver:
            assert heard(driver) == "held 1"
            with pytest.raises(HeldError, match=f"process {driver.pid} on"), store.hold(study.id):
                pytest.fail("two hold it")
            assert [each.id for each in store.held_studies(event="e", own=0)] == [study.id]
            driver.kill()
            driver.wait()
            wait_until(lambda: store.holder(study.id) is None)
            assert store.held_studies(event="e", own=0) == []
            with store.hold(study.id) as held:
                assert held.token == 2

    def test_a_frozen_holder_that_was_taken_over_is_refused_when_it_goes_on(
        self, store: Store, study: StudyRow, url: str
    ) -> None:
        with holding(url) as driver:
            assert heard(driver) == "held 1"
            tell(driver, "before")
            assert heard(driver) == "wrote before"
            os.kill(driver.pid, signal.SIGSTOP)
            with pytest.raises(HeldError), store.hold(study.id):
                pytest.fail("two hold it")
            with store.hold(study.id, take_over=True) as held:
                tell(driver, "after")
                os.kill(driver.pid, signal.SIGCONT)
                assert heard(driver).startswith("refused study depth_study was taken over by another run")
                assert driver.wait(SECONDS) == 3
                assert held.token == 2
                store.add_event(study.id, "note", None, "mine")
        assert [event.detail for event in store.events(study.id)] == ["before", "mine"]
