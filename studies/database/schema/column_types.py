"""Column types that behave the same in SQLite and PostgreSQL."""

from datetime import UTC, datetime
from enum import Enum as PythonEnum
from typing import Any

from sqlalchemy import DateTime, Dialect, Enum, TypeDecorator


class UtcDateTime(TypeDecorator[datetime]):
    """A time with its zone, stored and returned in UTC (SQLite alone would forget the zone)."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Move an aware time to UTC."""
        if value is None:
            return None
        assert value.tzinfo is not None, "a time without a zone cannot be stored"
        return value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Return the time in UTC, whatever zone the server speaks in."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


def choice(kind: type[PythonEnum]) -> Enum:
    """A text column that holds the values of an enum, without a type or constraint in the database.

    A new value then needs no migration.
    """

    def values(members: Any) -> list[str]:
        return [str(member.value) for member in members]

    return Enum(kind, native_enum=False, create_constraint=False, length=16, values_callable=values)
