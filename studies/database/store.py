"""The store: every method is one transaction, which is durable when the method returns."""

import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from types import TracebackType
from typing import Any, NoReturn, Self, final

from sqlalchemy import Connection, Engine, delete, insert
from sqlalchemy.exc import IntegrityError

from studies.base.errors import StudiesError, UsageError
from studies.base.states import Phase, StudyState, TrialState
from studies.database import lease
from studies.database.bulk import Values
from studies.database.digests import sealed_row
from studies.database.engines.address import shown
from studies.database.engines.backend import Backend
from studies.database.engines.problems import storing
from studies.database.reader import Reader, read_study
from studies.database.recording import (
    change_study,
    change_trial,
    has_event,
    insert_new,
    leave_conflicts,
    leave_event,
    numbers_needed,
    put_artifact,
    put_samples,
    record,
    touch,
    trial_standing,
)
from studies.database.results import Artifact, TrialResult
from studies.database.rows import HeldStudy, Holder, StudyRow
from studies.database.schema import migrate, tables
from studies.database.values import readable, refuse_unstorable

_NEW_TRIAL: Values = {"state": TrialState.WAITING, "busy_seconds": 0.0} | dict.fromkeys(
    ("epochs", "attempt_epochs", "attempt"), 0
)


@final
class Store(Reader):
    """An open storage. Only the driver writes to it; a store cannot be pickled, so workers never have one.

    >>> with Store.open("sqlite:///runs/studies.db") as store:  # doctest: +SKIP
    ...     [study.name for study in store.studies()]
    """

    def __init__(self, backend: Backend) -> None:
        self._backend = backend
        self._engine: Engine = backend.engine()
        self._leases: dict[int, lease.Lease] = {}
        self._joint = threading.local()

    @classmethod
    def open(cls, url: str, create: bool = True) -> Self:
        """Open a storage; with `create` its tables are made if there are none.

        Raises `UsageError`, and writes nothing, if the storage cannot be used or, without `create`, is empty.
        """
        if (store := cls.open_existing(url)) is not None:
            return store
        backend = migrate.backend_for(url)
        if not create:
            raise migrate.none_yet(backend)
        migrate.create(backend)
        return cls(backend)

    @classmethod
    def open_existing(cls, url: str) -> Self | None:
        """Open a storage; return None if it is empty, raise `UsageError` if it cannot be used."""
        backend = migrate.backend_for(url)
        found = migrate.look(backend)
        migrate.refuse_unless_usable(backend, found)
        return None if found.state is migrate.SchemaState.EMPTY else cls(backend)

    def close(self) -> None:
        """Close every connection."""
        self._engine.dispose()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"Store({self.address})"

    @property
    def address(self) -> str:
        """The storage's URL without any password."""
        return shown(self._backend.url)

    def __reduce__(self) -> NoReturn:
        raise TypeError("a store stays in the driver: it would carry a password to a worker or a disk")

    @contextmanager
    def hold(self, study_id: int, *, take_over: bool = False) -> Iterator[lease.Lease]:
        """Hold the lease of a study, which is checked in each write to it; no other run can hold it meanwhile.

        Raises HeldError that names the holder. `take_over` takes the study from the holder, whose writes then fail.
        """
        taken = lease.take(self._backend, self._engine, study_id, take_over=take_over)
        self._leases[study_id] = taken
        try:
            yield taken
        finally:
            del self._leases[study_id]
            taken.release()

    def token(self, study_id: int) -> int:
        """Return the fencing token with which this store holds a study, 0 if it does not hold it."""
        held = self._leases.get(study_id)
        return 0 if held is None else held.token

    def holder(self, study_id: int) -> Holder | None:
        """Return the run that holds a study, None if none does."""
        return lease.find_holder(self._backend, self._engine, study_id)

    def held_studies(self, *, event: str, own: int) -> list[HeldStudy]:
        """Return the running studies that some run holds, longest held first, each with its run's last event of a kind.

        Study `own` is held by this store.
        """
        return lease.held_studies(self._backend, self._engine, event=event, own=own)

    def request_stop(self, study_id: int) -> Holder | None:
        """Ask the run that holds a study to stop, and return it; None if none does."""
        return lease.request_stop(self._backend, self._engine, study_id)

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """Open a read transaction that sees one snapshot, whatever is written meanwhile."""
        with storing(self._backend.url), self._backend.reading(self._engine).begin() as connection:
            yield connection

    def create_study(
        self, *, name: str, question: str, plan: Mapping[str, Any], plan_hash: str, seed: int
    ) -> StudyRow:
        """Add a study in state `running`; raise `UsageError` if its name is taken."""
        refuse_unstorable(name=name, question=question, seed=seed)
        now = datetime.now(UTC)
        values = {"name": name, "question": question, "plan": plan, "plan_hash": plan_hash, "seed": seed}
        values |= {"state": StudyState.RUNNING, "created_at": now, "updated_at": now}
        with storing(self._backend.url):
            try:
                with self._engine.begin() as connection:
                    connection.execute(insert(tables.study).values(sealed_row(tables.study, values)))
                    study = read_study(connection, tables.study.c.name == name)
                    assert study is not None, f"study {name} vanished as it was added"
                    return study
            except IntegrityError:
                advice = "Resume it with the same command, or choose another --name."
                raise UsageError([f"name: {name} is the name of a study in this storage"], advice) from None

    def set_study_state(self, study_id: int, state: StudyState) -> None:
        """Set the state of a study."""
        with self.writing(study_id) as connection:
            change_study(connection, study_id, {"state": StudyState(state)})

    def delete_study(self, study_id: int) -> None:
        """Delete a study and everything recorded for it."""
        with self.writing(study_id) as connection:
            connection.execute(delete(tables.study).where(tables.study.c.id == study_id))

    def add_trial(
        self, study_id: int, *, number: int, phase: Phase, cell: int | None, params: Mapping[str, Any]
    ) -> None:
        """Add a waiting trial; a repeat is ignored, one with another phase, cell or params adds a conflict event."""
        row = {"study_id": study_id, "number": number, "phase": Phase(phase), "cell": cell, "params": params}
        with self.writing(study_id) as connection:
            conflicts = insert_new(connection, tables.trial, [row], _NEW_TRIAL)
            leave_conflicts(connection, study_id, number, conflicts)

    def start_trial(
        self,
        study_id: int,
        number: int,
        *,
        worker: str,
        started_at: datetime,
        versions: Mapping[str, str],
        attempt: int | None = None,
    ) -> int:
        """Record the start of an attempt at a trial, by default the next; return its number, from 1.

        If that attempt was recorded before, nothing changes. Epochs of earlier attempts are kept: when they are
        trained again, their records are repeats.
        """
        with self.writing(study_id) as connection:
            trial = trial_standing(connection, study_id, number)
            attempt = trial.attempt + 1 if attempt is None else attempt
            if attempt <= trial.attempt:
                return attempt
            if TrialState(trial.state).has_ended:
                message = f"trial {number} has ended ({trial.state}) and is not run again"
                raise StudiesError(message, "Give the same command again: it goes on from what is recorded.")
            changes = {"state": TrialState.RUNNING, "attempt": attempt, "attempt_epochs": 0}
            changes |= {"worker": readable(worker), "started_at": started_at, "versions": dict(versions)}
            change_trial(connection, trial, changes)
            return attempt

    def record_result(self, study_id: int, number: int, result: TrialResult) -> None:
        """Record one report of a trial completely or, if this raises, not at all."""
        num_needed = numbers_needed(result)
        with self.writing(study_id, num_needed) as connection:
            trial = trial_standing(connection, study_id, number)
            conflicts = record(connection, trial, result, trial.sequence - num_needed + 1)
            leave_conflicts(connection, study_id, number, conflicts)
            for artifact in result.ending.artifacts if result.ending is not None else ():
                put_artifact(connection, study_id, artifact, number)

    def add_event(
        self, study_id: int, kind: str, trial_number: int | None, detail: str, at: datetime | None = None
    ) -> None:
        """Add an event, dated now unless `at` is given; one that repeats kind and time `at` is ignored."""
        with self.writing(study_id) as connection:
            if at is None or not has_event(connection, study_id, kind, at):
                leave_event(connection, study_id, kind, trial_number, detail, at)

    def add_artifact(self, study_id: int, artifact: Artifact, trial_number: int | None = None) -> None:
        """Record a file; if its path was recorded before, the new content replaces it."""
        with self.writing(study_id) as connection:
            put_artifact(connection, study_id, artifact, trial_number)

    def add_samples(
        self, study_id: int, trial_number: int, replicate: int, samples: Sequence[Mapping[str, Any]]
    ) -> None:
        """Record single examples of a network's test part, and what it says of them, with its evaluation."""
        with self.writing(study_id) as connection:
            put_samples(connection, study_id, trial_number, replicate, [dict(each) for each in samples])

    @contextmanager
    def together(self, study_id: int) -> Iterator[None]:
        """Combine everything that this thread writes to a study inside the context into one transaction."""
        with self.writing(study_id) as connection:
            self._joint.connection = connection
            try:
                yield
            finally:
                self._joint.connection = None

    @contextmanager
    def writing(self, study_id: int, num_needed: int = 0) -> Iterator[Connection]:
        """Open a write transaction on a study, or join the one that is open, and reserve `num_needed` sequence numbers.

        It updates the study's row first, so that writers of one study wait for each other. Raises HeldError if this
        store holds the study and another run has taken it over.
        """
        joint: Connection | None = getattr(self._joint, "connection", None)
        if joint is not None:
            # The open transaction has checked the token, which no other run can raise until it ends.
            if num_needed:
                touch(joint, study_id, num_needed)
            yield joint
            return
        held = self._leases.get(study_id)
        with storing(self._backend.url), self._engine.begin() as connection:
            if not touch(connection, study_id, num_needed, None if held is None else held.token):
                found = lease.read(connection, study_id)
                assert held is not None, f"study {study_id} appeared between two statements"
                held.check(found)
            yield connection
