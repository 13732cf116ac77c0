"""SQLite: the database file, its permissions and its locks."""

import glob
import os
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, final

from sqlalchemy import URL, Connection, Engine, NullPool, create_engine, event
from sqlalchemy.exc import DatabaseError

from studies.base.file_locks import FileLock, is_locked
from studies.database.engines.backend import ENGINE_OPTIONS, Backend, Lock
from studies.database.engines.problems import StorageError, unusable


@final
class LockedFile(FileLock, Lock):
    """A lease as a locked file, which is removed when it is released."""

    def keep(self) -> None:
        """Do nothing: the lock lasts as long as the process."""


BUSY_SECONDS: Final = 30
_WRITE_BITS: Final = 0o222
# Checking every page of a larger file would delay a resume.
_MAX_CHECKED_BYTES: Final = 64 * 2**20
_OTHER_PLACE: Final = "Make it writable, or give another --storage."


@final
class SQLite(Backend):
    """One file, readable by its owner only, with a write-ahead log beside it."""

    def __init__(self, url: URL) -> None:
        # Absolute, so that changing the directory does not change the database.
        self.path = Path(url.database or "").absolute()
        super().__init__(url.set(database=str(self.path)))

    def check(self) -> bool:
        """Check the file and its folder without opening either.

        Closing a file releases every POSIX lock that the process has on it (fcntl(2)), those of SQLite's connections
        too, whose next writes would be unprotected. So only SQLite opens the file.
        """
        if not os.path.exists(self.path):
            return False
        self._check_file()
        if not _is_writable(self.path.parent):
            raise unusable(self.url, "lies in a folder that is not writable", _OTHER_PLACE)
        return self.path.stat().st_size > 0

    def check_place(self) -> None:
        folder = self.path.parent
        if not folder.is_dir():
            advice = f"Create it (mkdir -p '{folder}'), or give another --storage."
            raise unusable(self.url, "lies in a folder that does not exist", advice)
        if not _is_writable(folder):
            raise unusable(self.url, "lies in a folder that is not writable", _OTHER_PLACE)

    def create(self) -> None:
        """Make the file with mode 0600 before SQLite opens it; its log files take the same mode."""
        self.check_place()
        try:
            os.close(os.open(self.path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
        except FileExistsError:
            pass  # another process has just made it
        except OSError as error:
            raise unusable(self.url, f"cannot be created: {error.strerror}", _OTHER_PLACE) from None

    @contextmanager
    def inspecting(self) -> Iterator[Connection]:
        """Open the file read-only; an ordinary reader of the log would leave files behind."""
        log = self.path.with_name(self.path.name + "-wal")
        immutable = not (log.exists() and log.stat().st_size > 0)
        address = f"{self.path.as_uri()}?mode=ro{'&immutable=1' if immutable else ''}"
        engine = create_engine(
            self.url,
            creator=lambda: sqlite3.connect(address, uri=True, timeout=BUSY_SECONDS),
            poolclass=NullPool,
            **ENGINE_OPTIONS,
        )
        with engine.connect() as connection:
            self._check_pages(connection)
            yield connection

    def engine(self, *, enforce_keys: bool = True) -> Engine:
        """Return an engine with a durable log, foreign keys and immediate write locks."""
        engine = create_engine(self.url, connect_args={"timeout": BUSY_SECONDS}, **ENGINE_OPTIONS)

        def configure(connection: Any, _: Any) -> None:
            connection.isolation_level = None  # `_begin` below opens every transaction
            _use_log(connection)
            connection.execute("PRAGMA synchronous = FULL")
            connection.execute(f"PRAGMA foreign_keys = {'ON' if enforce_keys else 'OFF'}")

        event.listen(engine, "connect", configure)
        event.listen(engine, "begin", _begin)
        return engine

    def reading(self, engine: Engine) -> Engine:
        """Return a view whose transactions read one snapshot of the log."""
        return engine.execution_options(studies_reading=True)

    def lock_schema(self, connection: Connection) -> None:
        """Do nothing: the transaction holds the only write lock already."""

    def lock(self, study_id: int, token: int) -> LockedFile | None:
        """Lock a file beside the database."""
        try:
            return LockedFile.take(self._lock_path(study_id, token))
        except OSError as error:
            message = f"the lock file {self._lock_path(study_id, token)} cannot be used: {error.strerror}"
            advice = "A storage on a disk of this machine has no such trouble; the same command then goes on."
            raise StorageError(message, advice) from error

    def is_locked(self, connection: Connection, study_id: int, token: int) -> bool:
        """Test the lock of the file beside the database."""
        return is_locked(self._lock_path(study_id, token))

    def remove_stale_locks(self, study_id: int) -> None:
        """Remove the lock files that no process has locked."""
        for path in self.path.parent.glob(glob.escape(self._lock_path(study_id, "").name) + "*"):
            if (stale := FileLock.take(path)) is not None:
                stale.release()

    def _lock_path(self, study_id: int, token: int | str) -> Path:
        return self.path.with_name(f"{self.path.name}-lease-{study_id}-{token}")

    def copy(self) -> Path:
        """Copy the database, with what is still in its log, to a file whose name has the time."""
        stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%S.%fZ")
        target = self.path.with_name(f"{self.path.name}.{stamp}.backup")
        os.close(os.open(target, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
        with closing(sqlite3.connect(self.path)) as source, closing(sqlite3.connect(target)) as copied:
            source.backup(copied)
        return target

    def _check_file(self) -> None:
        if not self.path.is_file():
            raise unusable(self.url, "is not a file", "Give the path of a file.")
        if not os.access(self.path, os.R_OK):
            raise unusable(self.url, "cannot be read", _OTHER_PLACE)
        if not _is_writable(self.path):
            raise unusable(self.url, "is read-only", _OTHER_PLACE)

    def _check_pages(self, connection: Connection) -> None:
        """Refuse a file that SQLite cannot read; of a large file only the header is checked."""
        is_large = self.path.stat().st_size > _MAX_CHECKED_BYTES
        try:
            found = connection.exec_driver_sql(
                f"PRAGMA {'schema_version' if is_large else 'quick_check(1)'}"
            ).scalar()
        except DatabaseError as error:
            raise self._unreadable(error) from None
        if not is_large and found != "ok":
            raise self._damaged(" ".join(str(found).split()))

    def _unreadable(self, error: DatabaseError) -> Exception:
        match getattr(error.orig, "sqlite_errorname", None):
            case "SQLITE_NOTADB":
                advice = "Give another --storage; the file was left as it is."
                return unusable(self.url, "is not a database", advice)
            case "SQLITE_CORRUPT":
                return self._damaged(str(error.orig))
        return error

    def _damaged(self, why: str) -> Exception:
        advice = "Restore it from a backup, or give another --storage; the file was left as it is."
        return unusable(self.url, f"is damaged: {why}", advice)


def _use_log(connection: sqlite3.Connection) -> None:
    """Switch the file to a write-ahead log, unless it has one.

    SQLite does not wait for a lock here (its busy handler is left out while the journal mode changes), so that of
    several processes that open a new file some would fail at once.
    """
    until = time.monotonic() + BUSY_SECONDS
    while connection.execute("PRAGMA journal_mode").fetchone()[0] != "wal":
        try:
            connection.execute("PRAGMA journal_mode = WAL")
            return  # a disk that allows no such log keeps its journal
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode != sqlite3.SQLITE_BUSY or time.monotonic() > until:
                raise
            time.sleep(0.01)


def _begin(connection: Connection) -> None:
    """Begin a transaction; one that writes takes the write lock at once, so that it never fails to upgrade."""
    reading = connection.get_execution_options().get("studies_reading", False)
    connection.exec_driver_sql("BEGIN" if reading else "BEGIN IMMEDIATE")


def _is_writable(path: Path) -> bool:
    """Whether this process may write here; what is marked read-only is respected even by root."""
    return bool(path.stat().st_mode & _WRITE_BITS) and os.access(path, os.W_OK)
