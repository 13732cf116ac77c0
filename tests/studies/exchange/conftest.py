"""A recorded sample of real studies, in a storage that the door uses."""

from pathlib import Path

import pytest

from studies.results.recorded import RecordedStudy, load
from tests.studies.samples.laid_out import lay_out

CELLS = "cells-ab67"
"""Two cells of two search trials each, and a confirm trial of each: six trials of two networks, three epochs each."""


@pytest.fixture
def storage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """Return the URL of a storage with the sample's studies."""
    url = lay_out("plan_4", tmp_path)
    monkeypatch.setenv("STUDIES_STORAGE", url)
    monkeypatch.setenv("STUDIES_OUTPUT", str(tmp_path / "runs"))
    monkeypatch.chdir(tmp_path)
    return url


@pytest.fixture
def cells(storage: str) -> RecordedStudy:
    """Return the sample's complete study of two cells."""
    return load(CELLS, storage=storage)
