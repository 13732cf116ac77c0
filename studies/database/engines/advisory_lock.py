"""A lock in PostgreSQL on a connection of its own, which the server drops when that connection ends."""

from contextlib import suppress
from typing import Final, Self, final

from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import DBAPIError

from studies.database.engines.backend import Lock

KEEPALIVES: Final = {
    # A server whose machine or network is gone is noticed in seconds, not after a quarter of an hour or two hours.
    "keepalives": "1",
    "keepalives_idle": "10",
    "keepalives_interval": "5",
    "keepalives_count": "3",
    "tcp_user_timeout": "10000",
}
CONNECT_ARGS: Final = {
    **KEEPALIVES,
    "connect_timeout": "5",
    # The same from the server's side: a holder whose machine is gone loses the lock in half a minute.
    "options": "-c statement_timeout=5s -c tcp_keepalives_idle=10 -c tcp_keepalives_interval=5 "
    "-c tcp_keepalives_count=3",
    "application_name": "studies lease",
}
# Whoever reaches the same table gets the same key, whatever their search_path; the hash keeps it apart from other
# programs' keys.
_KEY: Final = "hashtextextended(concat_ws('/', 'studies', 'study'::regclass::oid, :study_id, :token), 0)"
_TAKE: Final = text(f"SELECT pg_try_advisory_lock({_KEY})")
_RELEASE: Final = text("SELECT pg_advisory_unlock_all()")
_LOOK: Final = text(f"SELECT pg_try_advisory_xact_lock_shared({_KEY})")


@final
class AdvisoryLock(Lock):
    """The lock of one study and token; `keep` takes it again on a new connection when the old one was lost."""

    def __init__(self, engine: Engine, study_id: int, token: int) -> None:
        self._engine = engine
        self._key = {"study_id": study_id, "token": token}
        self._connection: Connection | None = None

    @classmethod
    def take(cls, engine: Engine, study_id: int, token: int) -> Self | None:
        """Take the lock, on a connection that `engine` makes for it; return None where somebody else has it."""
        lock = cls(engine, study_id, token)
        lock._connect()
        return lock if lock._connection is not None else None

    def keep(self) -> None:
        """Take the lock again if its connection was lost.

        Where it cannot be had, because the server does not know yet that the old connection is dead or because
        somebody just looks whether it is free, the next call tries again.
        """
        if self._connection is not None:
            try:
                self._connection.execute(text("SELECT 1"))
                return
            except DBAPIError:
                self._disconnect()
        self._connect()

    def release(self) -> None:
        """Let go of the lock, which is free when this returns, and end the connection."""
        if self._connection is not None:
            with suppress(DBAPIError):  # a connection that is lost has lost the lock, too
                self._connection.execute(_RELEASE)
            self._disconnect()

    def _disconnect(self) -> None:
        assert self._connection is not None
        connection, self._connection = self._connection, None
        connection.invalidate()  # without a word to a server that may not be there
        connection.close()

    def _connect(self) -> None:
        connection = self._engine.connect()
        is_taken = False
        try:
            is_taken = bool(connection.scalar(_TAKE, self._key))
        finally:
            if is_taken:
                self._connection = connection
            else:
                connection.close()


def is_locked(connection: Connection, study_id: int, token: int) -> bool:
    """Say whether somebody has the lock; what this takes to find out is dropped with the transaction."""
    return not connection.scalar(_LOOK, {"study_id": study_id, "token": token})
