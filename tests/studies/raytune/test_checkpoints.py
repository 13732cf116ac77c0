"""Checkpoints on disk: the newest whole one serves, two are kept, and none outlives its trial or its record."""

import functools
import stat
from pathlib import Path

import pytest

from studies.base.states import TrialState
from studies.database.store import Store
from studies.planning.planned_trial import PlannedTrial
from studies.raytune.checkpoints import Checkpoints
from studies.search.trial_queue import TrialQueue
from tests.studies.database import recorded
from tests.studies.raytune.plans import plan
from tests.trainables.conftest import load_digits
from tests.trainables.small import trial_spec
from trainables.training.loop import train
from trainables.training.stack import Stack
from trainables.trials.checkpoint import save
from trainables.trials.trial_spec import TrialSpec

TASK = trial_spec(number=1, rungs=(6,), width=4, batch_size=256, layers_at=())


@functools.cache
def saved(seed: int = 11) -> dict[int, bytes]:
    """Return real checkpoints after one to four epochs."""
    task = task_of(seed)
    stack = Stack.make(task.model, task.hyperparameters, load_digits(), seeds=task.seeds)
    return {records[0].epoch: save(stack, task) for records in train(stack, epochs=4)}


def task_of(seed: int) -> TrialSpec:
    return trial_spec(
        number=1, rungs=(6,), width=4, batch_size=256, layers_at=(), seeds=(seed, seed + 1, seed + 2)
    )


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in (folder / "checkpoints").iterdir())


def test_the_newest_two_of_each_trial_are_kept_for_their_owner_alone(tmp_path: Path) -> None:
    kept = Checkpoints(tmp_path / "runs" / "small")
    for epoch in (1, 2, 3):
        kept.keep(1, epoch, saved()[epoch])
    kept.keep(12, 9, b"of another trial")
    folder = tmp_path / "runs" / "small"
    assert names(folder) == [f"trial-{name}.safetensors" for name in ("1-epoch-2", "1-epoch-3", "12-epoch-9")]
    modes = {stat.S_IMODE(path.stat().st_mode) for path in (folder / "checkpoints").iterdir()}
    assert (modes, stat.S_IMODE((folder / "checkpoints").stat().st_mode)) == ({0o600}, 0o700)


def test_numbers_are_compared_as_numbers(tmp_path: Path) -> None:
    kept = Checkpoints(tmp_path)
    for epoch in (9, 10, 11):
        kept.keep(1, epoch, b"")
    assert names(tmp_path) == ["trial-1-epoch-10.safetensors", "trial-1-epoch-11.safetensors"]


def test_the_newest_is_taken_and_a_trial_without_one_begins_at_its_start(tmp_path: Path) -> None:
    kept = Checkpoints(tmp_path)
    assert kept.newest(TASK) == (None, [])
    kept.keep(1, 1, saved()[1])
    kept.keep(1, 2, saved()[2])
    checkpoint_ref, refused = kept.newest(TASK)
    assert checkpoint_ref is not None
    assert (checkpoint_ref.epoch, checkpoint_ref.data, refused) == (2, saved()[2], [])
    assert kept.newest(trial_spec(number=2)) == (None, [])


def test_a_damaged_one_falls_back_to_the_one_before_and_then_to_the_start(tmp_path: Path) -> None:
    kept = Checkpoints(tmp_path)
    kept.keep(1, 1, saved()[1])
    kept.keep(1, 2, saved()[2][:-1])
    checkpoint_ref, refused = kept.newest(TASK)
    assert checkpoint_ref is not None
    assert (checkpoint_ref.epoch, checkpoint_ref.data) == (1, saved()[1])
    assert len(refused) == 1
    assert refused[0].startswith("trial-1-epoch-2.safetensors: the checkpoint is damaged: ")
    (tmp_path / "checkpoints" / "trial-1-epoch-1.safetensors").write_bytes(b"")
    checkpoint_ref, refused = kept.newest(TASK)
    assert checkpoint_ref is None
    assert len(refused) == 2


