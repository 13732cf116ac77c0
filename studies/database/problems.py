"""What went wrong with a storage, in our words, with what to do and without any password."""

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import URL
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from studies.database.address import secrets, shown
from studies.errors import StudiesError, UsageError


class StorageError(StudiesError):
    """The storage could not be read or written; the transaction left nothing behind."""


def unusable(url: URL, why: str, advice: str) -> UsageError:
    """Return the refusal of a storage that is left as it was found."""
    return UsageError([f"storage: {shown(url)} {why}"], advice)


@contextmanager
def refusing(url: URL) -> Iterator[None]:
    """Turn a failure to open a storage into a `UsageError`."""
    try:
        yield
    except SQLAlchemyError as error:
        why = f"cannot be opened: {reason(error, url)}"
        raise unusable(url, why, "Check the address, its server and its permissions.") from None


@contextmanager
def storing(url: URL) -> Iterator[None]:
    """Turn a failure to read or write an open storage into a `StorageError`."""
    try:
        yield
    except SQLAlchemyError as error:
        message = f"the storage {shown(url)} cannot be used: {reason(error, url)}"
        raise StorageError(
            message, "Check the disk or the server; the same command then goes on where it stopped."
        ) from error


def reason(error: SQLAlchemyError, url: URL) -> str:
    """Return the driver's own words on one line, with every password of the URL taken out."""
    words = str(error.orig) if isinstance(error, DBAPIError) else str(error)
    for secret in secrets(url):
        words = words.replace(secret, "***")
    return " ".join(words.split())
