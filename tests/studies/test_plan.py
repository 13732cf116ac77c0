"""The door to a plan: what it counts is what a run trains, and it writes nothing."""

import json
from pathlib import Path

import pytest

from studies.plan import main

SMALL = ["--set", "search.trials_per_cell=1", "--set", "search.rungs=[1]", "--set", "confirm.epochs=1"]


@pytest.fixture(autouse=True)
def _in_an_empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("STUDIES_STORAGE", raising=False)
    monkeypatch.delenv("STUDIES_OUTPUT", raising=False)


def test_the_depth_studys_plan(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["depth_study", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["cells"], told["search_trials"], told["confirm_trials"], told["networks"]) == (
        54,
        324,
        54,
        3780,
    )
    assert told["plan"]["seed"] == 0
    assert list(tmp_path.iterdir()) == []


def test_lines_for_a_person_fit_80_columns(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["depth_study", "--profile", "smoke", *SMALL]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert any(line.startswith("study      depth_study-smoke-") for line in lines)
    assert any("8 cells, 8 trials" in line for line in lines)
    assert max(map(len, lines)) <= 80
    assert list(tmp_path.iterdir()) == []


def test_a_wrong_plan_is_refused_as_a_run_would(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["depth_study", "--set", "replicates=0", "--workers", "0"]) == 2
    assert "replicates must be" in capsys.readouterr().err
