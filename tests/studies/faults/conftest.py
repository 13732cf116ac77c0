"""Drivers that start quickly, and an undisturbed study to compare with."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.studies.faults.forked import Nursery, nursery
from tests.studies.faults.light_loop import reference


@pytest.fixture(scope="package")
def drivers() -> Iterator[Nursery]:
    """Return the process that drivers are forked from."""
    with nursery() as made:
        yield made


@pytest.fixture(scope="package")
def undisturbed(drivers: Nursery, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """Return what an undisturbed study ends with."""
    return reference(drivers, Path(tmp_path_factory.mktemp("undisturbed")))
