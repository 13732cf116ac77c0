"""The lease of a study: one run at a time may write it, and a run that has lost the lease is refused at its next write.

A lock that is released when its holder dies tells whether a study is held. A fencing token in the study's row, raised
by one for each holder, is checked in every write. Each token has its own lock, so that a study can be taken over from
a run that hangs.
"""

import os
import socket
import threading
import time
from contextlib import ExitStack, nullcontext, suppress
from datetime import UTC, datetime
from typing import Any, Final, final

from sqlalchemy import Connection, Engine, select, update

from studies.base.errors import HeldError, StudiesError
from studies.base.states import StudyState
from studies.database.engines.backend import Backend, Lock
from studies.database.engines.problems import StorageError, storing
from studies.database.rows import HeldStudy, Holder, LeaseRow
from studies.database.schema import tables

SECONDS_BETWEEN_LOOKS: Final = 1.0
"""How often a holder checks its lock and token, and whether it is asked to stop."""
SECONDS_OF_GRACE: Final = 0.3
"""How long a lock is retried: a process that is just ending, or only testing the lock, has released it by then."""
SECONDS_TO_BE_NAMED: Final = 3.0
"""How long a lock is retried while the row names no holder, who is then just starting or ending."""
MAX_SECONDS_TO_RELEASE: Final = 3.0
"""How long the end of a run waits for a database that hangs; the lock ends with the process."""

_COLUMNS = [tables.study.c[name] for name in LeaseRow.__dataclass_fields__]
_NOBODY: Final = dict.fromkeys(("holder_host", "holder_process", "held_since"))


@final
class Lease:
    """The right to write a study; `lost` is the error to raise after another run has taken it over.

    A thread checks it every second: it takes the lock again if a connection was lost and nobody else has taken it, and
    sets `stop_requested` when somebody asked the run to stop.
    """

    def __init__(self, backend: Backend, engine: Engine, taken: LeaseRow, lock: Lock) -> None:
        """Start the thread that watches the lease `taken`, whose lock is `lock`."""
        self.token = taken.fencing_token
        self.lost: HeldError | None = None
        self.stop_requested = False
        self._study_id = taken.id
        self._backend, self._engine, self._lock = backend, engine, lock
        self._released = threading.Event()
        self._watch = threading.Thread(target=self._keep_watch, name="studies-lease", daemon=True)
        self._watch.start()

    def check(self, found: LeaseRow) -> None:
        """Raise HeldError if the study's row `found` shows another run's token."""
        if found.fencing_token != self.token:
            self.lost = _taken_over(found)
            raise self.lost

    def confirm(self) -> bool:
        """Ask the storage whether another run has taken the study over; if it does not answer, what was known holds."""
        if self.lost is None:
            with suppress(StudiesError):
                self.check(_found(self._backend, self._engine, self._study_id))
        return self.lost is None

    def release(self) -> None:
        """Release the study; if another run has taken it over, that run keeps it."""
        self._released.set()
        self._watch.join(MAX_SECONDS_TO_RELEASE)

    def _keep_watch(self) -> None:
        while not self._released.wait(SECONDS_BETWEEN_LOOKS):
            # If the database does not answer, the next check may find it again; failing writes report the problem.
            with suppress(StudiesError):
                self._look()
        # If the database is unreachable, the row keeps our name, which blocks nobody: the lock is released in any case.
        with suppress(StorageError), storing(self._backend.url), self._engine.begin() as connection:
            _change(connection, self._study_id, self.token, _NOBODY)
        self._lock.release()

    def _look(self) -> None:
        if self.lost is not None:
            return
        with storing(self._backend.url):
            self._lock.keep()
        found = _found(self._backend, self._engine, self._study_id)
        self.check(found)
        self.stop_requested = found.stop_requested_at is not None


def take(backend: Backend, engine: Engine, study_id: int, *, take_over: bool) -> Lease:
    """Take the lease of a study; raise HeldError that names the holder if another run has it.

    With `take_over` it is taken from the present holder, whose writes are refused from then on.
    """
    started = time.monotonic()
    first = found = _found(backend, engine, study_id)
    while (
        lease := _try(backend, engine, found, take_over and found.fencing_token == first.fencing_token)
    ) is None:
        grace = SECONDS_TO_BE_NAMED if found.holder is None else SECONDS_OF_GRACE
        if time.monotonic() > started + grace:
            raise held(found.name, found.holder)
        time.sleep(0.02)
        found = _found(backend, engine, study_id)
    backend.remove_stale_locks(study_id)
    return lease


def read(connection: Connection, study_id: int) -> LeaseRow:
    """Return the lease columns of a study's row; raise StudiesError if there is no such study."""
    row = connection.execute(select(*_COLUMNS).where(tables.study.c.id == study_id)).one_or_none()
    if row is None:
        raise StudiesError(f"study {study_id} is not in the storage", "See what is there: studies list")
    return LeaseRow(**row._mapping)


