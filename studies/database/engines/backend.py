"""The interface of a database engine; the rest of this package is the same for all engines."""

from abc import ABC, abstractmethod
from contextlib import AbstractContextManager
from json import JSONEncoder
from pathlib import Path
from typing import Any, Final, Self

from sqlalchemy import URL, Connection, Engine

_encode: Final = JSONEncoder(allow_nan=False).encode


def to_json(value: Any) -> str:
    """Return a value as JSON text; the empty object, which most epochs have, is a constant."""
    return "{}" if value == {} else _encode(value)


# Strict JSON: PostgreSQL refuses NaN, so SQLite does not get it either.
ENGINE_OPTIONS: Final[dict[str, Any]] = {
    "hide_parameters": True,
    "json_serializer": to_json,
}


class Lock(ABC):
    """A lock that is released when its process dies: by the operating system, or by a server with the connection."""

    @abstractmethod
    def keep(self) -> None:
        """Take the lock again if it was lost though the process lives."""

    @abstractmethod
    def release(self) -> None:
        """Release the lock."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.release()


class Backend(ABC):
    """A database of one kind at one address."""

    def __init__(self, url: URL) -> None:
        self.url = url

    @abstractmethod
    def check(self) -> bool:
        """Return whether the database exists; raise `UsageError` if it can never be used. Writes nothing."""

    @abstractmethod
    def check_place(self) -> None:
        """Raise `UsageError` if the database that `check` did not find cannot be made. Writes nothing."""

    @abstractmethod
    def create(self) -> None:
        """Make an empty database where `check` found none."""

    @abstractmethod
    def inspecting(self) -> AbstractContextManager[Connection]:
        """Connect without changing the database or its files."""

    @abstractmethod
    def engine(self, *, enforce_keys: bool = True) -> Engine:
        """Return the engine; a transaction takes the write lock when it begins, unless it is `reading`."""

    @abstractmethod
    def reading(self, engine: Engine) -> Engine:
        """Return a view of the engine whose transactions see one snapshot and take no locks."""

    @abstractmethod
    def lock_schema(self, connection: Connection) -> None:
        """Keep other processes from changing the schema until the transaction ends."""

    @abstractmethod
    def lock(self, study_id: int, token: int) -> Lock | None:
        """Take the lock of a study and fencing token; return None if another process holds it."""

    @abstractmethod
    def is_locked(self, connection: Connection, study_id: int, token: int) -> bool:
        """Return whether some process holds the lock of a study and fencing token, without taking it."""

    @abstractmethod
    def remove_stale_locks(self, study_id: int) -> None:
        """Remove lock files that killed holders of a study left behind."""

    @abstractmethod
    def copy(self) -> Path:
        """Copy the database to a file beside it and return its path; raise `UsageError` if that is not possible."""
