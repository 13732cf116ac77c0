"""PostgreSQL: the connection that bears the lease's lock is cut, with the driver alive."""

from collections.abc import Callable

import pytest
from sqlalchemy import text

from studies.base.errors import HeldError
from studies.database import lease
from studies.database.engines.address import parse
from studies.database.engines.postgresql import PostgreSQL
from studies.database.rows import StudyRow
from studies.database.store import Store
from tests.studies.database.recorded import add_trial
from tests.studies.database.waiting import wait_until

pytestmark = pytest.mark.usefixtures("quick_to_let_go")


@pytest.fixture
def url(make_postgres_database: Callable[[], str]) -> str:
    """Return the URL of an empty PostgreSQL database."""
    return make_postgres_database()


def lock_connections(store: Store) -> set[int]:
    """Return the server's processes that hold locks of leases."""
    query = text(
        "SELECT pid FROM pg_locks JOIN pg_database ON pg_database.oid = database "
        "WHERE locktype = 'advisory' AND mode = 'ExclusiveLock' AND datname = current_database()"
    )
    with store.reading() as connection:
        return set(connection.scalars(query))


def cut(url: str, store: Store) -> set[int]:
    """Cut the connections that hold locks and return them."""
    found = lock_connections(store)
    engine = PostgreSQL(parse(url)).engine()
    with engine.connect() as connection:
        for pid in found:
            connection.execute(text("SELECT pg_terminate_backend(:pid, 10000)"), {"pid": pid})
    engine.dispose()
    return found


def test_the_lock_is_taken_again_while_the_token_stands(
    url: str, store: Store, study: StudyRow, other: Store
) -> None:
    with store.hold(study.id) as held:
        (lost,) = cut(url, store)
        wait_until(lambda: lock_connections(store) - {lost})
        add_trial(store, study)
        with pytest.raises(HeldError), other.hold(study.id):
            pytest.fail("two hold it")
        assert (held.lost, held.token) == (None, 1)
    assert lock_connections(store) == set()


def test_one_who_came_meanwhile_keeps_the_study(
    url: str, store: Store, study: StudyRow, other: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lease, "SECONDS_BETWEEN_LOOKS", 0.5)
    with store.hold(study.id) as lost:
        cut(url, store)
        with other.hold(study.id, take_over=True) as held:
            wait_until(lambda: lost.lost)
            with pytest.raises(HeldError):
                add_trial(store, study)
            add_trial(other, study)
            assert held.lost is None
