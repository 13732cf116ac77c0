"""The storage goes away in the middle of a study: training goes on, nothing is lost, and all ends as if undisturbed."""

import os
import signal
import sqlite3
import subprocess
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from studies.database.spool import SPOOLED
from tests.studies.faults.forked import Forked, Nursery
from tests.studies.faults.light_run import LightRun
from tests.studies.faults.servers import Server, disconnect
from tests.studies.faults.traces import Moment, wait_until
from tests.studies.faults.watched_run import Rows

PATIENCE = 0.3
REPORTS_BEFORE, REPORTS_MEANWHILE = 30, 20


@pytest.fixture
def run(drivers: Nursery, tmp_path: Path) -> LightRun:
    """Return a study on SQLite."""
    return LightRun(drivers, tmp_path, f"sqlite:///{tmp_path}/studies.db")


@pytest.fixture
def run_on_server(
    drivers: Nursery, tmp_path: Path, guarded: Server, request: pytest.FixtureRequest
) -> LightRun:
    """Return a study on PostgreSQL."""
    return LightRun(drivers, tmp_path, guarded.make(database_of(tmp_path)))


def database_of(folder: Path) -> str:
    """Return the name of the database of a study in `folder`."""
    return f"{folder.parent.name}_{folder.name}".replace("-", "_").lower()


def begin_outage(run: LightRun, begin: Callable[[], object]) -> Forked:
    """Take the storage from a driver in the middle of a study; return it when it has gone on without for a while."""
    driver = run.start_until(REPORTS_BEFORE, patience=PATIENCE)
    begin()
    known = len(run.acknowledged.reports())
    run.gate.open()
    wait_until(
        lambda: driver.has_ended or len(run.acknowledged.reports()) >= known + REPORTS_MEANWHILE,
        "reports to be acknowledged while the storage is out",
    )
    assert not driver.has_ended, driver.errors
    assert run.spool.exists(), driver.errors
    assert run.spool.stat().st_mode & 0o777 == 0o600
    return driver


def check_went_on(run: LightRun, driver: Forked, undisturbed: Rows) -> None:
    """Check that the same driver came to a good end, and that the study says what happened."""
    assert driver.finish() == 0, driver.errors
    run.check_end(undisturbed)
    assert run.num_events(SPOOLED) >= 1
    assert run.num_events("run_started") == 1


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold the write lock of a SQLite database as another program would."""
    with closing(sqlite3.connect(path)) as other:
        other.execute("BEGIN IMMEDIATE")
        yield
        other.rollback()


class TestSQLite:
    def test_another_writer_holds_the_lock_for_longer_than_is_waited(
        self, run: LightRun, undisturbed: Rows
    ) -> None:
        with closing(sqlite3.connect(run.folder / "studies.db")) as other:
            driver = begin_outage(run, lambda: other.execute("BEGIN IMMEDIATE"))
            other.rollback()
        check_went_on(run, driver, undisturbed)

    def test_a_lock_at_the_start_is_told_and_nothing_trained(self, run: LightRun, undisturbed: Rows) -> None:
        driver = run.start_until(0, patience=PATIENCE)
        driver.send(signal.SIGKILL)
        driver.finish()
        run.gate.open()
        with locked(run.folder / "studies.db"):
            driver = run.start(patience=PATIENCE)
            assert driver.finish() == 1
        *_, what, advice = driver.errors.splitlines()
        assert f"is locked by process {os.getpid()} on" in what
        assert "the same command" in advice
        assert run.acknowledged.reports() == set()
        run.finish()
        run.check_end(undisturbed)


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """Return a small disk of its own."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=8m", "tmpfs", str(folder)], capture_output=True, check=False
    )
    if mounted.returncode != 0:
        pytest.skip("a small disk cannot be mounted here: it takes root")
    try:
        yield folder
    finally:
        subprocess.run(["umount", str(folder)], check=True)


def fill(disk: Path) -> Path:
    """Fill a disk to its last byte, and return the file to remove to make room."""
    ballast = disk / "ballast"
    with ballast.open("wb", buffering=0) as file:
        for size in (65536, 4096, 1):
            try:
                while True:
                    file.write(bytes(size))
            except OSError:
                os.fsync(file.fileno())
    return ballast


