"""A report is found in a study's folder only where it is of that study."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from studies.database.rows import StudyRow
from studies.results.made_report import find_report
from tests.studies.results.made import VERDICT, make


def test_it_has_the_verdict_its_moment_and_its_picture(complete: StudyRow, tmp_path: Path) -> None:
    folder = make(tmp_path, complete)
    found = find_report(folder, complete)
    assert found is not None
    assert found.verdict.sentence == VERDICT["sentence"]
    assert found.made_at == complete.updated_at + timedelta(seconds=1)
    assert found.is_current
    assert found.picture == folder / "figures" / "forest.svg"


def test_one_that_more_was_recorded_after_is_not_current(complete: StudyRow, tmp_path: Path) -> None:
    before = (complete.updated_at - timedelta(seconds=1)).isoformat()
    found = find_report(make(tmp_path, complete, generated_at=before), complete)
    assert found is not None
    assert not found.is_current


@pytest.mark.parametrize(
    "changes",
    [
        {"plan_hash": "0" * 64},
        {"created_at": "2020-01-01T00:00:00+00:00"},
        {"created_at": "2020-01-01T00:00:00"},
        {"created_at": None},
        {"generated_at": "yesterday"},
        {"generated_at": "2020-01-01T00:00:00"},
    ],
)
def test_that_of_another_study_and_one_that_cannot_be_read_are_none(
    complete: StudyRow, tmp_path: Path, changes: dict[str, Any]
) -> None:
    assert find_report(make(tmp_path, complete, **changes), complete) is None


def test_half_a_report_is_none(complete: StudyRow, tmp_path: Path) -> None:
    folder = make(tmp_path, complete)
    for text in ("", "[]", "3", '{"plan_hash": 1}'):
        (folder / "report.json").write_text(text)
        assert find_report(folder, complete) is None
    (folder / "report.json").unlink()
    assert find_report(folder, complete) is None
    (make(tmp_path, complete) / "report.html").unlink()
    assert find_report(folder, complete) is None


def test_a_picture_that_is_missing_or_leads_elsewhere_is_none(complete: StudyRow, tmp_path: Path) -> None:
    folder = make(tmp_path / "runs", complete)
    figure = folder / "figures" / "forest.svg"
    figure.rename(tmp_path / "secret.svg")
    found = find_report(folder, complete)
    assert found is not None
    assert found.picture is None
    figure.symlink_to(tmp_path / "secret.svg")
    found = find_report(folder, complete)
    assert found is not None
    assert found.picture is None
