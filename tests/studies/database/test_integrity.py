"""Each database is asked for its own check, and a table that has lost a key is named."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import text

from studies.database.integrity import Integrity, check_integrity
from studies.database.rows import StudyRow
from studies.database.schema.migrate import backend_for
from studies.database.store import Store
from studies.verification.verification import verify
from tests.studies.raytune.driving import drive
from tests.studies.raytune.plans import plan
from tests.studies.verification.sound import faults


def checked(store: Store) -> Integrity:
    with store.reading() as connection:
        return check_integrity(connection)


def execute(url: str, *statements: str) -> None:
    engine = backend_for(url).engine(enforce_keys=False)
    with engine.begin() as connection:
        for statement in statements:
            connection.execute(text(statement))
    engine.dispose()


def test_a_fresh_storage_is_sound(store: Store, study: StudyRow) -> None:
    found = checked(store)
    assert found.faults == []
    assert "integrity_check" in found.asked or "constraints and indexes" in found.asked


@pytest.fixture
def server(make_postgres_database: Callable[[], str]) -> Iterator[tuple[Store, str]]:
    """An open storage on PostgreSQL, and its URL."""
    url = make_postgres_database()
    with Store.open(url) as opened:
        yield opened, url


@pytest.mark.parametrize(
    ("statement", "fault"),
    [
        (
            "ALTER TABLE epoch DROP CONSTRAINT pk_epoch",
            "the table epoch has no primary key of study_id, trial_number",
        ),
        (
            "ALTER TABLE epoch DROP CONSTRAINT fk_epoch_trial",
            "the table epoch has no foreign key from study_id, trial",
        ),
        (
            "ALTER TABLE epoch ADD CONSTRAINT positive CHECK (epoch > 0) NOT VALID",
            "epoch: the constraint positive was never checked",
        ),
        (
            "UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'pk_epoch'::regclass",
            "epoch: the index pk_epoch is not valid",
        ),
    ],
)
def test_what_a_server_knows_is_told(statement: str, fault: str, server: tuple[Store, str]) -> None:
    store, url = server
    execute(url, statement)
    assert any(each.startswith(fault) for each in checked(store).faults)


def test_amcheck_is_asked_where_it_may_be_used(server: tuple[Store, str]) -> None:
    """The extension is not on every server: a function of its name stands in, which finds fault with one index."""
    store, url = server
    assert "no amcheck" in checked(store).asked
    execute(
        url,
        "CREATE FUNCTION bt_index_check(index regclass, heapallindexed boolean) RETURNS void LANGUAGE plpgsql AS $$ "
        "BEGIN IF index = 'pk_epoch'::regclass THEN RAISE 'item order invariant violated'; END IF; END $$",
    )
    found = checked(store)
    assert found.asked.endswith(", amcheck")
    assert len(found.faults) == 1
    assert found.faults[0].startswith("the index pk_epoch: item order invariant violated")


def test_a_study_is_verified_on_either_database(store: Store, url: str, tmp_path: Path) -> None:
    small = plan(trials=3)
    drive(small, store)
    assert faults(verify(store, "small", tmp_path)) == {}
    execute(url, "DELETE FROM epoch WHERE trial_number = 3 AND replicate = 1 AND epoch = 1")
    assert faults(verify(store, "small", tmp_path))["I1"] == ["trial 3, replicate 1: epoch 1 is missing"]
