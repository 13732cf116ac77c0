"""The contract of the store, the same for SQLite and PostgreSQL."""

import pickle
import random
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone

import pytest
from sqlalchemy import select, update

from studies.base.errors import StudiesError, UsageError
from studies.base.states import Phase, StudyState, TrialState
from studies.database.results import Artifact, Evaluation, TrialResult
from studies.database.rows import StudyRow
from studies.database.schema import tables
from studies.database.store import Store
from tests.studies.database.recorded import (
    MOMENT,
    PLAN,
    add_trial,
    at_end,
    at_rung,
    contents,
    epoch_records,
    new_study,
    num_rows,
    start,
)
from tests.studies.database.so_far import so_far

HOSTILE = [
    "'; DROP TABLE study; --",
    '"',
    "<script>alert(1)</script>",
    "../../x",
    "=1+1",
    "%s %(x)s {0} ?",
    "🌀ß\n\t",
]


class TestStore:
    """What the driver relies on."""

    def test_a_study_is_found_as_it_was_created(self, store: Store) -> None:
        before = datetime.now(UTC)
        created = new_study(store)
        assert store.find_study("depth_study") == created
        assert store.studies() == [created]
        assert created.plan == PLAN
        assert list(created.plan["factors"]) == ["depth", "batch_norm"]
        assert (created.state, created.seed) == (StudyState.RUNNING, 7)
        assert before <= created.created_at <= datetime.now(UTC)
        assert created.created_at.utcoffset() == timedelta(0)

    def test_no_study_is_found_where_there_is_none(self, store: Store) -> None:
        assert store.find_study("depth_study") is None
        assert store.studies() == []

    def test_a_name_that_is_taken_is_refused(self, store: Store) -> None:
        first = new_study(store)
        with pytest.raises(UsageError, match="depth_study is the name of a study"):
            new_study(store, plan_hash="other")
        assert store.studies() == [first]

    @pytest.mark.parametrize("text", HOSTILE)
    def test_hostile_texts_are_kept_as_they_are(self, store: Store, text: str) -> None:
        study = new_study(store, text, question=text, plan={text: [text]})
        add_trial(store, study, params={text: text})
        start(store, study)
        store.record_result(
            study.id, 1, at_end(1, [1], state=TrialState.FAILED, error=text, stop_reason=text)
        )
        store.add_event(study.id, text, 1, text)
        found = store.find_study(text)
        assert found is not None
        assert (found.name, found.question, found.plan) == (text, text, {text: [text]})
        (trial,) = store.trials(study.id)
        assert (trial.params, trial.error, trial.stop_reason) == ({text: text}, text, text)
        assert [(event.kind, event.detail) for event in store.events(study.id)] == [(text, text)]

    @pytest.mark.parametrize("text", ["a\0b", "\ud800"])
    def test_texts_that_a_database_cannot_keep_are_refused_together(self, store: Store, text: str) -> None:
        with pytest.raises(UsageError, match="without NUL") as caught:
            new_study(store, text, question=text, seed=2**63)
        assert len(caught.value.mistakes) == 3
        assert store.studies() == []

    def test_the_state_of_a_study_moves(self, store: Store, study: StudyRow) -> None:
        store.set_study_state(study.id, StudyState.INTERRUPTED)
        (found,) = store.studies()
        assert found.state is StudyState.INTERRUPTED
        assert found.updated_at > study.updated_at

    def test_deleting_a_study_leaves_the_others_alone(self, store: Store, study: StudyRow) -> None:
        other = new_study(store, "other")
        for each in (study, other):
            add_trial(store, each)
            evaluations = [Evaluation(replicate=1, confusion=[[1]], calibration=[])]
            artifacts = [Artifact(path="models/a", sha256="00", num_bytes=1)]
            ending = at_end(2, [0, 1, 2], evaluations=evaluations, artifacts=artifacts)
            store.record_result(each.id, 1, ending)
            store.record_result(each.id, 1, at_rung(2, []))
            store.add_event(each.id, "note", None, "x")
        rows = num_rows(store)
        assert min(rows.values()) > 0
        store.delete_study(study.id)
        assert num_rows(store) == {name: num // 2 for name, num in rows.items()}
        assert {row["study_id"] for row in contents(store)["layer_gradient"]} == {other.id}

    def test_what_is_not_there_is_an_error_and_writes_nothing(self, store: Store, study: StudyRow) -> None:
        before = contents(store)
        calls: list[Callable[[], object]] = [
            lambda: store.set_study_state(99, StudyState.COMPLETE),
            lambda: store.delete_study(99),
            lambda: store.add_event(99, "note", None, "x"),
            lambda: add_trial(store, replace(study, id=99)),
            lambda: start(store, study, 5),
            lambda: store.record_result(study.id, 5, at_rung(3, [1])),
        ]
        for call in calls:
            with pytest.raises(StudiesError, match="is not in"):
                call()
        assert contents(store) == before

    def test_a_trial_waits_runs_and_ends(self, store: Store, study: StudyRow) -> None:
        add_trial(store, study)
        (trial,) = store.trials(study.id)
        assert (trial.state, trial.attempt, trial.epochs, trial.busy_seconds) == (
            TrialState.WAITING,
            0,
            0,
            0.0,
        )
        assert (trial.phase, trial.cell, trial.started_at) == (Phase.SEARCH, 1, None)

        assert start(store, study) == 1
        store.record_result(study.id, 1, at_rung(2, [0, 1, 2]))
        (trial,) = store.trials(study.id)
        assert (trial.state, trial.attempt, trial.epochs, trial.rung) == (TrialState.RUNNING, 1, 2, 2)
        assert (trial.worker, trial.versions) == ("host:1", {"torch": "2.13"})
        assert trial.started_at == MOMENT

        store.record_result(study.id, 1, at_end(4, [3, 4], stop_reason="all epochs"))
        (trial,) = store.trials(study.id)
        assert (trial.state, trial.objective, trial.epochs) == (TrialState.COMPLETE, 0.5, 4)
        assert (trial.stop_reason, trial.ended_at, trial.busy_seconds) == ("all epochs", MOMENT, 5.0)
        rows = num_rows(store)
        assert (rows["epoch"], rows["layer_gradient"], rows["replicate"]) == (2 * 4, 2 * 5 * 3, 2)
        assert rows["event"] == 0

    def test_trials_come_by_number_and_without_cells_too(self, store: Store, study: StudyRow) -> None:
        for number in (3, 1, 2):
            add_trial(store, study, number, cell=None, phase=Phase.CONFIRM)
        assert [trial.number for trial in store.trials(study.id)] == [1, 2, 3]
        assert {trial.cell for trial in store.trials(study.id)} == {None}

    def test_the_summary_counts_every_phase_and_state(self, store: Store, study: StudyRow) -> None:
        for number in (1, 2, 3):
            add_trial(store, study, number)
        add_trial(store, study, 4, phase=Phase.CONFIRM)
        start(store, study, 2)
        store.record_result(study.id, 3, at_end(1, [1], state=TrialState.PRUNED))
        summary = store.trial_summary(study.id)
        assert set(summary) == set(Phase)
        assert all(set(of_phase) == set(TrialState) for of_phase in summary.values())
        assert [summary[Phase.SEARCH][state] for state in TrialState] == [1, 1, 0, 1, 0]
        assert sum(summary[Phase.CONFIRM].values()) == summary[Phase.CONFIRM][TrialState.WAITING] == 1

    @pytest.mark.parametrize("mode", ["min", "max"])
    def test_trials_so_far_are_those_counted_one_by_one(
        self, store: Store, study: StudyRow, mode: str
    ) -> None:
        made = random.Random(7)
        assert store.trials_so_far(study.id, mode=mode) == so_far([], mode=mode)
        for number in range(1, 60):
            add_trial(store, study, number, phase=Phase.CONFIRM if number > 50 else Phase.SEARCH)
            values = {
                "state": made.choice([*TrialState]),
                "rung": made.choice([None, 2, 6]),
                "epochs": made.randrange(7),
                "objective": made.choice([None, 0.25, 0.5, 0.75]),
            }
            is_trial = (tables.trial.c.study_id == study.id) & (tables.trial.c.number == number)
            with store.writing(study.id) as connection:
                connection.execute(update(tables.trial).where(is_trial).values(values))
        assert store.trials_so_far(study.id, mode=mode) == so_far(store.trials(study.id), mode=mode)
        assert store.trial(study.id, 7) == store.trials(study.id)[6]
        assert store.trial(study.id, 60) is None
        assert store.last_number(study.id) == 59

    def test_an_ended_trial_is_not_started_again(self, store: Store, study: StudyRow) -> None:
        add_trial(store, study)
        start(store, study)
        store.record_result(study.id, 1, at_end(1, [1]))
        before = contents(store)
        with pytest.raises(StudiesError, match="trial 1 has ended"):
            start(store, study)
        assert contents(store) == before

    def test_an_interrupted_trial_runs_again_from_its_start(self, store: Store, study: StudyRow) -> None:
        add_trial(store, study)
        start(store, study)
        store.record_result(study.id, 1, at_rung(2, [0, 1, 2]))
        assert start(store, study) == 2
        store.record_result(study.id, 1, at_rung(2, [0, 1, 2]))
        store.record_result(study.id, 1, at_end(4, [3, 4]))
        rows = num_rows(store)
        assert (rows["epoch"], rows["rung_result"], rows["event"]) == (8, 1, 0)
        (trial,) = store.trials(study.id)
        # The work of both attempts was done, so its time counts.
        assert (trial.attempt, trial.epochs, trial.busy_seconds) == (2, 4, 2.0 + 2.0 + 3.0)

    def test_a_path_that_is_written_again_belongs_to_the_newest_content(
        self, store: Store, study: StudyRow
    ) -> None:
        store.add_artifact(study.id, Artifact(path="models/best/1.pt", sha256="aa", num_bytes=2**40), 3)
        store.add_artifact(study.id, Artifact(path="models/best/1.pt", sha256="bb", num_bytes=5))
        (row,) = contents(store)["artifact"]
        assert (row["sha256"], row["num_bytes"], row["trial_number"]) == ("bb", 5, None)

    def test_times_are_utc_whatever_zone_they_came_in(self, store: Store, study: StudyRow) -> None:
        add_trial(store, study)
        elsewhere = MOMENT.astimezone(timezone(timedelta(hours=9)))
        store.start_trial(study.id, 1, worker="w", started_at=elsewhere, versions={})
        found = store.trials(study.id)[0].started_at
        assert found == MOMENT
        assert found is not None
        assert found.utcoffset() == timedelta(0)

    def test_a_reader_sees_one_moment_while_the_driver_writes(self, store: Store, study: StudyRow) -> None:
        add_trial(store, study)
        store.record_result(study.id, 1, at_rung(1, [1]))
        query = select(tables.epoch.c.epoch)
        with store.reading() as connection:
            before = connection.execute(query).all()
            store.record_result(study.id, 1, at_rung(3, [2, 3]))
            assert connection.execute(query).all() == before
        with store.reading() as connection:
            assert len(connection.execute(query).all()) == 6

    def test_writers_at_the_same_time_wait_for_each_other(
        self, store: Store, study: StudyRow, url: str
    ) -> None:
        for number in range(1, 5):
            add_trial(store, study, number)

        def write(number: int) -> None:
            with Store.open(url) as own:
                for epoch in range(1, 11):
                    own.record_result(
                        study.id,
                        number,
                        TrialResult(epoch=epoch, busy_seconds=1, epochs=epoch_records([epoch])),
                    )

        with ThreadPoolExecutor(4) as threads:
            list(threads.map(write, range(1, 5)))
        rows = contents(store)["epoch"]
        assert len(rows) == len({row["sequence"] for row in rows}) == 4 * 10 * 2
        assert {trial.busy_seconds for trial in store.trials(study.id)} == {10.0}

    def test_a_store_is_not_pickled(self, store: Store) -> None:
        with pytest.raises(TypeError, match="stays in the driver"):
            pickle.dumps(store)
