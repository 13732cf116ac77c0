"""Rows are compared with their digests where they are read, in both databases."""

import pytest
from sqlalchemy import update

from studies.base.states import Phase, TrialState
from studies.database.as_stored import rows_shown_match
from studies.database.rows import StudyRow
from studies.database.schema import tables
from studies.database.store import Store
from tests.studies.database.recorded import add_trial, at_end, new_study, start

MANY = 100


@pytest.fixture
def study(store: Store) -> StudyRow:
    """Two trials of the search that have ended, the second one the best, one that runs, and one that confirms."""
    made = new_study(store)
    for number in (1, 2, 3):
        add_trial(store, made, number)
        start(store, made, number)
    add_trial(store, made, 4, phase=Phase.CONFIRM)
    for number, state in ((1, TrialState.PRUNED), (2, TrialState.COMPLETE)):
        store.record_result(made.id, number, at_end(1, [1], state=state))
    store.add_event(made.id, "noted", None, "a text: ß")
    return made


def matches(store: Store, *names: str, most_trials: int = MANY) -> bool:
    with store.reading() as connection:
        return rows_shown_match(connection, names, most_trials=most_trials)


def change(store: Store, study: StudyRow, number: int, **values: object) -> None:
    """Change a trial behind the store's back: its digest stays."""
    is_trial = (tables.trial.c.study_id == study.id) & (tables.trial.c.number == number)
    with store.writing(study.id) as connection:
        connection.execute(update(tables.trial).where(is_trial).values(values))


@pytest.mark.parametrize("most_trials", [0, MANY])
def test_rows_match_as_they_were_written(store: Store, study: StudyRow, most_trials: int) -> None:
    assert matches(store, most_trials=most_trials)
    assert matches(store, study.name, most_trials=most_trials)
    assert matches(store, "another", most_trials=most_trials)


@pytest.mark.parametrize("number", [1, 2, 3, 4])
def test_any_changed_trial_of_a_small_study_is_seen(store: Store, study: StudyRow, number: int) -> None:
    change(store, study, number, worker="another")
    assert not matches(store)
    assert not matches(store, study.name)
    assert matches(store, "another")


@pytest.mark.parametrize(("number", "is_seen"), [(1, False), (2, True), (3, True), (4, True)])
def test_of_a_large_study_those_that_pages_show_are_looked_at(
    store: Store, study: StudyRow, number: int, is_seen: bool
) -> None:
    change(store, study, number, worker="another")
    assert matches(store, most_trials=0) is not is_seen


def test_a_trial_that_a_change_makes_the_best_is_seen(store: Store, study: StudyRow) -> None:
    change(store, study, 1, state=TrialState.COMPLETE, objective=-1.0)
    assert not matches(store, most_trials=0)


def test_a_row_without_its_digest_does_not_match(store: Store, study: StudyRow) -> None:
    change(store, study, 3, digest=None)
    assert not matches(store)


def test_a_changed_event_is_seen(store: Store, study: StudyRow) -> None:
    with store.writing(study.id) as connection:
        connection.execute(update(tables.event).values(detail="another text"))
    assert not matches(store)
