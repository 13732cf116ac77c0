"""A run lists its study when it begins and when it ends early; what goes wrong with that is told and ends no run."""

from pathlib import Path

import pytest

from studies.base.errors import StudiesError
from studies.database.rows import StudyRow
from studies.database.store import Store
from studies.execution.listing import list_studies
from studies.results import study_index


def test_it_writes_the_list(store: Store, begun: StudyRow, tmp_path: Path) -> None:
    assert list_studies(store, tmp_path / "runs") is None
    assert begun.name in (tmp_path / "runs" / "index.html").read_text(encoding="utf-8")


def test_a_page_that_cannot_be_written_is_told(store: Store, begun: StudyRow, tmp_path: Path) -> None:
    (tmp_path / "runs" / "index.html").mkdir(parents=True)
    problem = list_studies(store, tmp_path / "runs")
    assert problem is not None
    assert f"the list of all studies in {tmp_path / 'runs'} is not up to date: " in problem


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (StudiesError("no answer", "Wait."), "no answer"),
        (KeyError("x"), "'x'"),
        (AssertionError(), "AssertionError"),
    ],
)
def test_whatever_goes_wrong_is_told(
    error: Exception, told: str, store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise error

    monkeypatch.setattr(study_index, "index_studies", fail)
    assert str(list_studies(store, tmp_path)).endswith(f"is not up to date: {told}")
