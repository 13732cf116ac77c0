"""The lease of a study: one run at a time may write it, and whoever has lost it is refused at the next write.

A lock that dies with its holder says whether a study is held. A fencing token in the study's row, one higher for each
holder, is checked in every write. There is a lock for each token, so that a study can be taken from a run that hangs.
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
from studies.database.engines.backend import Backend, Lock
from studies.database.engines.problems import StorageError, storing
from studies.database.rows import Holder, LeaseRow
from studies.database.schema import tables

SECONDS_BETWEEN_LOOKS: Final = 1.0
"""How often a holder looks whether its lock and token are still its own, and whether it is asked to stop."""
SECONDS_OF_GRACE: Final = 0.3
"""How long a lock that somebody has is tried again: who is just ending, or only looking, is through by then."""
SECONDS_TO_BE_NAMED: Final = 3.0
"""How long a lock is tried again whose holder the row does not name: that one is just starting, or just ending."""
MAX_SECONDS_TO_RELEASE: Final = 3.0
"""How long the end of a run waits for a database that hangs; the lock goes with the process then."""

_COLUMNS = [tables.study.c[name] for name in LeaseRow.__dataclass_fields__]
_NOBODY: Final = dict.fromkeys(("holder_host", "holder_process", "held_since"))


@final
class Lease:
    """The right to write a study; `lost` is the error to raise once another run has taken it over.

    A thread looks every second. It takes the lock again where a connection was lost and nobody else has come, and
    sets `stop_requested` when somebody asks for that.
    """

    def __init__(self, backend: Backend, engine: Engine, taken: LeaseRow, lock: Lock) -> None:
        """Keep watch over what was taken."""
        self.token = taken.fencing_token
        self.lost: HeldError | None = None
        self.stop_requested = False
        self._study_id = taken.id
        self._backend, self._engine, self._lock = backend, engine, lock
        self._released = threading.Event()
        self._watch = threading.Thread(target=self._keep_watch, name="studies-lease", daemon=True)
        self._watch.start()

    def check(self, found: LeaseRow) -> None:
        """Raise HeldError if the study, as it was found, belongs to another run."""
        if found.fencing_token != self.token:
            self.lost = _taken_over(found)
            raise self.lost

    def release(self) -> None:
        """Give the study back; from a run that took it over nothing is taken."""
        self._released.set()
        self._watch.join(MAX_SECONDS_TO_RELEASE)

    def _keep_watch(self) -> None:
        while not self._released.wait(SECONDS_BETWEEN_LOOKS):
            # Where the database does not answer, the next look may find it back; writes say how bad it is.
            with suppress(StudiesError):
                self._look()
        # Where the database is away the row keeps our name. That keeps nobody out: the lock goes in any case.
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
    """Take the lease of a study; raise HeldError that says who has it.

    With `take_over` it is taken from whoever has it now; from then on their writes are refused.
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
    """Return what a study's row says of its lease; raise StudiesError if there is no such study."""
    row = connection.execute(select(*_COLUMNS).where(tables.study.c.id == study_id)).one_or_none()
    if row is None:
        raise StudiesError(f"study {study_id} is not in the storage", "See what is there: studies list")
    return LeaseRow(**row._mapping)


def find_holder(backend: Backend, engine: Engine, study_id: int) -> Holder | None:
    """Return who holds a study, None where nobody does, whatever a run that was killed left in the row."""
    with storing(backend.url), backend.reading(engine).begin() as connection:
        found = read(connection, study_id)
        return found.holder if backend.is_locked(connection, study_id, found.fencing_token) else None


def request_stop(backend: Backend, engine: Engine, study_id: int) -> Holder | None:
    """Ask the holder of a study to stop and return who that is; None where nobody holds it."""
    with storing(backend.url), engine.begin() as connection:
        found = read(connection, study_id)
        if not backend.is_locked(connection, study_id, found.fencing_token):
            return None
        _change(connection, study_id, found.fencing_token, {"stop_requested_at": datetime.now(UTC)})
        return found.holder


def held(name: str, holder: Holder | None) -> HeldError:
    """Return the refusal to run a study that somebody else holds."""
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
    """Take the next token, if its lock is free and so is the present one's: one who holds neither cannot write."""
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
    """Move the token on and write down who has it; None if somebody else has moved it."""
    holder = {"holder_host": socket.gethostname(), "holder_process": os.getpid()}
    now = {"held_since": datetime.now(UTC), "stop_requested_at": None}
    with storing(backend.url), engine.begin() as connection:
        changes = {"fencing_token": found.fencing_token + 1} | holder | now
        if not _change(connection, found.id, found.fencing_token, changes):
            return None
        return read(connection, found.id)


def _change(connection: Connection, study_id: int, token: int, changes: dict[str, Any]) -> bool:
    """Change a study's row if its token is still this one; return whether it was."""
    this = (tables.study.c.id == study_id) & (tables.study.c.fencing_token == token)
    return connection.execute(update(tables.study).where(this).values(changes)).rowcount == 1


def _found(backend: Backend, engine: Engine, study_id: int) -> LeaseRow:
    with storing(backend.url), backend.reading(engine).begin() as connection:
        return read(connection, study_id)
