"""What a database engine must supply; everything else in this package is the same for all."""

from abc import ABC, abstractmethod
from contextlib import AbstractContextManager
from json import JSONEncoder
from pathlib import Path
from typing import Any, Final, Self

from sqlalchemy import URL, Connection, Engine

_encode: Final = JSONEncoder(allow_nan=False).encode


def to_json(value: Any) -> str:
    """Return the text of a JSON value; that of epochs without measures is known beforehand, and most have none."""
    return "{}" if value == {} else _encode(value)


# Strict JSON: PostgreSQL refuses NaN, so SQLite must not be given one either.
ENGINE_OPTIONS: Final[dict[str, Any]] = {
    "hide_parameters": True,
    "json_serializer": to_json,
}


class Lock(ABC):
    """A lock that is dropped when its process dies: by the operating system, or by a server with the connection."""

    @abstractmethod
    def keep(self) -> None:
        """Take the lock again if it was lost though the process lives."""

    @abstractmethod
    def release(self) -> None:
        """Let go of it."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.release()


class Backend(ABC):
    """One kind of database at one address."""

    def __init__(self, url: URL) -> None:
        self.url = url

    @abstractmethod
    def check(self) -> bool:
        """Return whether there is a database; raise a `UsageError` if it can never be used. Writes nothing."""

    @abstractmethod
    def check_place(self) -> None:
        """Raise a `UsageError` if a database cannot be made where `check` found none. Writes nothing."""

    @abstractmethod
    def create(self) -> None:
        """Make an empty database where `check` found none."""

    @abstractmethod
    def inspecting(self) -> AbstractContextManager[Connection]:
        """Connect to a database that must be left as it is found."""

    @abstractmethod
    def engine(self, *, enforce_keys: bool = True) -> Engine:
        """Return the engine; transactions take the write lock at once unless they are `reading`."""

    @abstractmethod
    def reading(self, engine: Engine) -> Engine:
        """Return a view of the engine whose transactions see one snapshot and lock nothing."""

    @abstractmethod
    def lock_schema(self, connection: Connection) -> None:
        """Keep others from changing the schema until the transaction ends."""

    @abstractmethod
    def lock(self, study_id: int, token: int) -> Lock | None:
        """Take the lock of a study's token; None where somebody else has it."""

    @abstractmethod
    def is_locked(self, connection: Connection, study_id: int, token: int) -> bool:
        """Say whether somebody has the lock of a study's token, without taking it."""

    @abstractmethod
    def remove_stale_locks(self, study_id: int) -> None:
        """Remove what killed holders of a study left behind."""

    @abstractmethod
    def copy(self) -> Path:
        """Copy the whole database to a file beside it, and return that; a `UsageError` where it cannot."""
