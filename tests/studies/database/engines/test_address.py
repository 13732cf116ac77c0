"""URLs of storages: which are taken, and that no password is shown."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from studies.base.errors import UsageError
from studies.database.engines.address import parse, secrets, shown

SECRET = "canary-5f1e"


@pytest.mark.parametrize(
    ("url", "driver"),
    [
        ("sqlite:///runs/studies.db", "sqlite"),
        ("sqlite:////tmp/studies.db", "sqlite"),
        ("postgres://ann@db/studies", "postgresql+psycopg"),
        ("postgresql://ann@db:5433/studies?sslmode=require", "postgresql+psycopg"),
        ("postgresql+psycopg:///studies?host=/run/postgresql", "postgresql+psycopg"),
    ],
)
def test_known_forms_are_taken(url: str, driver: str) -> None:
    assert parse(url).drivername == driver


@pytest.mark.parametrize(
    "url",
    [
        "",
        "runs/studies.db",
        "sqlite://",
        "sqlite:///:memory:",
        "sqlite:///file:x?mode=memory",
        "sqlite:///studies.db?mode=ro",
        "sqlite://host/studies.db",
        "sqlite:///a\0b.db",
        "mysql://ann@db/studies",
        "postgresql://ann@db:port/studies",
        "postgresql+asyncpg://ann@db/studies",
        "https://example.org",
    ],
)
def test_others_are_refused_with_the_rule(url: str) -> None:
    with pytest.raises(UsageError, match="storage: ") as caught:
        parse(url)
    assert caught.value.exit_code == 2
    assert "STUDIES_STORAGE" in str(caught.value)


@pytest.mark.parametrize(
    "url",
    [
        f"postgresql://ann:{SECRET}@db/studies",
        f"postgresql://db/studies?user=ann&password={SECRET}",
        f"postgresql://db/studies?password={SECRET}&password={SECRET}2&sslpassword={SECRET}3",
    ],
)
def test_no_password_is_shown(url: str) -> None:
    parsed = parse(url)
    assert SECRET not in shown(parsed)
    assert "***" in shown(parsed) or "=hidden" in shown(parsed)
    assert any(SECRET in secret for secret in secrets(parsed))


@pytest.mark.parametrize(
    "url",
    [
        f"postgresql//ann:{SECRET}@db/studies",
        f"postgresql:/ann:{SECRET}@db:port/studies",
        f"mysql://ann:{SECRET}@db/studies",
        f"ann:{SECRET}@db",
        f"postgresql://ann:{SECRET}@db:port/x",
        f"sqlite://ann:{SECRET}@host/x.db",
    ],
)
def test_no_password_is_shown_of_a_url_that_is_refused(url: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse(url)
    assert SECRET not in repr(caught.getrepr(style="long", showlocals=False))


@given(st.text(max_size=40))
def test_any_text_is_taken_or_refused_by_us(text: str) -> None:
    with suppress(UsageError):
        parse(text)


def test_what_has_no_password_is_shown_as_it_is() -> None:
    assert shown(parse("sqlite:///runs/studies.db")) == "sqlite:///runs/studies.db"
    assert secrets(parse("postgresql://ann@db/studies")) == []
