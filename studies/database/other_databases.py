"""Databases of other programs that Studies hands its results to: their URLs, and whether one is a storage of ours."""

import os
from collections.abc import Sequence
from contextlib import suppress

import sqlalchemy
from sqlalchemy import make_url
from sqlalchemy.exc import ArgumentError

from studies.base.errors import StudiesError, UsageError
from studies.database.engines.address import parse, secrets, shown
from studies.database.engines.backend import Backend
from studies.database.engines.problems import refusing
from studies.database.schema import migrate

FORMS = "sqlite:///FOLDER/FILE.db or postgresql://USER@HOST/DATABASE"


def address_for(option: str, url: str, *, program: str, own_table: str, forms: Sequence[str] = ()) -> str:
    """Return the URL of another program's database as SQLAlchemy takes it, a file's path made absolute.

    Nothing is changed there.
    Raises UsageError for a text that is none, for a password in it, for a place that cannot be written to, for a
    database that holds studies, beside which the other program's tables would stand, and for one that holds other
    tables, but not `own_table`, which every database of `program` has. `forms` are further forms of address that the
    option takes.
    """
    refuse_password(option, url)
    try:
        parsed = parse(url)
    except UsageError:
        advice = f"Give {option} one of: {', '.join((*forms, FORMS))}"
        raise UsageError([f"{option}: {_shown(url)} is no address of a database"], advice) from None
    backend = migrate.backend_for(url)
    try:
        backend.check_place()
        tables = _tables(backend)
    except StudiesError as error:
        what = error.message.removeprefix("storage: ")
        raise UsageError([f"{option}: {what}"], f"Mend that, or give {option} another place.") from error
    advice = f"Give {option} a database of its own."
    if migrate.VERSION_TABLE in tables:
        raise UsageError([f"{option}: {shown(parsed)} holds studies, and {program} has other tables"], advice)
    if tables and own_table not in tables:
        raise UsageError(
            [f"{option}: {shown(parsed)} holds tables of another program, and none of {program}"], advice
        )
    return backend.url.render_as_string(hide_password=False)


def _tables(backend: Backend) -> list[str]:
    if not backend.check():
        return []
    with refusing(backend.url), backend.inspecting() as connection:
        return list(sqlalchemy.inspect(connection).get_table_names())


def refuse_password(option: str, url: str) -> None:
    """Raise UsageError for a password in an option's URL, because other users of the machine can read it."""
    with suppress(ArgumentError, ValueError):
        if secrets(make_url(url)):
            raise UsageError(
                [f"{option} holds a password, which a list of processes shows to everybody"],
                "Put it into a file that PGPASSFILE names, or into the other program's own environment variables.",
            )


def make_private_file(url: str) -> None:
    """Make the file of a SQLite URL for its owner only, if there is none; an empty file is an empty database."""
    parsed = make_url(url)
    if parsed.get_backend_name() == "sqlite" and parsed.database is not None:
        with suppress(FileExistsError):
            os.close(os.open(parsed.database, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))


def _shown(url: str) -> str:
    """Return the text of an option for a message; one that cannot be parsed may hold a password, so its start."""
    try:
        return make_url(url).render_as_string(hide_password=True)
    except (ArgumentError, ValueError):
        return url if "@" not in url else repr(f"{url.partition(':')[0]}:...")
