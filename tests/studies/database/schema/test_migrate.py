"""Schemas: created, compared with the tables, upgraded, refused."""

import shutil
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest
import sqlalchemy
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import text

from studies.base.errors import UsageError
from studies.database.schema import migrate
from studies.database.schema.migrate import SchemaState
from studies.database.schema.tables import metadata
from studies.database.store import Store
from tests.studies.database.recorded import add_trial, at_end, contents, new_study

HEAD = migrate.head()
NEXT_SCHEMA = '''"""A later schema: rebuilds a table that others refer to."""

import sqlalchemy as sa
from alembic import op

revision = "next"
down_revision = "HEAD"


def upgrade() -> None:
    recreate = "always" if op.get_bind().dialect.name == "sqlite" else "never"
    with op.batch_alter_table("study", recreate=recreate) as batch:
        batch.add_column(sa.Column("note", sa.Text))
'''.replace("HEAD", HEAD)


@pytest.fixture
def with_next_schema(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let Studies have one more migration, when the test asks for this fixture."""
    add_next_schema(tmp_path, monkeypatch)


def add_next_schema(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Add a migration to a copy of the scripts."""
    scripts = folder / "migrations"
    shutil.copytree(migrate.SCRIPTS, scripts, ignore=shutil.ignore_patterns("__pycache__"))
    (scripts / "versions" / "next.py").write_text(NEXT_SCHEMA)
    monkeypatch.setattr(migrate, "SCRIPTS", scripts)


def set_revision(url: str, revision: str) -> None:
    """Write another revision into a database."""
    engine = sqlalchemy.create_engine(url)
    with engine.begin() as connection:
        connection.execute(text("UPDATE studies_version SET version_num = :r"), {"r": revision})
    engine.dispose()


def files(folder: Path) -> dict[str, bytes]:
    """Return every file of a folder with its content."""
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}


class TestBothDatabases:
    """What holds for SQLite and PostgreSQL alike."""

    def test_migrations_end_in_the_tables(self, url: str) -> None:
        with Store.open(url) as store, store.reading() as connection:
            context = MigrationContext.configure(
                connection, opts={"version_table": migrate.VERSION_TABLE, "compare_type": True}
            )
            assert compare_metadata(context, metadata) == []

    def test_constraints_are_those_of_the_tables(self, url: str) -> None:
        with Store.open(url) as store, store.reading() as connection:
            found = sqlalchemy.inspect(connection)
            for table in metadata.sorted_tables:
                key = found.get_pk_constraint(table.name)
                assert key["constrained_columns"] == [column.name for column in table.primary_key]
                assert key["name"] == table.primary_key.name == f"pk_{table.name}"
                keys = found.get_foreign_keys(table.name)
                assert {each["name"] for each in keys} == {
                    each.name for each in table.foreign_key_constraints
                }
                assert all(each["options"] == {"ondelete": "CASCADE"} for each in keys)

    def test_an_open_storage_is_opened_again(self, url: str) -> None:
        with Store.open(url) as store:
            study = new_study(store)
        with Store.open(url, create=False) as store:
            assert store.studies() == [study]

    def test_a_newer_schema_is_refused_and_left(self, url: str) -> None:
        with Store.open(url) as store:
            new_study(store)
        set_revision(url.replace("postgresql://", "postgresql+psycopg://"), "9999")
        for create in (True, False):
            with pytest.raises(UsageError, match=f"schema 9999, newer than {HEAD}"):
                Store.open(url, create)
        with pytest.raises(UsageError, match="newer"):
            migrate.upgrade(url)
        assert migrate.current(url)[0].state is SchemaState.NEWER

    def test_an_older_schema_is_refused_and_upgraded(
        self, url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        with Store.open(url) as store:
            study = new_study(store)
            add_trial(store, study)
            store.record_result(study.id, 1, at_end(2, [0, 1, 2]))
            before = contents(store)
        add_next_schema(tmp_path, monkeypatch)
        with pytest.raises(UsageError, match=f"schema {HEAD}, older than next") as caught:
            Store.open(url)
        assert "studies database upgrade" in str(caught.value)
        copied = migrate.upgrade(url)
        assert migrate.upgrade(url) is None
        with Store.open(url) as store:
            assert contents(store) == before
        if url.startswith("sqlite"):
            assert copied is not None
            assert copied.stat().st_mode & 0o777 == 0o600
            assert migrate.current(f"sqlite:///{copied}")[0].revision == HEAD
        else:
            assert copied is None

    def test_another_programs_tables_are_left_alone(self, url: str) -> None:
        engine = sqlalchemy.create_engine(url)
        with engine.begin() as connection:
            connection.execute(text("CREATE TABLE studies (study_id INTEGER)"))
        engine.dispose()
        for create in (True, False):
            with pytest.raises(UsageError, match="tables of another program"):
                Store.open(url, create)

    def test_drivers_that_create_at_the_same_time_agree(self, url: str) -> None:
        script = (
            "import sys; from studies.database.store import Store; print(Store.open(sys.argv[1]).studies())"
        )
        command = [sys.executable, "-c", script, url]
        drivers = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(4)]
        said = [driver.communicate(timeout=60)[0] for driver in drivers]
        assert [driver.returncode for driver in drivers] == [0] * 4
        assert said == ["[]\n"] * 4

    def test_an_empty_storage_holds_no_studies(self, url: str) -> None:
        with pytest.raises(UsageError, match="none have been run yet"):
            Store.open(url, create=False)
        with pytest.raises(UsageError, match="none have been run yet"):
            migrate.upgrade(url)
        assert migrate.current(url) == (migrate.Schema(state=SchemaState.EMPTY), HEAD)


