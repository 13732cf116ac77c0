"""PostgreSQL through psycopg 3: time limits and locks; the only file that knows them."""

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


_SCHEMA_LOCK: Final = 0x5354_5544_4945_53  # "STUDIES"
_CONNECT_ARGS: Final = {
    **KEEPALIVES,
    "connect_timeout": "10",
    # A driver that hangs within a transaction is thrown out before those who wait for it give up.
    "options": "-c statement_timeout=60s -c lock_timeout=30s -c idle_in_transaction_session_timeout=25s",
    "application_name": "studies",
}


@final
class PostgreSQL(Backend):
    """One database on a server; it must exist, its tables need not."""

    def __init__(self, url: URL) -> None:
        """Keep the password of the environment, from which it is taken away while workers are started."""
        super().__init__(url)
        is_given = url.password is not None or "password" in url.query
        self._password = None if is_given else os.environ.get("PGPASSWORD")

    def check(self) -> bool:
        """Say that there is a database: only connecting shows otherwise."""
        return True

    def check_place(self) -> None:
        """Nothing to check: there is a database, or connecting has failed."""

    def create(self) -> None:
        """Nothing to do: a server's databases are made by those who run it."""

    @contextmanager
    def inspecting(self) -> Iterator[Connection]:
        """Connect for reading alone."""
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
        """Return what the URL does not say itself, and the environment's password."""
        given = {key: value for key, value in connect_args.items() if key not in self.url.query}
        return given if self._password is None else given | {"password": self._password}

    def reading(self, engine: Engine) -> Engine:
        """Return a view whose transactions read one snapshot."""
        return engine.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)

    def lock_schema(self, connection: Connection) -> None:
        """Wait for everybody else who creates or upgrades the tables."""
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
        """Try it, as many may at the same time, for as long as the transaction lasts."""
        return is_locked(connection, study_id, token)

    def remove_stale_locks(self, study_id: int) -> None:
        """Nothing to do: a lock leaves nothing behind."""

    def copy(self) -> Path:
        """Refuse: a server's databases are copied with its own tools."""
        raise unusable(
            self.url, "is on a server", "Copy it with pg_dump --format=custom --file=studies.dump."
        )


def _leave_to_the_server(connection: Any, _: Any) -> None:
    """Let the server say whether a connection may write.

    After a transaction that only reads, SQLAlchemy would have the next one ask for leave to write in so many words:
    against the will of an administrator who has made the database read-only, and in vain where a standby answers.
    """
    if connection is not None and not connection.closed:
        connection.read_only = None
