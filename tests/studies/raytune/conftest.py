"""One real Ray for all tests of training: starting it takes longer than all they train."""

from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from studies.cluster.cluster import Cluster, starting_cluster
from studies.planning.resources import Resources
from trainables import datasets
from trainables.data.dataset import Dataset


@pytest.fixture(scope="package")
def cluster() -> Iterator[Cluster]:
    """A local Ray with one worker and no dashboard."""
    with ExitStack() as stack, pytest.MonkeyPatch.context() as monkeypatch:
        # Ray's workers give way to everything else that runs, such as other tests.
        monkeypatch.setenv("RAY_worker_niceness", "0")
        monkeypatch.setenv("OMP_NUM_THREADS", "1")
        future = stack.enter_context(starting_cluster(Resources(workers=1, dashboard=False)))
        yield future.result(timeout=120)


@pytest.fixture(scope="package")
def digits() -> Dataset:
    """The digits."""
    return datasets.load("digits")
