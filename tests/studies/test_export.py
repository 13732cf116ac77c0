"""`studies export`: several places in one command, all of them checked before anything is written."""

import os
import sys
from pathlib import Path

import optuna
import pytest

from studies.export import TARGETS, main
from studies.results.recorded import RecordedStudy
from tests.studies.exchange.conftest import CELLS, cells, storage

__all__ = ["cells", "storage"]


@pytest.mark.parametrize("name", ["loop", "looks"])
def test_several_places_at_once(name: str, storage: str, capsys: pytest.CaptureFixture[str]) -> None:
    places = ["--optuna", "sqlite:///optuna.db", "--tensorboard", "tb"]
    assert main([name, *places]) == 0
    out = capsys.readouterr().out.splitlines()
    assert [line.strip() for line in out[1::2]] == [
        "optuna-dashboard sqlite:///optuna.db",
        "tensorboard --logdir tb",
    ]
    num_networks = {"loop": 16, "looks": 60}[name]
    assert len(list(Path("tb", name).rglob("*tfevents*"))) == num_networks
    trials = optuna.load_study(study_name=name, storage="sqlite:///optuna.db").trials
    assert {trial.state.name for trial in trials} == (
        {"COMPLETE", "PRUNED"} if name == "loop" else {"COMPLETE"}
    )


def test_what_is_not_complete_yet_is_exported_as_far_as_it_is(storage: str) -> None:
    assert main(["cells-befb", "--optuna", "sqlite:///optuna.db", "--tensorboard", "tb"]) == 0
    assert optuna.get_all_study_names("sqlite:///optuna.db") == ["cells-befb"]
    trials = optuna.load_study(study_name="cells-befb", storage="sqlite:///optuna.db").trials
    assert [trial.state.name for trial in trials] == ["COMPLETE", "COMPLETE", "RUNNING"]
    assert len(list(Path("tb").rglob("*tfevents*"))) == 2


def test_without_a_place_those_that_there_are_are_listed(
    cells: RecordedStudy, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([CELLS]) == 2
    error = capsys.readouterr().err
    assert all(f"--{target.option} {target.metavar}" in error for target in TARGETS)


def test_an_unknown_study_leaves_nothing(storage: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["cells-ab68", "--frames", "out", "--optuna", "sqlite:///optuna.db"]) == 2
    assert f"did you mean {CELLS}?" in capsys.readouterr().err
    assert not Path("out").exists()
    assert not Path("optuna.db").exists()


def test_a_format_goes_with_frames(cells: RecordedStudy, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([CELLS, "--format", "csv", "--tensorboard", "tb"]) == 2
    assert "--format goes with --frames" in capsys.readouterr().err
    assert not Path("tb").exists()


@pytest.mark.parametrize("option", ["frames", "tensorboard", "wandb"])
def test_a_folder_that_cannot_be_written_is_refused(
    option: str, cells: RecordedStudy, capsys: pytest.CaptureFixture[str]
) -> None:
    os.symlink("nowhere", "there")
    assert main([CELLS, f"--{option}", "there"]) == 2
    error = capsys.readouterr().err
    assert f"--{option} there:" in error
    assert "leads nowhere" in error
    assert f"Give --{option} a folder that you may write to." in error


def test_one_place_that_cannot_be_used_stops_all(
    cells: RecordedStudy, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "wandb", None)
    assert main([CELLS, "--optuna", "sqlite:///optuna.db", "--frames", "out", "--wandb", "wb"]) == 2
    assert "pip install 'studies[wandb]'" in capsys.readouterr().err
    assert not any(Path(name).exists() for name in ("out", "wb", "optuna.db"))
