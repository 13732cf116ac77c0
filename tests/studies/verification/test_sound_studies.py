"""Nothing is found in a sound study, whatever state it is in and however it came there."""

import math
import sqlite3
from collections.abc import Iterator
from contextlib import closing, suppress
from dataclasses import replace
from pathlib import Path

import pytest

from studies.base.states import TrialState
from studies.database.store import Store
from studies.execution.reuse import check_growth, grow
from studies.planning.plan import Plan
from studies.storage.paths import Locations
from studies.verification.verification import verify
from tests.studies.raytune.driving import VERSIONS, DriverDiedError, drive, drive_together, register
from tests.studies.raytune.plans import plan
from tests.studies.verification import sound


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    """An empty storage."""
    with Store.open(sound.url(tmp_path)) as opened:
        yield opened


def test_a_complete_study_holds_all_checks(store: Store, tmp_path: Path) -> None:
    sound.complete(store, tmp_path)
    found = sound.verified(tmp_path)
    assert sound.faults(found) == {}
    assert found.is_sound
    assert [check.name for check in found.checks] == ["plan", *(f"I{number}" for number in range(1, 10))]
    looked_at = {check.name: check.looked_at for check in found.checks}
    assert looked_at["plan"] == "1 plan, 1 start of a run"
    assert looked_at["I1"] == "92 epochs of 40 networks"
    assert looked_at["I3"] == "20 of 20 trials ended"
    assert looked_at["I8"] == "1 file of 7 bytes"


@pytest.mark.parametrize(
    "small",
    [
        plan(),
        plan("random", trials=3),
        plan("tpe", cells=False, trials=8),
        plan(looks=(10, 20, 40), trials=2),
    ],
    ids=["cells", "random", "no cells", "looks"],
)
def test_an_interrupted_study_is_sound_at_each_moment_and_after_each_resume(
    small: Plan, store: Store, tmp_path: Path
) -> None:
    """A driver that dies again and again, some of its trials failing."""
    is_over = False
    while not is_over:
        with suppress(DriverDiedError):
            drive(small, store, die_after=17, fails=frozenset({2, 5}))
            is_over = True
        found = verify(store, small.name, tmp_path)
        assert sound.faults(found) == {}
    for _ in small.study.all_looks:
        drive(small, store)
        assert sound.faults(verify(store, small.name, tmp_path)) == {}


def test_a_study_in_which_every_trial_failed_is_sound(store: Store, tmp_path: Path) -> None:
    drive(plan(), store, fails=frozenset(range(100)))
    with closing(sqlite3.connect(tmp_path / sound.STORAGE)) as connection, connection:
        connection.execute("UPDATE study SET state = 'complete'")
    sound.reseal(tmp_path)
    assert sound.faults(sound.verified(tmp_path)) == {}


def test_diverged_networks_are_sound(store: Store, tmp_path: Path) -> None:
    sound.complete(store, tmp_path)
    with closing(sqlite3.connect(tmp_path / sound.STORAGE)) as connection, connection:
        for table in (
            "replicate SET outcome = 'diverged', test_loss = NULL, val_loss = NULL",
            "epoch SET val_loss = NULL",
        ):
            connection.execute(f"UPDATE {table} WHERE replicate = 1")
        # As in a trial whose second network scores as guessing.
        score = f"(objective + {math.log(sound.NUM_CLASSES)!r}) / 2"
        connection.execute(f"UPDATE rung_result SET objective = {score}")
        connection.execute(f"UPDATE trial SET objective = {score}")
    sound.reseal(tmp_path)
    assert sound.faults(sound.verified(tmp_path)) == {}


def test_a_study_before_its_first_trial_is_sound(store: Store, tmp_path: Path) -> None:
    register(plan(), store)
    assert sound.faults(sound.verified(tmp_path)) == {}


def test_what_several_workers_recorded_is_sound(store: Store, tmp_path: Path) -> None:
    drive_together(plan(trials=9), store, num_workers=7)
    found = sound.verified(tmp_path)
    assert sound.faults(found) == {}
    states = [trial.state for trial in store.trials(1)]
    assert TrialState.PRUNED in states, "ASHA has decided something"


def test_a_grown_study_is_sound_before_and_after_it_is_trained(store: Store, tmp_path: Path) -> None:
    """Its copies keep the order in which the source's trials were decided, not that of their numbers."""
    drive_together(plan(trials=9), store, num_workers=7)
    base = plan(trials=9, name="wide")
    wide = replace(
        base, study=replace(base.study, factors={"depth": (1, 2, 3), "optimizer": ("sgd", "adam")})
    )
    source, study = check_growth(store, wide, "small"), register(wide, store)
    with store.hold(study.id):
        locations = Locations(storage=sound.url(tmp_path), output=tmp_path)
        growth = grow(store, study, wide, source, versions=VERSIONS, locations=locations)
        assert growth.num_trials > 9
        assert sound.faults(sound.verified(tmp_path, "wide")) == {}
        drive(wide, store)
    assert sound.faults(sound.verified(tmp_path, "wide")) == {}
