"""What a run goes on without after it has moved to another machine: told, and recorded."""

import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from studies.base.errors import HeldError
from studies.base.states import StudyState
from studies.base.steps import silent
from studies.database.rows import StudyRow
from studies.database.store import Store
from studies.execution.run_files import MOVED, opened, tell_moved
from studies.run_log import run_events
from studies.run_log.run_events import HOST
from studies.storage.copier import Copier
from studies.storage.paths import locate
from tests.studies.raytune.driving import DriverDiedError, drive, register
from tests.studies.raytune.plans import plan
from tests.studies.verification import sound


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Store]:
    """A storage that is used from the machine `second`."""
    monkeypatch.setattr(socket, "gethostname", lambda: "second")
    with Store.open(sound.url(tmp_path)) as made:
        yield made


def ran_on(store: Store, study: StudyRow, host: str | None) -> None:
    """Note the start of a run on a machine; early versions noted none."""
    run_events.note_start(store, study.id, {"command": "run it"} | ({} if host is None else {HOST: host}))


def half(store: Store) -> StudyRow:
    """Return a study whose driver died in the middle of a trial."""
    study = register(plan(), store)
    with pytest.raises(DriverDiedError):
        drive(plan(), store, die_after=5)
    return study


def unfinished(store: Store, study: StudyRow) -> list[int]:
    trials = store.trials(study.id)
    return [trial.number for trial in trials if not trial.state.has_ended and trial.epochs]


def test_a_run_on_the_same_machine_or_after_an_early_version_has_nothing_to_tell(
    store: Store, tmp_path: Path
) -> None:
    study = half(store)
    for host in (None, "second"):
        ran_on(store, study, host)
        assert tell_moved(store, study, tmp_path) == ()
    assert not [event for event in store.events(study.id) if event.kind == MOVED]


def test_a_run_elsewhere_that_ended_without_a_word_may_have_left_results_in_its_spool(
    store: Store, tmp_path: Path
) -> None:
    study = register(plan(), store)
    ran_on(store, study, "first")
    (note,) = tell_moved(store, study, tmp_path)
    assert note.startswith(
        "the last run, on first, ended without a word: results that wait in its spool there"
    )
    (event,) = [event for event in store.events(study.id) if event.kind == MOVED]
    assert event.detail == f"from first to second: {note}"
    run_events.note_end(
        store, study.id, state=StudyState.INTERRUPTED, looks=0, seconds=dict.fromkeys(run_events.SECONDS, 1.0)
    )
    assert tell_moved(store, study, tmp_path) == ()


def test_a_run_that_lost_its_study_leaves_no_thread_that_copies(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    locations, study = locate(output=f"file://{tmp_path}/place"), register(plan(), store)
    before = {thread for thread in threading.enumerate() if thread.name == "copier"}

    def lose() -> None:
        with store.hold(study.id) as lease, opened(study, locations, lease, silent) as copying:
            assert isinstance(copying, Copier)
            raise HeldError("taken over", "")

    with pytest.raises(HeldError):
        lose()
    deadline = time.monotonic() + 30.0
    while any(thread.name == "copier" for thread in {*threading.enumerate()} - before):
        assert time.monotonic() < deadline, "it goes on"
        time.sleep(0.01)


def test_trials_without_a_checkpoint_start_anew(store: Store, tmp_path: Path) -> None:
    study = half(store)
    numbers = unfinished(store, study)
    assert numbers
    ran_on(store, study, "first")
    *_, note = tell_moved(store, study, tmp_path)
    assert f"({numbers[0]}" in note
    assert note.endswith("no checkpoint here: trained again from the start")
    (tmp_path / "checkpoints").mkdir()
    for number in numbers:
        (tmp_path / "checkpoints" / f"trial-{number}-epoch-1.safetensors").touch()
    assert len(tell_moved(store, study, tmp_path)) == 1


def test_models_that_only_the_other_machine_has_are_named(store: Store, tmp_path: Path) -> None:
    sound.complete(store, tmp_path / "first")
    study = store.find_study("small")
    assert study is not None
    ran_on(store, study, "first")
    *_, note = tell_moved(store, study, tmp_path / "second" / "small")
    assert note.startswith(f"1 file of models ({sound.FILE}) are on first alone: copy them from there")
    assert len(tell_moved(store, study, tmp_path / "first" / "small")) == 1
