"""What a run is told before it begins."""

from pathlib import Path

import pytest

from studies.base.states import StudyState
from studies.database.store import Store
from studies.execution.preparation import planned_instead
from studies.planning.request import Request, draft
from studies.run_log import run_events
from studies.storage.paths import Locations


@pytest.fixture
def locations(tmp_path: Path) -> Locations:
    """A storage in which depth_study has finished its first look."""
    made = Locations(storage=f"sqlite:///{tmp_path}/studies.db", output=tmp_path / "runs")
    plan = draft(Request(study="depth_study")).plan("digits")
    with Store.open(made.storage) as store:
        study = store.create_study(
            name=plan.name, question="?", plan=plan.to_dict(), plan_hash=plan.hash, seed=plan.seed
        )
        run_events.note_start(store, study.id, {"command": "studies run depth_study --until look"})
        store.set_study_state(study.id, StudyState.COMPLETE)
    return made


def told(locations: Locations, **settings: object) -> tuple[str, ...]:
    return planned_instead(draft(Request(study="depth_study", settings=settings)).plan("digits"), locations)


def test_replicates_that_are_a_planned_look_of_a_finished_study_are_told(locations: Locations) -> None:
    (note,) = told(locations, replicates=20)
    assert note.startswith(
        "note: 20 blocks are a planned look of depth_study, which has finished the one at 10: "
    )
    assert "studies run depth_study --until look goes on there" in note


@pytest.mark.parametrize(
    "settings", [{}, {"replicates": 30}, {"replicates": 20, "search.trials_per_cell": 5}, {"replicates": 10}]
)
def test_other_plans_are_not(locations: Locations, settings: dict[str, object]) -> None:
    assert told(locations, **settings) == ()


def test_without_a_storage_nothing_is_told_and_none_is_made(tmp_path: Path) -> None:
    nowhere = Locations(storage=f"sqlite:///{tmp_path}/studies.db", output=tmp_path / "runs")
    assert told(nowhere, replicates=20) == ()
    assert not list(tmp_path.iterdir())