def find_holder(backend: Backend, engine: Engine, study_id: int) -> Holder | None:
    """Return the run that holds a study, None if none does, even if the row still names a run that was killed."""
    with storing(backend.url), backend.reading(engine).begin() as connection:
        found = read(connection, study_id)
        return found.holder if backend.is_locked(connection, study_id, found.fencing_token) else None


def held_studies(backend: Backend, engine: Engine, *, event: str, own: int) -> list[HeldStudy]:
    """Return the studies in state `running` that some run holds, longest held first, with its last event of a kind.

    Study `own` is known to be held, so that its lock is not tested.
    """
    study, of_kind = tables.study.c, tables.event.c
    detail = (
        select(of_kind.detail)
        .where(of_kind.study_id == study.id, of_kind.kind == event, of_kind.at >= study.held_since)
        .order_by(of_kind.sequence.desc())
        .limit(1)
        .correlate(tables.study)
        .scalar_subquery()
    )
    query = (
        select(study.id, study.held_since, study.fencing_token, detail.label("detail"))
        .where(study.state == StudyState.RUNNING, study.holder_process.is_not(None))
        .order_by(study.held_since, study.id)
    )
    with storing(backend.url), backend.reading(engine).begin() as connection:
        return [
            HeldStudy(id=row.id, since=row.held_since, detail=row.detail)
            for row in connection.execute(query).all()
            if row.id == own or backend.is_locked(connection, row.id, row.fencing_token)
        ]


def request_stop(backend: Backend, engine: Engine, study_id: int) -> Holder | None:
    """Ask the holder of a study to stop, and return it; None if no run holds the study."""
    with storing(backend.url), engine.begin() as connection:
        found = read(connection, study_id)
        if not backend.is_locked(connection, study_id, found.fencing_token):
            return None
        _change(connection, study_id, found.fencing_token, {"stop_requested_at": datetime.now(UTC)})
        return found.holder


def held(name: str, holder: Holder | None) -> HeldError:
    """Return the error for a study that another run holds."""
    advice = f"See how it goes: studies status {name} --watch\nStop it: studies stop {name}"
    if holder is not None and holder.host != socket.gethostname():
        advice += f"\nOnly if {holder.host} is known to be dead: give the same command with --take-over."
    return HeldError(f"study {name} is held by {_described(holder)}", advice)


def _taken_over(found: LeaseRow) -> HeldError:
    advice = f"What was recorded is kept, and the other run goes on from it: studies status {found.name}"
    return HeldError(f"study {found.name} was taken over by {_described(found.holder)}", advice)


def _described(holder: Holder | None) -> str:
    if holder is None:
        return "another run"
    since = f"{holder.since:%Y-%m-%d %H:%M:%S} UTC"
    return f"another run: process {holder.process} on {holder.host}, since {since}"


def _try(backend: Backend, engine: Engine, found: LeaseRow, take_over: bool) -> Lease | None:
    """Take the next token if its lock is free, and so is that of the present token; None otherwise."""
    mine = backend.lock(found.id, found.fencing_token + 1)
    if mine is None:
        return None
    with ExitStack() as unless_taken:
        unless_taken.callback(mine.release)
        theirs = backend.lock(found.id, found.fencing_token)
        with nullcontext() if theirs is None else theirs:
            taken = _advance(backend, engine, found) if theirs is not None or take_over else None
        if taken is None:
            return None
        unless_taken.pop_all()
    return Lease(backend, engine, taken, mine)


def _advance(backend: Backend, engine: Engine, found: LeaseRow) -> LeaseRow | None:
    """Raise the token in the study's row and name this process as its holder; None if another process was first."""
    holder = {"holder_host": socket.gethostname(), "holder_process": os.getpid()}
    now = {"held_since": datetime.now(UTC), "stop_requested_at": None}
    with storing(backend.url), engine.begin() as connection:
        changes = {"fencing_token": found.fencing_token + 1} | holder | now
        if not _change(connection, found.id, found.fencing_token, changes):
            return None
        return read(connection, found.id)


def _change(connection: Connection, study_id: int, token: int, changes: dict[str, Any]) -> bool:
    """Update a study's row if its token is still `token`; return whether it was."""
    this = (tables.study.c.id == study_id) & (tables.study.c.fencing_token == token)
    return connection.execute(update(tables.study).where(this).values(changes)).rowcount == 1


def _found(backend: Backend, engine: Engine, study_id: int) -> LeaseRow:
    with storing(backend.url), backend.reading(engine).begin() as connection:
        return read(connection, study_id)
