"""The module that writes during a run: to the storage or, while that is unreachable, to the spool, in order."""

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext
from datetime import UTC, datetime
from types import TracebackType
from typing import Any, Final, Self, final

from studies.base.errors import HeldError, StudiesError
from studies.base.states import Phase, StudyState
from studies.database.engines.problems import OutageError
from studies.database.results import TrialResult
from studies.database.retry import MAX_SECONDS_OUT, RetryLimit, pauses
from studies.database.spool import Spool, Waiting
from studies.database.spool_problems import SpoolError, left_behind, refused
from studies.database.store import Store
from studies.database.writes import AddEvent, AddTrial, RecordResult, SetStudyState, StartTrial, Write

MAX_SECONDS_DEFERRED: Final = 0.2
"""How long the record of a trial's start waits for another write, to share its transaction."""
SECONDS_AFTER_REFUSAL: Final = 60.0


@final
class WriteBatch:
    """Writes of one transaction and their outcome, for which the caller waits unless all of them were deferred."""

    def __init__(self, *writes: Write) -> None:
        """Start without an outcome."""
        self.writes = writes
        self.is_written = False
        self.error: Exception | None = None


@final
class DeferredWrites:
    """Writes that join the next transaction, or get their own if none comes soon."""

    def __init__(self) -> None:
        """Start without writes."""
        self.writes: list[Write] = []
        self._until = 0.0

    def add(self, write: Write) -> None:
        """Add a write."""
        self.writes.append(write)
        self._until = time.monotonic() + MAX_SECONDS_DEFERRED

    def overdue(self) -> WriteBatch | None:
        """Return the deferred writes if they have waited long enough, else None."""
        return WriteBatch(*self.writes) if self.writes and time.monotonic() >= self._until else None

    def make_due(self) -> None:
        """Make the deferred writes due at once."""
        self._until = 0.0

    def seconds_left(self) -> float | None:
        """Return the seconds until the deferred writes are due; None if there are none."""
        return self._until - time.monotonic() if self.writes else None

    def drop(self, writes: tuple[Write, ...]) -> None:
        """Remove writes that have been written or put into the spool."""
        self.writes = [write for write in self.writes if not any(write is each for each in writes)]

    def retry_with_next(self) -> None:
        """Retry the deferred writes, which were refused, with the next write, which then raises the error."""
        self._until = time.monotonic() + SECONDS_AFTER_REFUSAL


MAX_SECONDS_OF_RETRIES: Final = 10.0
"""How long a caller waits for a write before it is put into the spool."""
SECONDS_TO_END: Final = 1.0
"""How long the end of a run waits for a write in progress."""
_SECONDS_BETWEEN_LOOKS: Final = 0.1


class HeldBackError(StudiesError):
    """The spool is full and the run is to stop, so this write was not accepted; a resume trains it again."""


