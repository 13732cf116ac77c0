"""Errors of a storage as messages with advice, without passwords."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from sqlalchemy import URL
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError, SQLAlchemyError

from studies.base.errors import StudiesError, UsageError
from studies.database.engines.address import secrets, shown
from studies.database.engines.lock_holder import locked_words

_SQLITE_OUTAGES: Final = frozenset(
    {
        sqlite3.SQLITE_BUSY,  # locked for longer than the timeout
        sqlite3.SQLITE_LOCKED,
        sqlite3.SQLITE_PROTOCOL,
        sqlite3.SQLITE_READONLY,
        sqlite3.SQLITE_IOERR,
        sqlite3.SQLITE_FULL,  # the disk
        sqlite3.SQLITE_CANTOPEN,
    }
)
_READ_ONLY: Final = "25006"
_TOO_LARGE: Final = "54"
NO_UTF8: Final = "is damaged: it holds a text that is not valid UTF-8"
"""For where the driver raises UnicodeDecodeError, as when a table's definition is damaged."""


class NothingYetError(UsageError):
    """There is no storage to read, or it holds no study yet."""


class StorageError(StudiesError):
    """The storage could not be read or written; the transaction had no effect."""


class OutageError(StorageError):
    """The storage is unreachable or busy, and a retry may succeed. A commit may or may not have taken effect."""


def unusable(url: URL, why: str, advice: str) -> UsageError:
    """Return the error for a storage that cannot be used and was not changed."""
    return UsageError([f"storage: {shown(url)} {why}"], advice)


@contextmanager
def refusing(url: URL) -> Iterator[None]:
    """Turn a failure to open a storage into a `UsageError`."""
    try:
        yield
    except SQLAlchemyError as error:
        if _is_locked(error):
            raise unusable(url, *locked_words(Path(url.database or ""))) from None
        why = f"cannot be opened: {reason(error, url)}"
        raise unusable(url, why, "Check the address, its server and its permissions.") from None
    except UnicodeDecodeError:
        raise unusable(url, NO_UTF8, "Restore it from a backup, or give another --storage.") from None


@contextmanager
def storing(url: URL) -> Iterator[None]:
    """Turn a failure to read or write an open storage into a `StorageError`, or `OutageError` if it may pass."""
    try:
        yield
    except SQLAlchemyError as error:
        if _is_locked(error):
            why, advice = locked_words(Path(url.database or ""))
            raise OutageError(f"the storage {shown(url)} {why}", advice) from error
        message = f"the storage {shown(url)} cannot be used: {reason(error, url)}"
        kind = OutageError if is_outage(error) else StorageError
        raise kind(
            message, "Check the disk or the server; the same command then goes on where it stopped."
        ) from error
    except UnicodeDecodeError as error:
        message = f"the storage {shown(url)} {NO_UTF8}"
        raise StorageError(message, "Restore a copy of it from before; it was left as it is.") from error


def _is_locked(error: SQLAlchemyError) -> bool:
    """Return whether a SQLite file was locked for longer than its timeout."""
    if not isinstance(error, DBAPIError) or not isinstance(error.orig, sqlite3.Error):
        return False
    return getattr(error.orig, "sqlite_errorcode", 0) & 0xFF == sqlite3.SQLITE_BUSY


def is_outage(error: SQLAlchemyError) -> bool:
    """Return whether the same statement may succeed later, once the disk, server or network works again.

    True for a lost connection, a server that stops, starts, is full, read-only or waits for a lock, and a file that is
    locked, read-only or out of space. False if a row is refused (a key, type or size), tables are missing, or a file
    is damaged. Error codes: appendix A of PostgreSQL's manual; sqlite.org/rescode.
    """
    if not isinstance(error, DBAPIError):
        return False
    if isinstance(error.orig, sqlite3.Error):
        # The low byte is the primary result code; the rest extends it.
        return getattr(error.orig, "sqlite_errorcode", 0) & 0xFF in _SQLITE_OUTAGES
    code = getattr(error.orig, "sqlstate", None) or ""
    if isinstance(error, OperationalError | InterfaceError):
        return not code.startswith(_TOO_LARGE)
    return error.connection_invalidated or code == _READ_ONLY


def reason(error: SQLAlchemyError, url: URL) -> str:
    """Return the driver's message on one line, without the passwords of the URL."""
    words = str(error.orig) if isinstance(error, DBAPIError) else str(error)
    for secret in secrets(url):
        words = words.replace(secret, "***")
    return " ".join(words.split())