class TestRefusalsLeaveNoTrace:
    """A refused SQLite file, and the folder it lies in, are as they were."""

    def test_of_a_missing_file(self, tmp_path: Path) -> None:
        with pytest.raises(UsageError, match="none have been run yet"):
            Store.open(f"sqlite:///{tmp_path}/studies.db", create=False)
        assert files(tmp_path) == {}

    @pytest.mark.parametrize("journal", ["delete", "wal"])
    def test_of_another_programs_file(self, tmp_path: Path, journal: str) -> None:
        path = tmp_path / "optuna.db"
        connection = sqlite3.connect(path)
        connection.execute(f"PRAGMA journal_mode = {journal}")
        connection.execute("CREATE TABLE studies (study_id INTEGER)")
        connection.close()
        before = files(tmp_path)
        for create in (True, False):
            with pytest.raises(UsageError, match="another program"):
                Store.open(f"sqlite:///{path}", create)
        assert files(tmp_path) == before

    def test_of_a_newer_schema(self, tmp_path: Path) -> None:
        url = f"sqlite:///{tmp_path}/studies.db"
        Store.open(url).close()
        set_revision(url, "9999")
        before = files(tmp_path)
        with pytest.raises(UsageError, match="newer"):
            Store.open(url)
        assert files(tmp_path) == before
        assert list(before) == ["studies.db"]

    @pytest.mark.usefixtures("with_next_schema")
    def test_an_upgrade_that_fails_leaves_the_database(self, tmp_path: Path) -> None:
        url = f"sqlite:///{tmp_path}/studies.db"
        versions = migrate.SCRIPTS / "versions"
        (versions / "next.py").unlink()
        Store.open(url).close()
        broken = NEXT_SCHEMA + '    op.execute("INSERT INTO nowhere VALUES (1)")\n'
        (versions / "next.py").write_text(broken)
        before = files(tmp_path)["studies.db"]
        with pytest.raises(UsageError, match="no such table: nowhere"):
            migrate.upgrade(url)
        assert migrate.current(url)[0].revision == HEAD
        assert files(tmp_path)["studies.db"] == before
