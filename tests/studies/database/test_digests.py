"""Every row has the digest of what it holds, however it was written, and whatever it holds."""

import math
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import func, select

from studies.base.states import StudyState, TrialState
from studies.database.digests import NUM_BYTES, sealed_row
from studies.database.frames.raw_rows import read_rows
from studies.database.schema import tables
from studies.database.store import Store
from studies.verification import digests
from tests.studies.database import recorded
from tests.studies.database.recorded import MOMENT
from tests.studies.database.samples.__main__ import ARTIFACT, EVALUATION, VERDICTS

ROW: dict[str, Any] = {
    **{"study_id": 1, "trial_number": 2, "replicate": 0, "epoch": 3, "sequence": 9, "fencing_token": 0},
    **{"train_loss": 0.5, "val_loss": None, "learning_rate": 0.0, "metrics": {}},
}


class TestDigests:
    """The same for SQLite and PostgreSQL."""

    def test_rows_fit_their_digests_as_read_back(self, store: Store) -> None:
        study = recorded.new_study(store, question="\u2028 \U0001f300 ' ; --", seed=2**63 - 1)
        recorded.add_trial(
            store, study, params={"depth": 3, "rate": 1e-320, "text": "\u00e9\n", "none": None}
        )
        recorded.start(store, study)
        store.record_result(study.id, 1, recorded.at_rung(1, [0, 1]))
        ending = recorded.at_end(
            2, [2], evaluations=[EVALUATION], artifacts=[ARTIFACT], verdicts={1: VERDICTS}
        )
        store.record_result(study.id, 1, ending)
        store.add_event(
            study.id, "note", None, "\u00e9 \\x00", MOMENT.astimezone(timezone(timedelta(hours=3)))
        )
        store.set_study_state(study.id, StudyState.INTERRUPTED)
        self.check(store, study.name)

    def test_samples_that_are_added_later_are_covered(self, store: Store) -> None:
        study = recorded.new_study(store)
        recorded.add_trial(store, study)
        recorded.start(store, study)
        store.record_result(study.id, 1, recorded.at_end(2, [2], evaluations=[EVALUATION]))
        samples = [{"row": 3, "true": 0, "predicted": 1, "confidence": 0.5, "text": "\u00e9 \x00 <b>"}]
        for _ in range(2):
            store.add_samples(study.id, 1, EVALUATION.replicate, samples)
        store.add_samples(study.id, 1, 99, samples)  # a network that has no evaluation
        (row,) = recorded.contents(store)["evaluation"]
        assert [each["row"] for each in row["samples"]] == [3]
        self.check(store, study.name)

    def test_a_repeated_write_leaves_the_first_ones_digest(self, store: Store) -> None:
        study = recorded.new_study(store)
        for _ in range(2):
            recorded.add_trial(store, study)
        recorded.start(store, study)
        for shift in (0.0, 1.0):
            store.record_result(study.id, 1, recorded.at_rung(1, [0, 1], shift=shift))
        for objective in (0.5, 0.25):
            store.record_result(study.id, 1, recorded.at_end(2, [2], objective=objective))
        assert store.trials(study.id)[0].state is TrialState.COMPLETE
        self.check(store, study.name)

    @staticmethod
    def check(store: Store, name: str) -> None:
        with store.reading() as connection:
            rows = read_rows(connection, name)
            assert rows is not None
            compared = digests.compare(rows)
            assert (compared.num_without, compared.faults) == (0, ())
            assert rows.misplaced == []
            counted = select(func.count()).select_from(tables.epoch)
            assert connection.execute(counted).scalar_one() == len(rows.epochs) > 0


@given(st.floats(allow_nan=False) | st.none(), st.floats(allow_nan=False) | st.none())
def test_other_numbers_have_other_digests(one: float | None, other: float | None) -> None:
    same = one == other
    found = [sealed_row(tables.epoch, {**ROW, "val_loss": value})["digest"] for value in (one, other)]
    assert (found[0] == found[1]) is same
    assert 0 <= found[0] < 2 ** (8 * NUM_BYTES)


def test_null_and_the_sign_of_zero_are_as_databases_keep_them() -> None:
    """SQLite keeps no sign of zero, and neither keeps NaN."""

    def of(value: float | None) -> int:
        return int(sealed_row(tables.epoch, {**ROW, "val_loss": value})["digest"])

    assert of(-0.0) == of(0.0) == of(0)
    assert of(None) == of(math.nan) != of(0.0)


@pytest.mark.parametrize(
    ("one", "other"), [("", None), ("ab", "a"), (datetime(2026, 1, 1, tzinfo=UTC), MOMENT)]
)
def test_texts_and_times_are_covered(one: Any, other: Any) -> None:
    row = {"study_id": 1, "number": 1, "worker": "w", "started_at": MOMENT, "error": None}
    name = "started_at" if isinstance(one, datetime) else "error"
    first, second = (sealed_row(tables.trial, {**row, name: value})["digest"] for value in (one, other))
    assert first != second


def test_texts_do_not_run_into_each_other() -> None:
    row = {"study_id": 1, "number": 1, "stop_reason": "ab", "error": "c"}
    moved = {**row, "stop_reason": "a", "error": "bc"}
    assert sealed_row(tables.trial, row)["digest"] != sealed_row(tables.trial, moved)["digest"]
