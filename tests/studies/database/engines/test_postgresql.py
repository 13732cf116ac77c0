"""PostgreSQL: limits of waiting, and refusals that show no password."""

from collections.abc import Callable

import pytest
from sqlalchemy import make_url, text

from studies.base.errors import UsageError
from studies.database.engines.address import parse
from studies.database.engines.postgresql import PostgreSQL
from studies.database.engines.problems import OutageError
from studies.database.schema.migrate import backup
from studies.database.store import Store
from tests.studies.database.recorded import new_study

SECRET = "canary-5f1e"


@pytest.fixture
def postgres_url(make_postgres_database: Callable[[], str]) -> str:
    """Return the URL of an empty PostgreSQL database."""
    return make_postgres_database()


def test_no_statement_and_no_lock_is_waited_for_without_end(postgres_url: str) -> None:
    engine = PostgreSQL(parse(postgres_url)).engine()
    with engine.connect() as connection:
        found = [
            connection.scalar(text(f"SHOW {name}"))
            for name in (
                "statement_timeout",
                "lock_timeout",
                "idle_in_transaction_session_timeout",
                "application_name",
            )
        ]
    engine.dispose()
    assert found == ["1min", "30s", "25s", "studies"]


@pytest.mark.parametrize("form", ["postgresql", "postgres", "postgresql+psycopg"])
def test_usual_forms_of_the_url_are_taken(postgres_url: str, form: str) -> None:
    _, colon, rest = postgres_url.partition(":")
    with Store.open(form + colon + rest) as store:
        assert store.studies() == []


def test_a_server_that_does_not_answer_is_refused_without_its_password() -> None:
    url = f"postgresql://ann:{SECRET}@127.0.0.1:1/studies?sslpassword={SECRET}"
    with pytest.raises(UsageError, match="cannot be opened") as caught:
        Store.open(url)
    assert "ann:***@127.0.0.1" in str(caught.value)
    assert SECRET not in repr(caught.getrepr(style="long", showlocals=False))


def test_a_database_that_does_not_exist_is_refused(postgres_url: str) -> None:
    url = make_url(postgres_url).set(database="nowhere", password=SECRET)
    with pytest.raises(UsageError, match='database "nowhere" does not exist') as caught:
        Store.open(url.render_as_string(hide_password=False))
    assert SECRET not in str(caught.value)


def test_a_user_who_may_not_create_tables_is_refused(postgres_url: str) -> None:
    engine = PostgreSQL(parse(postgres_url)).engine()
    with engine.begin() as connection:
        connection.execute(text("DROP SCHEMA public CASCADE"))
    engine.dispose()
    with pytest.raises(UsageError, match="no schema has been selected"):
        Store.open(postgres_url)


def test_a_database_that_is_made_read_only_is_not_written_after_it_was_read(postgres_url: str) -> None:
    with Store.open(postgres_url) as store:
        study = new_study(store)
    engine = PostgreSQL(parse(postgres_url)).engine()
    with engine.begin() as connection:
        name = make_url(postgres_url).database
        connection.execute(text(f'ALTER DATABASE "{name}" SET default_transaction_read_only = on'))
    engine.dispose()
    store = Store(PostgreSQL(parse(postgres_url)))
    for _ in range(2):
        assert [found.name for found in store.studies()] == [study.name]
        with pytest.raises(OutageError, match="read-only transaction"):
            store.add_event(study.id, "kind", None, "detail")
    store.close()


def test_a_backup_is_left_to_the_servers_own_tools(postgres_url: str) -> None:
    Store.open(postgres_url).close()
    with pytest.raises(UsageError, match="is on a server") as caught:
        backup(postgres_url)
    assert "pg_dump" in str(caught.value)