def test_one_of_another_trial_or_epoch_than_its_name_says_is_refused(tmp_path: Path) -> None:
    kept = Checkpoints(tmp_path)
    kept.keep(1, 2, saved(21)[2])
    kept.keep(1, 3, saved()[2])
    checkpoint_ref, refused = kept.newest(TASK)
    assert checkpoint_ref is None
    assert [why.rpartition(": ")[2] for why in refused] == ["the checkpoint is of epoch 2", "seeds differ"]


def test_one_that_cannot_be_read_is_refused(tmp_path: Path) -> None:
    (tmp_path / "checkpoints" / "trial-1-epoch-2.safetensors").mkdir(parents=True)
    checkpoint_ref, (why,) = Checkpoints(tmp_path).newest(TASK)
    assert checkpoint_ref is None
    assert why.startswith("trial-1-epoch-2.safetensors: ")


def test_what_has_another_name_is_let_be(tmp_path: Path) -> None:
    kept = Checkpoints(tmp_path)
    kept.keep(1, 2, saved()[2])
    strange = tmp_path / "checkpoints" / "trial-1-epoch-x.safetensors"
    strange.write_bytes(b"")
    assert kept.newest(TASK)[1] == []
    kept.drop(1)
    assert names(tmp_path) == [strange.name]


def test_one_that_cannot_be_removed_is_not_looked_at(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    kept = Checkpoints(tmp_path)
    kept.keep(1, 1, saved()[1])

    def refuse(path: Path, missing_ok: bool = False) -> None:
        raise PermissionError(13, "Permission denied")

    with monkeypatch.context() as guarded:
        guarded.setattr(Path, "unlink", refuse)
        kept.drop(1)
    assert names(tmp_path) == ["trial-1-epoch-1.safetensors"]
    assert kept.newest(TASK) == (None, [])
    kept.keep(1, 1, saved()[1])
    assert kept.newest(TASK)[0] is not None


class TestOpening:
    """What is left of an earlier run's files when the next one begins."""

    @pytest.fixture
    def opened(self, tmp_path: Path) -> Checkpoints:
        """Return the checkpoints of a study whose trial 1 has three epochs recorded and whose trial 2 has ended."""
        with Store.open(f"sqlite:///{tmp_path}/studies.db") as store:
            study = recorded.new_study(store)
            small = plan()
            queue = TrialQueue(small)
            for number in (1, 2):
                trial = queue.next_trial()
                assert isinstance(trial, PlannedTrial)
                assert trial.cell is not None
                params = dict(trial.params)
                recorded.add_trial(store, study, number, cell=trial.cell.number, params=params)
                recorded.start(store, study, number)
            store.record_result(study.id, 1, recorded.at_rung(3, range(4)))
            store.record_result(study.id, 2, recorded.at_end(3, range(4), state=TrialState.FAILED))
            before = Checkpoints(tmp_path)
            for number in (1, 2, 3):
                for epoch in (3, 4):
                    before.keep(number, epoch, b"")
            (tmp_path / "checkpoints" / "trial-1-epoch-5.safetensors.partial").touch()
            queue = TrialQueue(small, store.trials(study.id), store.rung_results(study.id))
            assert queue.trials[2].state is TrialState.FAILED
            return Checkpoints.open(store, study.id, queue, tmp_path)

    def test_files_of_ended_and_unknown_trials_and_of_epochs_not_recorded_are_removed(
        self, opened: Checkpoints, tmp_path: Path
    ) -> None:
        assert names(tmp_path) == ["trial-1-epoch-3.safetensors"]

    def test_what_is_recorded_of_trials_with_a_checkpoint_is_read(self, opened: Checkpoints) -> None:
        assert set(opened.histories) == {1}
        assert {record.epoch for record in opened.histories[1]} == {1, 2, 3}


def test_without_a_folder_there_is_nothing_to_open(tmp_path: Path) -> None:
    with Store.open(f"sqlite:///{tmp_path}/studies.db") as store:
        opened = Checkpoints.open(store, 1, TrialQueue(plan()), tmp_path)
    assert opened.histories == {}
    assert not (tmp_path / "checkpoints").exists()
