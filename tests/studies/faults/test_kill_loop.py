"""kill -9 of the driver at random moments, then the same command: nothing acknowledged is lost, nothing doubled."""

from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any, ClassVar

import pytest

from reports.inputs.decisions import LOOK_DECIDED
from studies.database.store import Store
from studies.run_log import looks
from tests.conftest import LOOPS_IN_THE_SUITE
from tests.studies.command import STUDY
from tests.studies.faults import drawing_loop
from tests.studies.faults.forked import Nursery
from tests.studies.faults.forked_workers import KILLS_WORKERS
from tests.studies.faults.kill_loop import loop
from tests.studies.faults.light_run import LightRun
from tests.studies.faults.ray_run import RayRun
from tests.studies.faults.soundness import results
from tests.studies.faults.tally import Tally
from tests.studies.faults.watched_run import Rows

LOOKING = (
    STUDY.replace("replicates=2", "replicates=10, smallest_effect=SmallestEffect(log_loss=0.004)")
    .replace("trials_per_cell=4", "trials_per_cell=3")
    .replace("Search, Study", "Search, SmallestEffect, Study")
    .replace('"depth": (1, 2)', '"depth": (1, 2), "dropout": (0.0, 0.1)')
)
"""A study whose made-up networks differ so little that a question stays open at the first look."""


@pytest.fixture
def make_url(request: pytest.FixtureRequest) -> Callable[[Path], str]:
    """Return a function that makes an empty storage and returns its URL."""
    if request.param == "sqlite":
        return lambda folder: f"sqlite:///{folder}/studies.db"
    make: Callable[[], str] = request.getfixturevalue("make_postgres_database")
    return lambda folder: make()


@pytest.mark.parametrize("make_url", ["sqlite", "postgresql"], indirect=True)
def test_the_drivers_loop_without_ray(
    make_url: Callable[[Path], str],
    drivers: Nursery,
    undisturbed: Rows,
    tally: Tally,
    tmp_path: Path,
    request: pytest.FixtureRequest,
) -> None:
    loops: int = request.config.getoption("--loops")
    by_hand = loops > LOOPS_IN_THE_SUITE

    def make(folder: Path, workers: int) -> LightRun:
        return LightRun(drivers, folder, make_url(folder), workers=workers, whole_report=by_hand)

    loop(tmp_path, make, undisturbed=undisturbed, tally=tally, loops=loops)
    assert tally.rounds >= loops


class GoingOn(LightRun):
    """A study none of whose checkpoints is refused: a trial that starts over comes to the right numbers, too."""

    def check_end(self, undisturbed: Rows) -> int:
        assert self.num_events("checkpoint_refused") == 0
        assert self.num_events("worker_lost") <= len(
            (self.traces / "killed-workers").read_text().splitlines()
        )
        return super().check_end(undisturbed)


def test_a_users_loop_that_draws_random_numbers(
    drivers: Nursery, tally: Tally, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    """Drivers and workers are killed; the loop goes on from its checkpoints to the numbers of an undisturbed run."""

    def make(folder: Path, workers: int) -> LightRun:
        folder.mkdir(exist_ok=True)
        run = GoingOn(
            drivers,
            folder,
            f"sqlite:///{folder}/studies.db",
            study=drawing_loop.SOURCE,
            num_moments=drawing_loop.NUM_MOMENTS,
        )
        run.settings[KILLS_WORKERS] = "0.05"
        return run

    whole = make(tmp_path / "undisturbed", 1)
    whole.settings[KILLS_WORKERS] = "0"
    with closing(whole):
        whole.finish()
        with Store.open(whole.url) as store:
            undisturbed = results(store)
    assert {"noise", "numpy", "python", "torch"} < set(undisturbed["epoch"][0]["metrics"])
    loops: int = request.config.getoption("--loops")
    loop(tmp_path, make, undisturbed=undisturbed, tally=tally, loops=loops)
    assert tally.rounds >= loops


class Extended(LightRun):
    """A study that goes on over looks; what follows from each is decided once, as in an undisturbed run."""

    expected: ClassVar[list[dict[str, Any]]] = []

    def check_end(self, undisturbed: Rows) -> int:
        with self.opened() as (store, study):
            assert study is not None
            assert looks.decisions(store.events(study.id)) == self.expected
        assert self.num_events(LOOK_DECIDED) == len(self.expected)
        return super().check_end(undisturbed)


def test_over_looks(drivers: Nursery, tally: Tally, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    """Also between a decision and its first trial; the same accounting, and with one worker the same numbers."""

    def make(folder: Path, workers: int) -> Extended:
        folder.mkdir(exist_ok=True)
        return Extended(
            drivers, folder, f"sqlite:///{folder}/studies.db", workers=workers, study=LOOKING, num_moments=250
        )

    whole = make(tmp_path / "undisturbed", 1)
    with closing(whole):
        whole.finish()
        with Store.open(whole.url) as store:
            undisturbed = results(store)
            study = store.find_study("small")
            assert study is not None
            Extended.expected = looks.decisions(store.events(study.id))
    trained = [each["cells"] for each in Extended.expected]
    assert trained[0], "no question stayed open at the first look"
    assert trained[-1] == []
    loops: int = request.config.getoption("--loops")
    loop(tmp_path, make, undisturbed=undisturbed, tally=tally, loops=loops)
    assert tally.rounds >= loops


@pytest.mark.slow
@pytest.mark.parametrize("make_url", ["sqlite", "postgresql"], indirect=True)
def test_the_command_with_ray(
    make_url: Callable[[Path], str], tally: Tally, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    def make(folder: Path, workers: int) -> RayRun:
        return RayRun(folder, make_url(folder), workers=workers)

    (tmp_path / "undisturbed").mkdir()
    whole = make(tmp_path / "undisturbed", 1)
    with closing(whole):
        whole.finish()
        with Store.open(whole.url) as store:
            undisturbed = results(store)
    loops: int = request.config.getoption("--loops")
    loop(tmp_path, make, undisturbed=undisturbed, tally=tally, loops=loops)
    assert tally.rounds >= loops