class TestFullDisk:
    def test_of_the_database(self, drivers: Nursery, disk: Path, tmp_path: Path, undisturbed: Rows) -> None:
        run = LightRun(drivers, tmp_path / "study", f"sqlite:///{disk}/studies.db")
        driver = begin_outage(run, lambda: fill(disk))
        (disk / "ballast").unlink()
        check_went_on(run, driver, undisturbed)

    def test_of_everything_ends_the_run_in_words_and_loses_nothing(
        self, drivers: Nursery, disk: Path, tmp_path: Path, undisturbed: Rows
    ) -> None:
        run = LightRun(drivers, tmp_path / "study", f"sqlite:///{disk}/studies.db")
        run.output = disk / "runs"
        driver = run.start_until(REPORTS_BEFORE, patience=PATIENCE)
        ballast = fill(disk)
        run.gate.open()
        assert driver.finish() == 1, driver.errors
        *_, what, advice = driver.errors.splitlines()
        assert "cannot be written" in what
        assert "No space left on device" in what
        assert "Make room on the disk" in advice
        assert "Traceback" not in driver.errors
        ballast.unlink()
        assert not run.missing()
        run.finish()
        run.check_end(undisturbed)

    def test_from_the_start_is_told_and_nothing_trained(
        self, drivers: Nursery, disk: Path, tmp_path: Path
    ) -> None:
        run = LightRun(drivers, tmp_path / "study", f"sqlite:///{disk}/studies.db")
        fill(disk)
        driver = run.start(patience=PATIENCE)
        assert driver.finish() in (1, 2)
        what, advice = driver.errors.splitlines()
        assert "disk is full" in what
        assert advice
        assert run.acknowledged.reports() == set()


class TestPostgreSQL:
    def test_the_server_is_stopped_and_started(
        self, run_on_server: LightRun, guarded: Server, undisturbed: Rows
    ) -> None:
        driver = begin_outage(run_on_server, guarded.stop)
        guarded.start()
        check_went_on(run_on_server, driver, undisturbed)

    def test_the_driver_is_killed_while_the_server_is_away(
        self, run_on_server: LightRun, guarded: Server, undisturbed: Rows
    ) -> None:
        driver = begin_outage(run_on_server, guarded.stop)
        driver.send(signal.SIGKILL)
        assert driver.finish() == -signal.SIGKILL
        guarded.start()
        with run_on_server.opened() as (store, study):
            assert study is not None
            trials = store.trials(study.id)
        assert not run_on_server.missing()
        before = run_on_server.spool.stat().st_size
        assert before > 0
        run_on_server.finish()
        run_on_server.check_end(undisturbed)
        assert run_on_server.num_events(SPOOLED) == 1
        assert trials

    def test_the_database_is_made_read_only(
        self, run_on_server: LightRun, guarded: Server, undisturbed: Rows, tmp_path: Path
    ) -> None:
        name = database_of(tmp_path)

        def forbid() -> None:
            guarded.execute(f"ALTER DATABASE {name} SET default_transaction_read_only = on")
            guarded.disconnect(name)

        driver = begin_outage(run_on_server, forbid)
        guarded.execute(f"ALTER DATABASE {name} RESET default_transaction_read_only")
        guarded.disconnect(name)
        check_went_on(run_on_server, driver, undisturbed)

    def test_connections_are_terminated_around_commits(
        self, run_on_server: LightRun, guarded: Server, undisturbed: Rows, tmp_path: Path
    ) -> None:
        driver = run_on_server.start_until(0, patience=PATIENCE)
        with guarded.connected() as administrator:
            run_on_server.gate.open()
            num_terminated, since = 0, 0
            while not driver.has_ended:
                # Not so often that no write could ever come through.
                if run_on_server.moments.now is Moment.COMMITTING and run_on_server.moments.count > since:
                    num_terminated += disconnect(administrator, database_of(tmp_path))
                    since = run_on_server.moments.count + 40
        assert num_terminated > 5
        assert driver.finish() == 0, driver.errors
        run_on_server.check_end(undisturbed)
