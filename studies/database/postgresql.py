"""PostgreSQL through psycopg 3: time limits and locks; the only file that knows them."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final, final

from sqlalchemy import Connection, Engine, create_engine, text

from studies.database.backend import ENGINE_OPTIONS, Backend
from studies.database.problems import unusable

_SCHEMA_LOCK: Final = 0x5354_5544_4945_53  # "STUDIES"
_CONNECT_ARGS: Final = {
    "connect_timeout": "10",
    "options": "-c statement_timeout=60s -c lock_timeout=30s",
    "application_name": "studies",
}


@final
class PostgreSQL(Backend):
    """One database on a server; it must exist, its tables need not."""

    def check(self) -> bool:
        """Say that there is a database: only connecting shows otherwise."""
        return True

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
        given: dict[str, Any] = {
            key: value for key, value in _CONNECT_ARGS.items() if key not in self.url.query
        }
        try:
            return create_engine(self.url, pool_pre_ping=True, connect_args=given, **ENGINE_OPTIONS)
        except ImportError:
            advice = 'Install it: pip install "studies[postgres]"'
            raise unusable(self.url, "needs psycopg, which is not installed", advice) from None

    def reading(self, engine: Engine) -> Engine:
        """Return a view whose transactions read one snapshot."""
        return engine.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)

    def lock_schema(self, connection: Connection) -> None:
        """Wait for everybody else who creates or upgrades the tables."""
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _SCHEMA_LOCK})

    def copy(self) -> Path:
        """Refuse: a server's databases are copied with its own tools."""
        raise unusable(
            self.url, "is on a server", "Copy it with pg_dump --format=custom --file=studies.dump."
        )
