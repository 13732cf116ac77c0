"""Whether a database is sound by its own account, and still has the keys that keep rows from being there twice."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import sqlalchemy
from sqlalchemy import Connection, Inspector, Table

from studies.database.postgresql_integrity import check_server
from studies.database.schema import tables
from studies.database.sqlite_integrity import check_file

_OWN_CHECK: Final[dict[str, Callable[[Connection], tuple[str, list[str]]]]] = {
    "sqlite": check_file,
    "postgresql": check_server,
}


@dataclass(frozen=True, kw_only=True)
class Integrity:
    """What was asked of the database, in words, and a line for each fault that came up."""

    asked: str
    faults: Sequence[str]


def check_integrity(connection: Connection) -> Integrity:
    """Ask the database for its own check, and look whether every table has its keys. Writes nothing."""
    asked, faults = _OWN_CHECK[connection.dialect.name](connection)
    return Integrity(asked=asked, faults=[*faults, *_missing_keys(connection)])


def _missing_keys(connection: Connection) -> Iterator[str]:
    """Yield a line for each table that lacks a key: without one, rows can be there twice, or belong to nothing."""
    inspector = sqlalchemy.inspect(connection)
    for table in tables.metadata.sorted_tables:
        key = [column.name for column in table.primary_key]
        if set(inspector.get_pk_constraint(table.name)["constrained_columns"]) != set(key):
            yield f"the table {table.name} has no primary key of {', '.join(key)}"
        found = _found_references(inspector, table)
        for constraint in table.foreign_key_constraints:
            if sorted(constraint.column_keys) not in found:
                yield f"the table {table.name} has no foreign key from {', '.join(constraint.column_keys)}"


def _found_references(inspector: Inspector, table: Table) -> list[list[str]]:
    return [sorted(key["constrained_columns"]) for key in inspector.get_foreign_keys(table.name)]
