"""What is seen of a study before its data is loaded: whether there will be anything to train."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from reports.inputs.decisions import Decision
from studies.base.errors import HeldError
from studies.base.states import StudyState
from studies.database.rows import StudyRow
from studies.database.store import Store
from studies.execution.registration import will_train
from studies.planning.request import Draft, Request, draft
from studies.run_log import run_events
from studies.run_log.looks import note_decision

LOOKS = {"looks": [10, 20]}


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store.open(url(tmp_path)) as opened:
        yield opened


def url(folder: Path) -> str:
    return f"sqlite:///{folder}/studies.db"


def drafted(**settings: object) -> Draft:
    return draft(Request(study="depth_study", settings=settings, name="mine"))


def recorded(store: Store, of: Draft, *, looks: int = 0) -> StudyRow:
    """Record a study of which so many looks are complete, the last planned one with every question answered."""
    plan = of.plan("print")
    study = store.create_study(
        name=plan.name, question="?", plan=plan.to_dict(), plan_hash=plan.hash, seed=plan.seed
    )
    for look in range(looks):
        left = plan.study.all_looks[look + 1 :]
        decision = Decision(
            look=look + 1,
            num_blocks=plan.study.all_looks[look],
            questions=(),
            cells=(1,) if left else (),
            next_blocks=left[0] if left else None,
        )
        note_decision(store, study.id, decision)
        run_events.note_end(store, study.id, state=StudyState.COMPLETE, looks=look + 1, seconds={})
        store.set_study_state(study.id, StudyState.COMPLETE)
    return study


def test_a_new_study_will_train(store: Store, tmp_path: Path) -> None:
    assert will_train(drafted(), url(tmp_path), take_over=False)
    recorded(store, draft(Request(study="depth_study", name="another")), looks=1)
    assert will_train(drafted(), url(tmp_path), take_over=False)


def test_one_without_a_storage_will_unless_it_is_to_grow_from_what_is_there(tmp_path: Path) -> None:
    assert will_train(drafted(), url(tmp_path), take_over=False)
    growing = draft(Request(study="depth_study", name="mine", grow_from="other"))
    assert not will_train(growing, url(tmp_path), take_over=False)


def test_an_unfinished_study_will_and_a_finished_one_will_not(store: Store, tmp_path: Path) -> None:
    study = recorded(store, drafted(looks=[10]))
    assert will_train(drafted(looks=[10]), url(tmp_path), take_over=False)
    run_events.note_end(store, study.id, state=StudyState.COMPLETE, looks=1, seconds={})
    store.set_study_state(study.id, StudyState.COMPLETE)
    assert not will_train(drafted(looks=[10]), url(tmp_path), take_over=False)


@pytest.mark.parametrize(("looks", "more"), [(1, True), (2, False)])
def test_the_next_look_is_still_to_be_trained(store: Store, tmp_path: Path, looks: int, more: bool) -> None:
    recorded(store, drafted(**LOOKS), looks=looks)
    assert will_train(drafted(**LOOKS), url(tmp_path), take_over=False) == more


def test_one_that_is_recorded_with_another_plan_will_be_refused(store: Store, tmp_path: Path) -> None:
    recorded(store, drafted(replicates=11))
    assert not will_train(drafted(), url(tmp_path), take_over=False)


def test_one_that_is_held_is_refused_unless_it_is_taken_over(store: Store, tmp_path: Path) -> None:
    study = recorded(store, drafted())
    with store.hold(study.id):
        with pytest.raises(HeldError, match="study mine is held"):
            will_train(drafted(), url(tmp_path), take_over=False)
        assert will_train(drafted(), url(tmp_path), take_over=True)
