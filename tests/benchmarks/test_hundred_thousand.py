"""The storage of the large benchmark is a sound study, and what is measured on it works on a tiny one."""

from pathlib import Path

import pytest

from studies.database.store import Store
from studies.verification.verification import verify
from tests.benchmarks import hundred_thousand
from tests.benchmarks.made_up import build
from tests.studies.raytune.plans import plan


@pytest.fixture
def storage(tmp_path: Path) -> Path:
    """A storage as the benchmark builds it, of four cells."""
    path = tmp_path / "studies.db"
    with Store.open(f"sqlite:///{path}") as store:
        build(store, plan(name=hundred_thousand.NAME, trials=9), command="run it")
    return path


def test_what_is_made_up_is_sound(storage: Path) -> None:
    with Store.open(f"sqlite:///{storage}") as store:
        found = verify(store, hundred_thousand.NAME, storage.parent)
        states = {trial.state for trial in store.trials(1)}
    assert [check.faults for check in found.checks if not check.holds] == []
    assert (found.state, states) == ("complete", {"complete", "pruned"})


def test_a_door_is_measured(storage: Path) -> None:
    measured = hundred_thousand._run(storage, "list")
    assert measured.processor_seconds is not None
    assert measured.peak_mib is not None
    assert 0 < measured.processor_seconds < measured.seconds * 8
    assert 20 < measured.peak_mib < 1000


def test_a_study_that_was_cut_goes_on_in_its_search(storage: Path) -> None:
    assert hundred_thousand._cut(storage) == 32
    assert hundred_thousand._replay(storage) > 0
    assert not hundred_thousand._has_trial_after(storage, 32)
    with Store.open(f"sqlite:///{storage}") as store:
        assert verify(store, hundred_thousand.NAME, storage.parent).is_sound
