"""Drivers that start quickly, and an undisturbed study to compare with."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from studies.database.store import Store
from tests.conftest import TALLY
from tests.studies.faults.forked import Nursery, nursery
from tests.studies.faults.light_run import LightRun
from tests.studies.faults.servers import Server, server
from tests.studies.faults.soundness import results
from tests.studies.faults.tally import Tally
from tests.studies.faults.watched_run import Rows

PASSWORD = "canary-4f2a7c"
"""The password of our own server, which is looked for everywhere."""


@pytest.fixture(scope="package")
def drivers() -> Iterator[Nursery]:
    """Return the process that drivers are forked from."""
    with nursery() as made:
        yield made


@pytest.fixture(scope="package")
def undisturbed_run(drivers: Nursery, tmp_path_factory: pytest.TempPathFactory) -> LightRun:
    """Return a study with one worker that came to its end without a fault."""
    folder = Path(tmp_path_factory.mktemp("undisturbed"))
    run = LightRun(drivers, folder, f"sqlite:///{folder}/studies.db", workers=1)
    run.finish()
    return run


@pytest.fixture(scope="package")
def undisturbed(undisturbed_run: LightRun) -> Rows:
    """Return what it ended with."""
    with Store.open(undisturbed_run.url, create=False) as store:
        return results(store)


@pytest.fixture(scope="package")
def guarded() -> Iterator[Server]:
    """Return a PostgreSQL that asks for a password."""
    with server(PASSWORD) as running:
        yield running


@pytest.fixture
def tally(request: pytest.FixtureRequest) -> Iterator[Tally]:
    """Return a tally that is printed in the end, whatever happens."""
    counted = Tally(kind=request.node.name, seed=request.config.getoption("--loops-seed"))
    yield counted
    request.node.user_properties.append((TALLY, str(counted)))
