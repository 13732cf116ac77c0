"""kill -9 of the driver at random moments, then the same command: nothing acknowledged is lost, nothing doubled."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import TALLIES
from tests.studies.faults.forked import Nursery
from tests.studies.faults.light_loop import loop
from tests.studies.faults.tally import Tally


@pytest.fixture
def make_url(request: pytest.FixtureRequest) -> Callable[[Path], str]:
    """Return a function that makes an empty storage and returns its URL."""
    if request.param == "sqlite":
        return lambda folder: f"sqlite:///{folder}/studies.db"
    make: Callable[[], str] = request.getfixturevalue("make_postgres_database")
    return lambda folder: make()


@pytest.fixture
def tally(request: pytest.FixtureRequest) -> Iterator[Tally]:
    """Return a tally that is printed in the end, whatever happens."""
    counted = Tally(kind=request.node.name, seed=request.config.getoption("--loops-seed"))
    yield counted
    request.config.stash.setdefault(TALLIES, []).append(str(counted))


@pytest.mark.parametrize("make_url", ["sqlite", "postgresql"], indirect=True)
def test_the_drivers_loop_without_ray(
    make_url: Callable[[Path], str],
    drivers: Nursery,
    undisturbed: dict[str, Any],
    tally: Tally,
    tmp_path: Path,
    request: pytest.FixtureRequest,
) -> None:
    loops: int = request.config.getoption("--loops")
    loop(drivers, tmp_path, make_url, undisturbed=undisturbed, tally=tally, loops=loops)
    assert tally.rounds >= loops