@final
class Writer:
    """Writes to one study, with the store's own methods; what a method accepted survives the death of the process.

    Only the record of a trial's start and a trial's announcement return before they are durable: they join the
    transaction of the next write, or get their own shortly after. If the driver dies before, the trial is still
    waiting, or unknown, as if the driver had died earlier.

    A thread writes, so that no caller waits for a hanging server: a write that takes longer than 10 s goes to the
    spool, and all later ones go there at once until the thread has drained it. A write that the storage refuses for
    good, or because another run took over, raises; if it came from the spool, `failure` is set, which every later
    write raises.

    A full spool makes callers wait for room, but only briefly once the run is to stop.
    """

    def __init__(
        self,
        store: Store,
        study_id: int,
        spool: Spool,
        *,
        should_stop: Callable[[], bool] = lambda: False,
        tell: Callable[[str], None] = lambda text: None,
        max_seconds_of_retries: float = MAX_SECONDS_OF_RETRIES,
    ) -> None:
        """Write to the study `study_id`; `tell` gets messages for the user when the storage fails and returns."""
        self._store, self._study_id, self._spool = store, study_id, spool
        self._should_stop, self._tell = should_stop, tell
        self._max_seconds = max_seconds_of_retries
        self.failure: StudiesError | None = None
        self._changed = threading.Condition()
        self._batch: WriteBatch | None = None
        self._deferred = DeferredWrites()
        self._closed = threading.Event()
        self._outage: OutageError | None = None
        self._last_success = time.monotonic()
        self._thread = threading.Thread(target=self._work, name="storage-writer", daemon=True)
        self._thread.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop the thread, or abandon it if it hangs; what is still in the spool is written by the next run."""
        with self._changed:
            self._closed.set()
            self._changed.notify_all()
            self._spool.close()
        self._thread.join(SECONDS_TO_END)

    def announce_trial(
        self, study_id: int, *, number: int, phase: Phase, cell: int | None, params: Mapping[str, Any]
    ) -> None:
        """Add a waiting trial, deferred; before it is handed out, `confirm_trial` makes sure that it is durable."""
        self._defer(study_id, AddTrial(number=number, phase=phase, cell=cell, params=params))

    def confirm_trial(self, study_id: int, number: int) -> None:
        """Return once an announced trial is durable, which it is at once if anything was written since."""
        assert study_id == self._study_id, "a writer writes to one study"
        with self._changed:
            self._raise_failure()
            writes = tuple(self._deferred.writes)
            if any(isinstance(write, AddTrial) and write.number == number for write in writes):
                self._write_now(writes)

    def start_trial(
        self,
        study_id: int,
        number: int,
        *,
        worker: str,
        started_at: datetime,
        versions: Mapping[str, str],
        attempt: int,
    ) -> None:
        """Record the start of an attempt, deferred; the caller counts the attempts, as the storage may be away."""
        self._defer(
            study_id,
            StartTrial(
                number=number, worker=worker, started_at=started_at, versions=versions, attempt=attempt
            ),
        )

    def _defer(self, study_id: int, write: Write) -> None:
        assert study_id == self._study_id, "a writer writes to one study"
        with self._changed:
            self._raise_failure()
            self._deferred.add(write)
            self._changed.notify_all()

    def record_result(self, study_id: int, number: int, result: TrialResult) -> None:
        """Record one report of a trial."""
        self._write(study_id, RecordResult(number=number, result=result))

    def add_event(self, study_id: int, kind: str, trial_number: int | None, detail: str) -> None:
        """Add an event, dated now."""
        now = datetime.now(UTC)
        self._write(study_id, AddEvent(event=kind, trial_number=trial_number, detail=detail, at=now))

    def set_study_state(self, study_id: int, state: StudyState) -> None:
        """Set the state of the study."""
        self._write(study_id, SetStudyState(state=state))

    def settle(self, max_seconds_out: float = MAX_SECONDS_OUT) -> bool:
        """Wait until everything is in the storage; return False if it stays unreachable or the run is to stop."""
        patience = RetryLimit(max_seconds_out, self._should_stop)
        with self._changed:
            self._deferred.make_due()
            self._changed.notify_all()
            while not self._spool.is_empty or self._deferred.writes:
                self._raise_failure()
                if patience.is_over(self._last_success):
                    return False
                self._changed.wait(_SECONDS_BETWEEN_LOOKS)
        return True

    def left_behind(self) -> StudiesError:
        """Return the error of a run that ends before everything is in the storage."""
        return left_behind(self._spool.path, self._spool.num_waiting, self._why())

    def _write(self, study_id: int, write: Write) -> None:
        assert study_id == self._study_id, "a writer writes to one study"
        with self._changed:
            self._raise_failure()
            self._write_now((*self._deferred.writes, write))

    def _write_now(self, writes: tuple[Write, ...]) -> None:
        """Write to the storage, or keep in the spool; the caller holds the lock."""
        if not (self._spool.is_empty and self._is_written(writes)):
            for each in writes:
                self._keep(each)
        self._deferred.drop(writes)

    def _is_written(self, writes: Sequence[Write]) -> bool:
        """Pass writes to the thread; return whether they were written in time, or raise their error."""
        batch = self._batch = WriteBatch(*writes)
        self._changed.notify_all()
        patience = RetryLimit(self._max_seconds, self._should_stop)
        try:
            while not batch.is_written and batch.error is None and not patience.is_over():
                self._changed.wait(_SECONDS_BETWEEN_LOOKS)
        finally:
            self._batch = None
        if batch.error is not None:
            raise batch.error
        return batch.is_written

    def _keep(self, write: Write) -> None:
        """Append a write to the spool; wait while it is full."""
        if self._spool.is_full:
            self._tell(f"{self._spool.path} is full: training waits until the storage is back")
        while self._spool.is_full:
            if self._should_stop():
                raise HeldBackError(f"{self._spool.path} is full", "Give the same command again.")
            self._changed.wait(_SECONDS_BETWEEN_LOOKS)
            self._raise_failure()
        if self._spool.is_empty:
            self._tell(f"{self._why()}; meanwhile results are kept in {self._spool.path}")
        self._spool.append(write)
        self._changed.notify_all()

    def _why(self) -> str:
        return "the storage does not answer" if self._outage is None else self._outage.message

    def _raise_failure(self) -> None:
        if self.failure is not None:
            raise self.failure

    def _work(self) -> None:
        """Write batches and the spool's entries, one at a time, until closed (the thread)."""
        tries = pauses()
        while (job := self._next()) is not None:
            try:
                self._apply(job)
            except OutageError as outage:
                self._outage = outage
                self._closed.wait(next(tries))
            except Exception as error:
                self._refuse(job, error)
            else:
                self._finish(job)
                tries = pauses()

    def _apply(self, job: WriteBatch | Waiting) -> None:
        """Write a job in one transaction."""
        writes = job.writes if isinstance(job, WriteBatch) else (job.write,)
        with self._store.together(self._study_id) if len(writes) > 1 else nullcontext():
            for write in writes:
                write.apply(self._store, self._study_id)

    def _next(self) -> WriteBatch | Waiting | None:
        """Wait for the next thing to write and return it; None when closed, or after a failure."""
        with self._changed:
            while not self._closed.is_set():
                try:
                    job = self._spool.first() or self._batch or self._deferred.overdue()
                except SpoolError as error:
                    self._fail(error)
                    break
                if job is not None:
                    return job
                self._changed.wait(self._deferred.seconds_left())
        return None

    def _finish(self, job: WriteBatch | Waiting) -> None:
        with self._changed:
            self._outage, self._last_success = None, time.monotonic()
            if isinstance(job, WriteBatch):
                # If the caller has given up waiting, the batch is in the spool too, and its repeat is ignored.
                job.is_written = True
                self._batch = None if self._batch is job else self._batch
                self._deferred.drop(job.writes)
            elif not self._closed.is_set():
                self._drop(job)
            self._changed.notify_all()

    def _drop(self, job: Waiting) -> None:
        try:
            self._spool.drop(job)
        except SpoolError as error:
            self._fail(error)
        if self._spool.is_empty:
            self._tell(f"the storage is back; what waited in {self._spool.path} is in it")

    def _refuse(self, job: WriteBatch | Waiting, error: Exception) -> None:
        with self._changed:
            if isinstance(job, WriteBatch):
                job.error = error
                self._batch = None if self._batch is job else self._batch
                self._deferred.retry_with_next()
            elif isinstance(error, HeldError):
                self._fail(error)
            else:
                self._fail(refused(self._spool.path, job.number, error))
            self._changed.notify_all()

    def _fail(self, error: StudiesError) -> None:
        self.failure = error
        self._closed.set()
        self._changed.notify_all()
