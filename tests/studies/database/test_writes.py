"""A write that waited in a file is the write that was made."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from studies.base.states import Phase, StudyState, TrialState
from studies.database.results import Ending, Evaluation, TrialResult, Verdicts
from studies.database.writes import (
    AddEvent,
    AddTrial,
    RecordResult,
    SetStudyState,
    StartTrial,
    Write,
    decode,
    encode,
)
from tests.studies.database.recorded import MOMENT, at_end
from trainables.base.records import EpochRecord

MOMENTS = st.datetimes(timezones=st.just(UTC)).map(lambda moment: moment.replace(fold=0))
VALUES = (
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.lists(st.floats(), max_size=3)
)
OBJECTS = st.dictionaries(st.text(), VALUES, max_size=3)
EVALUATIONS = st.builds(
    Evaluation,
    confusion=st.lists(st.lists(st.integers(), max_size=2), max_size=2),
    calibration=st.lists(OBJECTS, max_size=2),
    samples=st.lists(OBJECTS, max_size=2),
)
ENDINGS = st.builds(
    Ending,
    state=st.sampled_from([state for state in TrialState if state.has_ended]),
    ended_at=MOMENTS,
    evaluations=st.lists(EVALUATIONS, max_size=1),
    verdicts=st.dictionaries(st.integers(0, 9), st.builds(Verdicts, details=OBJECTS), max_size=2),
)
RESULTS = st.builds(
    TrialResult,
    epochs=st.lists(st.builds(EpochRecord), max_size=2),
    ending=st.none() | ENDINGS,
    attempt=st.integers(1, 9),
)
WRITES: st.SearchStrategy[Write] = st.one_of(
    st.builds(AddTrial, params=OBJECTS),
    st.builds(StartTrial, started_at=MOMENTS, versions=st.dictionaries(st.text(), st.text(), max_size=2)),
    st.builds(RecordResult, result=RESULTS),
    st.builds(AddEvent, at=MOMENTS),
    st.builds(SetStudyState),
)


def plain(value: Any) -> Any:
    """Return data in which a list is a list, a moment a moment, and NaN equal to itself."""
    if isinstance(value, Mapping):
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [plain(item) for item in value]
    return value.isoformat() if isinstance(value, datetime) else repr(value)


@given(write=WRITES)
@settings(max_examples=60)
def test_a_write_comes_back_as_it_was(write: Write) -> None:
    text = encode(write)
    assert b"\n" not in text
    again = decode(text)
    assert type(again) is type(write)
    assert plain(asdict(again)) == plain(asdict(write))


def test_a_text_that_no_database_holds_is_written_out() -> None:
    event = AddEvent(event="note", trial_number=None, detail="a\ud800b", at=MOMENT)
    assert decode(encode(event)) == replace(event, detail="a\\ud800b")
    failed = at_end(1, [1], state=TrialState.FAILED, error="x\udfff", objective=math.inf)
    again = decode(encode(RecordResult(number=1, result=failed)))
    assert isinstance(again, RecordResult)
    assert again.result.ending is not None
    assert (again.result.ending.error, again.result.ending.objective) == ("x\\udfff", math.inf)
    trial = AddTrial(number=1, phase=Phase.SEARCH, cell=None, params={"level": ["\ud800", True]})
    assert decode(encode(trial)) == replace(trial, params={"level": ["\\ud800", True]})


@pytest.mark.parametrize(
    "text", ["", "{}", "[1]", '{"kind":"drop_table"}', '{"kind":"add_trial","number":"x"}']
)
def test_another_text_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="validation error"):
        decode(text.encode())


def test_states_stay_states() -> None:
    again = decode(encode(SetStudyState(state=StudyState.INTERRUPTED)))
    assert isinstance(again, SetStudyState)
    assert again.state is StudyState.INTERRUPTED
