"""The URL of a storage: parsed, checked, and shown without passwords."""

from sqlalchemy import URL, make_url
from sqlalchemy.exc import ArgumentError

from studies.base.errors import UsageError

FORMS = "sqlite:///FOLDER/FILE.db or postgresql://USER@HOST/DATABASE"
_DRIVERS = {
    "sqlite": "sqlite",
    "sqlite+pysqlite": "sqlite",
    "postgres": "postgresql+psycopg",
    "postgresql": "postgresql+psycopg",
    "postgresql+psycopg": "postgresql+psycopg",
}


def parse(url: str) -> URL:
    """Return the parsed URL of a storage; raise `UsageError` with the accepted forms if it has none of them.

    >>> parse("postgresql://ann@db/studies").drivername
    'postgresql+psycopg'
    """
    try:
        parsed = make_url(url)
    except (ArgumentError, ValueError):
        # The text cannot be parsed, so a password in it cannot be found: only the scheme is safe to show.
        raise _refused(_start(url), f"is not a storage URL; the rule: {FORMS}") from None
    if parsed.drivername not in _DRIVERS:
        raise _refused(_start(url), f"names a database that is not supported; the rule: {FORMS}")
    parsed = parsed.set(drivername=_DRIVERS[parsed.drivername])
    if parsed.drivername == "sqlite":
        _check_sqlite(parsed)
    return parsed


def shown(url: URL) -> str:
    """Return the URL for printing, without any password."""
    hidden = {key: "hidden" for key in url.query if "password" in key.lower()}
    return url.update_query_dict(hidden).render_as_string(hide_password=True)


def without_secrets(url: str) -> str:
    """Return the URL of a storage without its passwords, for another program to take.

    >>> without_secrets("postgresql://ann:abc@db/studies?password=abc")
    'postgresql://ann@db/studies'
    """
    parsed = parse(url)
    hidden = [key for key in parsed.query if "password" in key.lower()]
    # URL.set takes no password for one that stays.
    bare = parsed.difference_update_query(hidden)._replace(
        drivername=parsed.get_backend_name(), password=None
    )
    return bare.render_as_string(hide_password=False)


def secrets(url: URL) -> list[str]:
    """Return the passwords in a URL, which are then removed from a driver's messages."""
    found = [url.password] if url.password else []
    for key, value in url.query.items():
        if "password" in key.lower():
            found.extend([value] if isinstance(value, str) else value)
    return [str(secret) for secret in found if secret]


def _check_sqlite(url: URL) -> None:
    """Refuse a URL that does not name a permanent file."""
    if url.host or url.query:
        raise _refused("this SQLite URL", f"has a host or options; the rule: {FORMS}")
    if not url.database or url.database == ":memory:" or url.database.startswith("file:"):
        raise _refused("this SQLite URL", f"names no file that stays; the rule: {FORMS}")
    if "\0" in url.database:
        raise _refused("this SQLite URL", "has a NUL character in its path")


def _start(url: str) -> str:
    scheme, colon, _ = url.partition(":")
    return repr(f"{scheme}:...") if colon else "a text without a scheme such as sqlite:///"


def _refused(what: str, why: str) -> UsageError:
    return UsageError(
        [f"storage: {what} {why}"], "Give another --storage, or set STUDIES_STORAGE, or leave both out."
    )
