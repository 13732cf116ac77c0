"""A study whose driver or worker dies goes on from its checkpoints, to the rows of an undisturbed one."""

import random
import shutil
import signal
import subprocess
import sys
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from studies.base.states import TrialState
from studies.definition.parts import Confirm, Search
from studies.definition.study import Study
from studies.planning.plan import Plan
from tests.studies.faults.soundness import check_whole, results
from tests.studies.raytune.one_worker import DriverDiedError, kill, opened, run
from tests.studies.raytune.plans import RATE

assert RATE is not None
PLAN = Plan(
    name="long",
    study=Study(
        question="Does depth help?",
        factors={"depth": (1, 2)},
        nuisances={"learning_rate": RATE},
        fixed={"width": 8, "batch_size": 256, "dropout": 0.3, "batch_norm": True},
        replicates=2,
        search=Search(trials_per_cell=2, rungs=(2, 6)),
        confirm=Confirm(epochs=6),
    ),
    seed=0,
    dataset_fingerprint="0" * 64,
)
LAST = 6
"""The last trial's number; it confirms."""

NUM_STUDIES = 20
"""Studies of the slow loop; each dies a few times."""

MOMENTS_OF_A_CONFIRM_TRIAL = 2 + 2 + 6 * 2 + 5 * 3
"""A confirm trial is added and started, reports six epochs and writes five checkpoints."""


def rows(folder: Path) -> dict[str, list[dict[str, Any]]]:
    """Return what a study that is complete ends with, after a look whether it is sound."""
    with opened(PLAN, folder) as (store, study):
        check_whole(store, study.id)
        assert not [event for event in store.events(study.id) if event.kind == "conflict"]
        return results(store)


def events(folder: Path) -> list[tuple[str, int | None, str]]:
    with opened(PLAN, folder) as (store, study):
        return [(event.kind, event.trial_number, event.detail) for event in store.events(study.id)]


def attempts(folder: Path) -> dict[int, int]:
    with opened(PLAN, folder) as (store, study):
        return {trial.number: trial.attempt for trial in store.trials(study.id)}


def checkpoints(folder: Path) -> list[str]:
    return sorted(path.name for path in (folder / "checkpoints").iterdir())


def die(folder: Path, moment: int) -> None:
    with pytest.raises(DriverDiedError):
        run(PLAN, folder, die_at=moment)


@dataclass(frozen=True, kw_only=True)
class Undisturbed:
    """An undisturbed run, and a driver that died before the last trial."""

    rows: dict[str, list[dict[str, Any]]]
    num_moments: int
    before_the_last: Path


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> Undisturbed:
    """Run the study once whole, and once up to the last trial."""
    folder = tmp_path_factory.mktemp("undisturbed")
    progress, num_moments = run(PLAN, folder)
    assert progress.network_epochs == len(rows(folder)["epoch"])
    assert checkpoints(folder) == []
    before = tmp_path_factory.mktemp("before")
    die(before, num_moments - MOMENTS_OF_A_CONFIRM_TRIAL)
    return Undisturbed(rows=rows(folder), num_moments=num_moments, before_the_last=before)


@pytest.fixture
def folder(undisturbed: Undisturbed, tmp_path: Path) -> Path:
    """Return the folder of a study of which the last trial is left."""
    return Path(shutil.copytree(undisturbed.before_the_last, tmp_path / "copy"))


def test_checkpoints_change_no_number(undisturbed: Undisturbed, tmp_path: Path) -> None:
    run(PLAN, tmp_path, is_checkpointing=False)
    assert rows(tmp_path) == undisturbed.rows


def test_a_driver_may_die_at_any_moment_of_a_confirm_trial(undisturbed: Undisturbed, tmp_path: Path) -> None:
    """At each one up to its first checkpoint and after its last report but one."""
    began_after = Counter[str]()
    for moment in (*range(1, 10), *range(MOMENTS_OF_A_CONFIRM_TRIAL - 4, MOMENTS_OF_A_CONFIRM_TRIAL + 1)):
        copy = Path(shutil.copytree(undisturbed.before_the_last, tmp_path / str(moment)))
        die(copy, moment)
        run(PLAN, copy)
        assert rows(copy) == undisturbed.rows, f"moment {moment}"
        assert checkpoints(copy) == []
        began_after.update(detail for kind, _, detail in events(copy) if kind == "checkpoint_used")
    assert set(began_after) == {f"goes on after epoch {epoch}" for epoch in (1, 4, 5)}


@pytest.mark.parametrize("moment", [19, 56])
def test_a_driver_may_die_in_a_search_trial(undisturbed: Undisturbed, tmp_path: Path, moment: int) -> None:
    die(tmp_path, moment)
    assert checkpoints(tmp_path) != []
    run(PLAN, tmp_path)
    assert rows(tmp_path) == undisturbed.rows
    assert [kind for kind, *_ in events(tmp_path)] == ["checkpoint_used"]


def test_checkpoints_that_outlived_their_trial_are_removed(undisturbed: Undisturbed, folder: Path) -> None:
    die(folder, MOMENTS_OF_A_CONFIRM_TRIAL)
    assert checkpoints(folder) != []
    run(PLAN, folder)
    assert rows(folder) == undisturbed.rows
    assert (checkpoints(folder), events(folder)) == ([], [])


