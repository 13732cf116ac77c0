"""The schema of a database: which version it has, and its upgrade to the present one."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum, auto
from pathlib import Path
from typing import Final

import sqlalchemy
from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, column, select, table

from studies.database.engines.address import parse, shown
from studies.database.engines.backend import Backend
from studies.database.engines.postgresql import PostgreSQL
from studies.database.engines.problems import NothingYetError, refusing, unusable
from studies.database.engines.sqlite import SQLite

SCRIPTS: Path = Path(__file__).parent / "migrations"
VERSION_TABLE: Final = "studies_version"


class SchemaState(Enum):
    """What a database contains: nothing, a schema of ours (this version's, older or newer), or something else."""

    EMPTY = auto()
    CURRENT = auto()
    OLDER = auto()
    NEWER = auto()
    FOREIGN = auto()


@dataclass(frozen=True, kw_only=True)
class Schema:
    """The schema of a database; `revision` is None if it has no tables of Studies."""

    state: SchemaState
    revision: str | None = None


def backend_for(url: str) -> Backend:
    """Return the backend for a URL; raise `UsageError` with the accepted forms if it has none of them."""
    parsed = parse(url)
    return SQLite(parsed) if parsed.drivername == "sqlite" else PostgreSQL(parsed)


def current(url: str) -> tuple[Schema, str]:
    """Return a database's schema, and the revision that this version of Studies writes. Changes nothing."""
    return look(backend_for(url)), head()


def look(backend: Backend) -> Schema:
    """Return a database's schema without changing anything in it."""
    if not backend.check():
        return Schema(state=SchemaState.EMPTY)
    with refusing(backend.url), backend.inspecting() as connection:
        return _read(connection)


def refuse_unless_usable(backend: Backend, schema: Schema) -> None:
    """Raise `UsageError` for a schema that this version can neither use nor create."""
    why = {
        SchemaState.OLDER: (
            f"has schema {schema.revision}, older than {head()}, which this version of Studies writes",
            "Upgrade it (a SQLite file is copied first): studies database upgrade",
        ),
        SchemaState.NEWER: (
            f"has schema {schema.revision}, newer than {head()}, the last that this version of Studies knows",
            "Upgrade Studies (pip install --upgrade studies); the database was left as it is.",
        ),
        SchemaState.FOREIGN: (
            "holds tables of another program and none of Studies",
            "Give Studies a database of its own; this one was left as it is.",
        ),
    }
    if schema.state in why:
        raise unusable(backend.url, *why[schema.state])


def none_yet(backend: Backend) -> NothingYetError:
    """Return the error for reading a database that does not exist or is empty."""
    return NothingYetError(
        [f"storage: {shown(backend.url)} holds no studies: none have been run yet"],
        "Run one first: studies run depth_study",
    )


def create(backend: Backend) -> None:
    """Create the tables in an empty database; does nothing if another process just did."""
    backend.create()
    _migrate(backend, only=SchemaState.EMPTY)


def upgrade(url: str) -> Path | None:
    """Upgrade a database to the present schema; return the backup copy, None if none was made or nothing changed.

    A database on a server is not copied: its owner has better tools (pg_dump).
    """
    backend = backend_for(url)
    schema = look(backend)
    if schema.state is SchemaState.EMPTY:
        raise none_yet(backend)
    if schema.state is not SchemaState.OLDER:
        refuse_unless_usable(backend, schema)
        return None
    copied = backend.copy() if isinstance(backend, SQLite) else None
    _migrate(backend, only=SchemaState.OLDER)
    return copied


def backup(url: str) -> Path:
    """Copy a database to a file beside it and return its path; raise `UsageError` for one on a server."""
    backend = backend_for(url)
    if look(backend).state is SchemaState.EMPTY:
        raise none_yet(backend)
    return backend.copy()


def head() -> str:
    """Return the revision that this version of Studies writes."""
    return _known()[0]


def _migrate(backend: Backend, *, only: SchemaState) -> None:
    """Run the missing migrations in one transaction, unless another process got there first."""
    # With foreign keys enforced, rebuilding a table would delete the rows that refer to it.
    engine = backend.engine(enforce_keys=False)
    try:
        with refusing(backend.url), engine.begin() as connection:
            backend.lock_schema(connection)
            if _read(connection).state is only:
                command.upgrade(_config(connection), "head")
    finally:
        engine.dispose()


def _read(connection: Connection) -> Schema:
    tables = sqlalchemy.inspect(connection).get_table_names()
    if VERSION_TABLE not in tables:
        return Schema(state=SchemaState.FOREIGN if tables else SchemaState.EMPTY)
    revision = connection.scalar(select(column("version_num")).select_from(table(VERSION_TABLE)))
    known = _known()
    if revision not in known:
        return Schema(state=SchemaState.NEWER, revision=revision)
    state = SchemaState.CURRENT if revision == known[0] else SchemaState.OLDER
    return Schema(state=state, revision=revision)


def _known() -> Sequence[str]:
    """Return the revisions of the migrations, newest first."""
    scripts = ScriptDirectory.from_config(_config())
    return [script.revision for script in scripts.walk_revisions()]


def _config(connection: Connection | None = None) -> Config:
    config = Config()
    config.set_main_option("script_location", str(SCRIPTS).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    return config
