"""What a database engine must supply; everything else in this package is the same for all."""

from abc import ABC, abstractmethod
from contextlib import AbstractContextManager
from json import JSONEncoder
from pathlib import Path
from typing import Any, Final

from sqlalchemy import URL, Connection, Engine

# Strict JSON: PostgreSQL refuses NaN, so SQLite must not be given one either.
ENGINE_OPTIONS: Final[dict[str, Any]] = {
    "hide_parameters": True,
    "json_serializer": JSONEncoder(allow_nan=False).encode,
}


class Backend(ABC):
    """One kind of database at one address."""

    def __init__(self, url: URL) -> None:
        self.url = url

    @abstractmethod
    def check(self) -> bool:
        """Return whether there is a database; raise a `UsageError` if it can never be used. Writes nothing."""

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
    def copy(self) -> Path:
        """Copy the whole database to a file beside it, and return that; a `UsageError` where it cannot."""
