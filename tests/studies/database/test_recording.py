"""The contract of recording a result, the same for SQLite and PostgreSQL."""

from dataclasses import replace
from math import inf, nan

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from studies.base.states import Decision, Phase, TrialState
from studies.database.engines.problems import StorageError
from studies.database.results import Artifact, Evaluation, RungResult
from studies.database.rows import StudyRow
from studies.database.store import Store
from tests.studies.database.recorded import (
    add_trial,
    at_end,
    at_rung,
    contents,
    epoch_records,
    new_study,
    num_rows,
    replicate_records,
    start,
)


class TestRecording:
    """What a report leaves, said once, twice or otherwise."""

    def test_numbers_that_are_not_finite_are_null(self, store: Store, study: StudyRow) -> None:
        add_trial(store, study)
        record = replace(epoch_records([1])[0], val_loss=nan, train_loss=inf, metrics={"spikes": -inf})
        record = replace(record, layers=(replace(record.layers[0], grad_l2=inf, delta_rms=nan),))
        diverged = replace(replicate_records(1)[0], val_loss=nan, metrics={"loss": inf})
        bins = [{"low": 0.0, "confidence": nan}]
        evaluations = [Evaluation(replicate=1, confusion=((1, 2), (3, 4)), calibration=bins)]
        ending = at_end(1, [], objective=nan, replicates=[diverged], evaluations=evaluations)
        rung = RungResult(epoch=1, objective=inf, decision=Decision.STOP)
        store.record_result(study.id, 1, replace(ending, epochs=[record], rung=rung))
        rows = contents(store)
        assert (rows["epoch"][0]["val_loss"], rows["epoch"][0]["train_loss"]) == (None, None)
        assert rows["epoch"][0]["metrics"] == {"spikes": None}
        assert (rows["layer_gradient"][0]["grad_l2"], rows["layer_gradient"][0]["delta_rms"]) == (None, None)
        assert (rows["replicate"][0]["val_loss"], rows["replicate"][0]["metrics"]) == (None, {"loss": None})
        assert rows["evaluation"][0]["calibration"] == [{"low": 0.0, "confidence": None}]
        assert rows["evaluation"][0]["confusion"] == [[1, 2], [3, 4]]
        assert (rows["trial"][0]["objective"], rows["rung_result"][0]["objective"]) == (None, None)
        assert store.rung_results(study.id)[0].decision is Decision.STOP

    @given(value=st.floats(allow_nan=False, allow_infinity=False))
    @settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
    def test_finite_numbers_come_back_exactly(self, store: Store, value: float) -> None:
        study = store.find_study("floats") or new_study(store, "floats")
        number = len(store.trials(study.id)) + 1
        add_trial(store, study, number, params={"learning_rate": value})
        store.record_result(study.id, number, at_end(1, [], objective=value))
        trial = store.trials(study.id)[-1]
        assert (trial.objective, trial.params) == (value, {"learning_rate": value})

    def test_a_repeat_changes_nothing(self, store: Store, study: StudyRow) -> None:
        evaluations = [Evaluation(replicate=1, confusion=((1,),), calibration=({"low": nan},))]
        artifacts = [Artifact(path="models/a", sha256="00", num_bytes=1)]
        ending = at_end(4, [3, 4], evaluations=evaluations, artifacts=artifacts)
        add_trial(store, study)
        start(store, study)
        for result in (at_rung(2, [0, 1, 2]), ending):
            store.record_result(study.id, 1, result)
            before = contents(store, "updated_at", "sequence")
            store.record_result(study.id, 1, result)
            add_trial(store, study)
            assert contents(store, "updated_at", "sequence") == before
        assert store.events(study.id) == []

    def test_a_repeat_that_differs_keeps_the_first_and_leaves_an_event(
        self, store: Store, study: StudyRow
    ) -> None:
        add_trial(store, study)
        start(store, study)
        store.record_result(study.id, 1, at_rung(2, [0, 1, 2]))
        before = contents(store, "updated_at", "sequence")
        store.record_result(study.id, 1, at_rung(2, [0, 1, 2], shift=0.25))
        add_trial(store, study, params={"depth": 5})
        after = contents(store, "updated_at", "sequence")
        assert {name for name in after if after[name] != before[name]} == {"event"}
        first, second = store.events(study.id)
        assert (first.kind, first.trial_number, first.sequence < second.sequence) == ("conflict", 1, True)
        assert first.detail.startswith("epoch: 4 repeated with other values, first replicate 1 epoch 1: ")
        assert "val_loss 1.3333333333333333 kept, 1.5833333333333333 refused" in first.detail
        assert second.detail.startswith("trial: 1 repeated with other values, first number 1: params ")

    def test_an_ending_is_written_once(self, store: Store, study: StudyRow) -> None:
        add_trial(store, study)
        store.record_result(study.id, 1, at_end(1, [1]))
        store.record_result(study.id, 1, at_end(1, [1], state=TrialState.FAILED, error="boom"))
        (trial,) = store.trials(study.id)
        assert (trial.state, trial.error, trial.busy_seconds) == (TrialState.COMPLETE, None, 3.0)
        (event,) = store.events(study.id)
        assert 'state "complete" kept, "failed" refused; error null kept, "boom" refused' in event.detail

    @given(data=st.data())
    @settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
    def test_repeats_and_reordering_end_in_the_same_rows(self, store: Store, data: st.DataObject) -> None:
        results = [at_rung(1, [0, 1]), at_rung(3, [2, 3]), at_end(4, [4])]
        order = data.draw(
            st.permutations([*results, *data.draw(st.lists(st.sampled_from(results), max_size=4))])
        )
        rows = []
        for sequence in (results, order):
            study = new_study(store, f"study {len(store.studies())}")
            add_trial(store, study)
            for result in sequence:
                store.record_result(study.id, 1, result)
            without = (
                "study_id",
                "id",
                "name",
                "sequence",
                "created_at",
                "updated_at",
                "busy_seconds",
                "attempt_epochs",
            )
            rows.append(contents(store, *without))
            assert store.events(study.id) == []
            assert len({row.sequence for row in store.rung_results(study.id)}) == 2
            store.delete_study(study.id)
        assert rows[0] == rows[1]

    def test_sequences_rise_in_the_order_of_the_commits(self, store: Store, study: StudyRow) -> None:
        for number in (1, 2):
            add_trial(store, study, number)
        store.record_result(study.id, 2, at_rung(2, [0, 1, 2]))
        store.record_result(study.id, 1, at_rung(2, [0, 1, 2]))
        store.record_result(study.id, 2, at_rung(6, [3]))
        rows = sorted(contents(store)["epoch"], key=lambda row: row["sequence"])
        assert [row["trial_number"] for row in rows] == [2] * 4 + [1] * 4 + [2] * 2
        assert len({row["sequence"] for row in rows}) == len(rows)
        assert [(row.trial_number, row.epoch) for row in store.rung_results(study.id)] == [
            (2, 2),
            (1, 2),
            (2, 6),
        ]

    def test_a_result_that_fails_half_way_leaves_nothing(self, store: Store, study: StudyRow) -> None:
        add_trial(store, study)
        before = contents(store)
        without_block = replace(replicate_records(1)[0], block=None)  # type: ignore[arg-type]
        broken = at_end(2, [0, 1, 2], replicates=[without_block])
        with pytest.raises(StorageError, match="cannot be used") as caught:
            store.record_result(study.id, 1, broken)
        assert caught.value.exit_code == 1
        assert contents(store) == before

    def test_a_confirm_trial_is_stored_whole(self, store: Store, study: StudyRow) -> None:
        add_trial(store, study, phase=Phase.CONFIRM)
        records = epoch_records(range(19), num_replicates=10, num_layers=7)
        ending = at_end(18, [], replicates=replicate_records(10))
        store.record_result(study.id, 1, replace(ending, epochs=records))
        rows = num_rows(store)
        assert (rows["epoch"], rows["layer_gradient"], rows["replicate"]) == (180, 1330, 10)

    def test_machine_texts_with_nul_are_written_out(self, store: Store, study: StudyRow) -> None:
        add_trial(store, study)
        store.record_result(study.id, 1, at_end(1, [1], error="a\0b\ud800"))
        assert store.trials(study.id)[0].error == "a\\x00b\\ud800"

    def test_the_worker_that_trained_is_noted(self, store: Store, study: StudyRow) -> None:
        add_trial(store, study)
        start(store, study)
        store.record_result(study.id, 1, replace(at_rung(2, [1, 2]), worker="node-3:77\0"))
        assert store.trials(study.id)[0].worker == "node-3:77\\x00"
        store.record_result(study.id, 1, at_end(3, [3]))
        assert store.trials(study.id)[0].worker == "node-3:77\\x00"
