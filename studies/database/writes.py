"""The writes of a run as data that can be kept in a file; each may be applied repeatedly."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, Final, Literal

from pydantic import ConfigDict, Field, TypeAdapter
from pydantic_core import PydanticSerializationError

from studies.base.states import Phase, StudyState
from studies.database.results import TrialResult
from studies.database.store import Store
from studies.database.values import readable


@dataclass(frozen=True, kw_only=True)
class AddTrial:
    """A trial was handed out."""

    number: int
    phase: Phase
    cell: int | None
    params: Mapping[str, Any]
    kind: Literal["add_trial"] = "add_trial"

    def apply(self, store: Store, study_id: int) -> None:
        """Apply it to the store."""
        store.add_trial(study_id, number=self.number, phase=self.phase, cell=self.cell, params=self.params)


@dataclass(frozen=True, kw_only=True)
class StartTrial:
    """An attempt at a trial was started."""

    number: int
    worker: str
    started_at: datetime
    versions: Mapping[str, str]
    attempt: int
    kind: Literal["start_trial"] = "start_trial"

    def apply(self, store: Store, study_id: int) -> None:
        """Apply it to the store."""
        store.start_trial(
            study_id,
            self.number,
            worker=self.worker,
            started_at=self.started_at,
            versions=self.versions,
            attempt=self.attempt,
        )


@dataclass(frozen=True, kw_only=True)
class RecordResult:
    """A report of a trial, with its attempt's number."""

    number: int
    result: TrialResult
    kind: Literal["record_result"] = "record_result"

    def apply(self, store: Store, study_id: int) -> None:
        """Apply it to the store."""
        store.record_result(study_id, self.number, self.result)


@dataclass(frozen=True, kw_only=True)
class AddEvent:
    """An event of the study or of a trial."""

    event: str
    trial_number: int | None
    detail: str
    at: datetime
    kind: Literal["add_event"] = "add_event"

    def apply(self, store: Store, study_id: int) -> None:
        """Apply it to the store."""
        store.add_event(study_id, self.event, self.trial_number, self.detail, self.at)


@dataclass(frozen=True, kw_only=True)
class SetStudyState:
    """The study changed its state."""

    state: StudyState
    kind: Literal["set_study_state"] = "set_study_state"

    def apply(self, store: Store, study_id: int) -> None:
        """Apply it to the store."""
        store.set_study_state(study_id, self.state)


Write = AddTrial | StartTrial | RecordResult | AddEvent | SetStudyState

_WRITES: Final[TypeAdapter[Write]] = TypeAdapter(
    Annotated[Write, Field(discriminator="kind")], config=ConfigDict(ser_json_inf_nan="constants")
)


def encode(write: Write) -> bytes:
    """Return a write as one line of JSON; NaN and infinities are written as in JavaScript."""
    try:
        return _WRITES.dump_json(write)
    except PydanticSerializationError:  # a lone surrogate, which the databases cannot store either
        return json.dumps(_without_surrogates(_WRITES.dump_python(write, mode="json"))).encode()


def decode(text: bytes) -> Write:
    """Return the write that `encode` wrote; raise ValueError that says what is wrong with any other text."""
    return _WRITES.validate_json(text)


def _without_surrogates(value: Any) -> Any:
    if isinstance(value, str):
        return readable(value)
    if isinstance(value, dict):
        return {key: _without_surrogates(item) for key, item in value.items()}
    return [_without_surrogates(item) for item in value] if isinstance(value, list) else value