@pytest.mark.slow
def test_any_deaths_of_drivers_and_workers_lead_to_the_same_end(
    undisturbed: Undisturbed, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    seed: int = request.config.getoption("--loops-seed")
    draw = random.Random(seed)
    for number in range(NUM_STUDIES):
        folder = tmp_path / str(number)
        folder.mkdir()
        deaths = 0
        while True:
            place = draw.randint(1, LAST), draw.randint(0, 5)
            try:
                run(PLAN, folder, die_at=draw.randint(5, undisturbed.num_moments), dies_at={place: 1})
            except DriverDiedError:
                deaths += 1
            else:
                break
        assert rows(folder) == undisturbed.rows, f"study {number}, {deaths} deaths, seed {seed}"
        assert checkpoints(folder) == []


def test_a_driver_that_dies_again_and_again_gets_done(undisturbed: Undisturbed, folder: Path) -> None:
    """None of its lives is long enough for the trial."""
    lives = 1
    while True:
        try:
            run(PLAN, folder, die_at=14)
        except DriverDiedError:
            lives += 1
        else:
            break
    assert lives > 3
    assert rows(folder) == undisturbed.rows
    assert attempts(folder)[LAST] == lives


def test_a_driver_is_killed(undisturbed: Undisturbed, folder: Path) -> None:
    killed = subprocess.run([sys.executable, "-m", __name__, folder, "20"], check=False)
    assert killed.returncode == -signal.SIGKILL
    assert checkpoints(folder) != []
    run(PLAN, folder)
    assert rows(folder) == undisturbed.rows
    assert [kind for kind, *_ in events(folder)] == ["checkpoint_used"]


def test_a_damaged_checkpoint_falls_back_to_the_one_before(undisturbed: Undisturbed, folder: Path) -> None:
    die(folder, MOMENTS_OF_A_CONFIRM_TRIAL - 4)
    older, newer = checkpoints(folder)
    damaged = bytearray((folder / "checkpoints" / newer).read_bytes())
    damaged[-1] ^= 1
    (folder / "checkpoints" / newer).write_bytes(damaged)
    run(PLAN, folder)
    assert rows(folder) == undisturbed.rows
    (refused, used) = events(folder)
    assert refused[:2] == ("checkpoint_refused", LAST)
    assert refused[2].startswith(f"{newer}: the checkpoint is damaged: ")
    assert used == ("checkpoint_used", LAST, f"goes on after epoch {older.removesuffix('.safetensors')[-1]}")


def test_without_a_whole_checkpoint_a_trial_begins_at_its_start(
    undisturbed: Undisturbed, folder: Path
) -> None:
    die(folder, MOMENTS_OF_A_CONFIRM_TRIAL - 4)
    for name in checkpoints(folder):
        (folder / "checkpoints" / name).write_bytes(b"")
    run(PLAN, folder)
    assert rows(folder) == undisturbed.rows
    assert [kind for kind, *_ in events(folder)] == ["checkpoint_refused"] * 2


def test_a_checkpoint_of_epochs_that_the_storage_lacks_is_not_used(
    undisturbed: Undisturbed, folder: Path
) -> None:
    """As where a storage was restored from a backup."""
    storage = folder / "studies.db"
    backup = storage.read_bytes()
    die(folder, MOMENTS_OF_A_CONFIRM_TRIAL - 4)
    assert len(checkpoints(folder)) == 2
    for path in folder.glob("studies.db*"):
        path.unlink()
    storage.write_bytes(backup)
    run(PLAN, folder)
    assert rows(folder) == undisturbed.rows
    assert events(folder) == []


def test_without_a_folder_for_checkpoints_the_study_goes_on(undisturbed: Undisturbed, folder: Path) -> None:
    shutil.rmtree(folder / "checkpoints")
    (folder / "checkpoints").write_text("in the way")
    run(PLAN, folder)
    assert rows(folder) == undisturbed.rows
    assert [kind for kind, *_ in events(folder)] == ["checkpoint_failed"]


def test_a_worker_may_die_in_any_trial(undisturbed: Undisturbed, tmp_path: Path) -> None:
    """Before its first report, at a rung, and twice in the same trial."""
    progress, _ = run(PLAN, tmp_path, dies_at={(1, 0): 1, (2, 2): 1, (LAST, 3): 1, (LAST, 5): 1})
    assert rows(tmp_path) == undisturbed.rows
    assert attempts(tmp_path) == {1: 2, 2: 2, 3: 1, 4: 1, 5: 1, LAST: 3}
    assert [(kind, number) for kind, number, _ in events(tmp_path)] == [
        ("worker_lost", 1),
        ("worker_lost", 2),
        ("checkpoint_used", 2),
        ("worker_lost", LAST),
        ("checkpoint_used", LAST),
        ("worker_lost", LAST),
        ("checkpoint_used", LAST),
    ]
    assert progress.network_epochs == len(undisturbed.rows["epoch"])
    assert checkpoints(tmp_path) == []


def test_a_trial_that_loses_each_worker_has_failed_and_the_others_go_on(tmp_path: Path) -> None:
    run(PLAN, tmp_path, dies_at={(2, 1): 9, (LAST, 4): 9})
    with opened(PLAN, tmp_path) as (store, study):
        states = {trial.number: trial.state for trial in store.trials(study.id)}
        errors = {trial.number: trial.error for trial in store.trials(study.id) if trial.error is not None}
    assert {number for number, state in states.items() if state is TrialState.FAILED} == {2, LAST}
    assert all(state.has_ended for state in states.values())
    assert all(error.startswith("the worker was lost 4 times; the last time:\n") for error in errors.values())
    assert checkpoints(tmp_path) == []


if __name__ == "__main__":
    run(PLAN, Path(sys.argv[1]), die_at=int(sys.argv[2]), die=kill)
