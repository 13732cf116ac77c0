"""The page of a very large study is made from fewer rows, says so, and says the same."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import update

from reports.pages.json_report import json_report
from reports.pages.page import write_report
from reports.results.results import compute
from studies.database.frames import extent, raw_rows
from studies.database.rows import StudyRow
from studies.database.schema import tables
from studies.database.store import Store
from studies.planning.plan import Plan
from studies.results.report_inputs import report_inputs
from studies.verification.damage import DamagedError, refuse_damaged
from tests.studies.raytune.plans import plan
from tests.studies.verification import sound

SMALL = plan()
PATIENT = replace(SMALL, study=replace(SMALL.study, fixed={**SMALL.study.fixed, "patience": 1}))
MOST = 10


@pytest.fixture(params=[SMALL, PATIENT], ids=["to the end", "stopping early"])
def study(request: pytest.FixtureRequest, store: Store, tmp_path: Path) -> StudyRow:
    """A complete study; networks of one of its plans may stop early, and some of those did."""
    made: Plan = request.param
    sound.complete(store, tmp_path, made)
    found = store.find_study(made.name)
    assert found is not None
    if made is PATIENT:
        with store.writing(found.id) as connection:
            stopped = {"best_epoch": 1.0, "stopped_epoch": 2.0}
            of_one = (tables.replicate.c.trial_number == _last(store, found)) & (
                tables.replicate.c.replicate == 0
            )
            connection.execute(update(tables.replicate).where(of_one).values(metrics=stopped))
            late = (tables.epoch.c.trial_number == _last(store, found)) & (tables.epoch.c.replicate == 0)
            connection.execute(tables.epoch.delete().where(late & (tables.epoch.c.epoch > 2)))
    return found


def _last(store: Store, study: StudyRow) -> int:
    """Return the last search trial that came to the end."""
    trials = [t.number for t in store.trials(study.id) if t.phase == "search" and t.state == "complete"]
    return trials[-1]


@pytest.fixture
def count_as_large(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """From when this is called, the study counts as very large, and is read two trials at a time."""

    def count() -> None:
        monkeypatch.setattr(extent, "MOST_ROWS", MOST)
        monkeypatch.setattr(raw_rows, "TRIALS_AT_ONCE", 2)

    return count


def numbers(store: Store, study: StudyRow) -> dict[str, Any]:
    inputs = report_inputs(store, study)
    report = json_report(inputs, compute(inputs))
    return {name: value for name, value in report.items() if name != "generated_at"}


def test_all_numbers_of_the_page_are_the_same(
    store: Store, study: StudyRow, count_as_large: Callable[[], None]
) -> None:
    whole = numbers(store, study)
    count_as_large()
    assert repr(numbers(store, study)) == repr(whole)


def test_the_frames_lack_what_the_page_does_not_need_and_the_page_says_so(
    store: Store, study: StudyRow, count_as_large: Callable[[], None], tmp_path: Path
) -> None:
    whole = report_inputs(store, study)
    assert whole.recorded_epochs is None
    assert "Of the search" not in write_report(whole, tmp_path / "small").read_text(encoding="utf-8")
    count_as_large()
    inputs = report_inputs(store, study)
    confirm = {trial.number for trial in store.trials(study.id) if trial.phase == "confirm"}
    assert inputs.recorded_epochs is not None
    assert inputs.recorded_epochs["size"].sum() == len(whole.epochs) > len(inputs.epochs)
    assert set(inputs.gradients["trial_number"]) == confirm
    assert set(inputs.epochs.loc[~inputs.epochs["trial_number"].isin(confirm), "epoch"]) == {1, 3}
    page = write_report(inputs, tmp_path / "large").read_text(encoding="utf-8")
    assert f"the study\nhas {len(whole.epochs)} epochs" in page
    assert f"studies export {study.name} --frames DIR" in page
    exported = report_inputs(store, study, whole=True)
    assert exported.epochs.equals(whole.epochs)
    one = report_inputs(store, study, trial=1)
    assert set(one.epochs.loc[one.epochs["trial_number"] == 1, "epoch"]) == set(
        whole.epochs.loc[whole.epochs["trial_number"] == 1, "epoch"]
    )


@pytest.mark.parametrize("of_page", [True, False])
@pytest.mark.parametrize("number", [1, 2, 7, 17, 20])
def test_a_damaged_row_is_found_in_each_part(
    store: Store, tmp_path: Path, count_as_large: Callable[[], None], number: int, of_page: bool
) -> None:
    sound.complete(store, tmp_path, SMALL)
    count_as_large()
    refuse_damaged(store, SMALL.name, of_page=of_page)
    with store.writing(1) as connection:
        is_row = (tables.replicate.c.trial_number == number) & (tables.replicate.c.replicate == 1)
        connection.execute(update(tables.replicate).where(is_row).values(val_loss=0.123))
    with pytest.raises(DamagedError, match=f"replicate, trial {number}, replicate 1"):
        refuse_damaged(store, SMALL.name, of_page=of_page)
