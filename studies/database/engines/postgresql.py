"""PostgreSQL through psycopg 3: its connections, time limits and locks."""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Final, Self, final

from sqlalchemy import URL, Connection, Engine, NullPool, create_engine, event, text
from sqlalchemy.exc import DBAPIError

from studies.database.engines.backend import ENGINE_OPTIONS, Backend, Lock
from studies.database.engines.problems import storing, unusable

KEEPALIVES: Final = {
    # A dead server or network is noticed within seconds, rather than after a quarter of an hour or more.
    "keepalives": "1",
    "keepalives_idle": "10",
    "keepalives_interval": "5",
    "keepalives_count": "3",
    "tcp_user_timeout": "10000",
}
CONNECT_ARGS: Final = {
    **KEEPALIVES,
    "connect_timeout": "5",
    # The same on the server's side: a holder whose machine is dead loses the lock within half a minute.
    "options": "-c statement_timeout=5s -c tcp_keepalives_idle=10 -c tcp_keepalives_interval=5 "
    "-c tcp_keepalives_count=3",
    "application_name": "studies lease",
}
# The key depends on the table itself, not on the search_path; hashing keeps it apart from other programs' keys.
_KEY: Final = "hashtextextended(concat_ws('/', 'studies', 'study'::regclass::oid, :study_id, :token), 0)"
_TAKE: Final = text(f"SELECT pg_try_advisory_lock({_KEY})")
_RELEASE: Final = text("SELECT pg_advisory_unlock_all()")
_LOOK: Final = text(f"SELECT pg_try_advisory_xact_lock_shared({_KEY})")


@final
class AdvisoryLock(Lock):
    """The lock of one study and token; `keep` takes it again on a new connection if the old one was lost."""

    def __init__(self, engine: Engine, study_id: int, token: int) -> None:
        self._engine = engine
        self._key = {"study_id": study_id, "token": token}
        self._connection: Connection | None = None

    @classmethod
    def take(cls, engine: Engine, study_id: int, token: int) -> Self | None:
        """Take the lock on a new connection of `engine`; return None if another process holds it."""
        lock = cls(engine, study_id, token)
        lock._connect()
        return lock if lock._connection is not None else None

    def keep(self) -> None:
        """Take the lock again if its connection was lost.

        That can fail while the server has not noticed the death of the old connection, or while another process tests
        the lock; the next call then tries again.
        """
        if self._connection is not None:
            try:
                self._connection.execute(text("SELECT 1"))
                return
            except DBAPIError:
                self._disconnect()
        self._connect()

    def release(self) -> None:
        """Release the lock and close the connection."""
        if self._connection is not None:
            with suppress(DBAPIError):  # a lost connection has released the lock
                self._connection.execute(_RELEASE)
            self._disconnect()

    def _disconnect(self) -> None:
        assert self._connection is not None
        connection, self._connection = self._connection, None
        connection.invalidate()  # sends nothing to a server that may be gone
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
    """Return whether some process holds the lock; the shared lock taken to find out ends with the transaction."""
    return not connection.scalar(_LOOK, {"study_id": study_id, "token": token})


_SCHEMA_LOCK: Final = 0x5354_5544_4945_53  # "STUDIES"
_CONNECT_ARGS: Final = {
    **KEEPALIVES,
    "connect_timeout": "10",
    # A driver that hangs inside a transaction is disconnected before those that wait for it give up.
    "options": "-c statement_timeout=60s -c lock_timeout=30s -c idle_in_transaction_session_timeout=25s",
    "application_name": "studies",
}


@final
class PostgreSQL(Backend):
    """One database on a server; the database must exist, its tables need not."""

    def __init__(self, url: URL) -> None:
        """Keep the environment's password, which is removed from there while workers are started."""
        super().__init__(url)
        is_given = url.password is not None or "password" in url.query
        self._password = None if is_given else os.environ.get("PGPASSWORD")

    def check(self) -> bool:
        """Return True: only connecting shows otherwise."""
        return True

    def check_place(self) -> None:
        """Do nothing: the database exists, or connecting fails."""

    def create(self) -> None:
        """Do nothing: databases are made by the server's administrator."""

    @contextmanager
    def inspecting(self) -> Iterator[Connection]:
        """Connect for reading only."""
        engine = self.engine()
        try:
            with self.reading(engine).connect() as connection:
                yield connection
        finally:
            engine.dispose()

    def engine(self, *, enforce_keys: bool = True) -> Engine:
        """Return an engine that notices dead connections and never waits for ever."""
        given = self._completed(_CONNECT_ARGS)
        try:
            engine = create_engine(self.url, pool_pre_ping=True, connect_args=given, **ENGINE_OPTIONS)
        except ImportError:
            advice = 'Install it: pip install "psycopg[binary]"'
            raise unusable(self.url, "needs psycopg, which is not installed", advice) from None
        event.listen(engine, "checkin", _leave_to_the_server)
        return engine

    def _completed(self, connect_args: Mapping[str, str]) -> dict[str, str]:
        """Return the connection arguments that the URL does not set itself, and the environment's password."""
        given = {key: value for key, value in connect_args.items() if key not in self.url.query}
        return given if self._password is None else given | {"password": self._password}

    def reading(self, engine: Engine) -> Engine:
        """Return a view whose transactions read one snapshot."""
        return engine.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)

    def lock_schema(self, connection: Connection) -> None:
        """Wait for other processes that create or upgrade the tables."""
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _SCHEMA_LOCK})

    def lock(self, study_id: int, token: int) -> AdvisoryLock | None:
        """Take the lock on a connection of its own."""
        engine = create_engine(
            self.url,
            poolclass=NullPool,
            isolation_level="AUTOCOMMIT",
            connect_args=self._completed(CONNECT_ARGS),
            **ENGINE_OPTIONS,
        )
        with storing(self.url):
            return AdvisoryLock.take(engine, study_id, token)

    def is_locked(self, connection: Connection, study_id: int, token: int) -> bool:
        """Try to take it shared, which any number of processes may do, until the transaction ends."""
        return is_locked(connection, study_id, token)

    def remove_stale_locks(self, study_id: int) -> None:
        """Do nothing: an advisory lock leaves no files."""

    def copy(self) -> Path:
        """Raise `UsageError`: a server's databases are copied with its own tools."""
        raise unusable(
            self.url, "is on a server", "Copy it with pg_dump --format=custom --file=studies.dump."
        )


def _leave_to_the_server(connection: Any, _: Any) -> None:
    """Let the server decide whether a connection may write.

    After a read-only transaction SQLAlchemy would request read-write mode explicitly for the next one: that overrides
    an administrator who made the database read-only, and fails on a standby.
    """
    if connection is not None and not connection.closed:
        connection.read_only = None
