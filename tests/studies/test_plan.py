"""The door to a plan: what it counts is what a run trains, and it writes nothing."""

import json
from pathlib import Path

import pytest

from studies.database.store import Store
from studies.definition import plan_versions
from studies.forecast.gpu_fraction import PEAK_MEMORY, peak_detail
from studies.plan import main
from trainables.base.records import PeakMemory

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


def test_the_page_fits_the_terminal(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    assert main(["depth_study", "--profile", "smoke", *SMALL, "--no-live"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("depth_study-smoke-")
    assert any("every combination: 8 cells" in line for line in lines)
    told = " ".join(" ".join(lines).split())
    assert "search 8 trials, 1 in each cell, proposed by QMC for validation log-loss confirm" in told
    assert "tuned learning rate from 0.0003 to 0.03 (log scale) with Adam held" in told, (
        "of an optimizer that is not compared nothing is said"
    )
    assert "with --no-live a run writes no live.html" in told
    assert max(map(len, lines)) <= 80
    assert list(tmp_path.iterdir()) == []


def test_a_wrong_plan_is_refused_as_a_run_would(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["depth_study", "--set", "replicates=0", "--workers", "0"]) == 2
    assert "replicates must be" in capsys.readouterr().err


def test_the_fraction_of_a_gpu_is_told_where_trials_of_the_study_took_some(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["depth_study", "--profile", "smoke", *SMALL, "--workers", "8", "--json"]
    assert main(words) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["gpu_share"] is None or "unknown until" in told["gpu_share"]
    url = f"sqlite:///{tmp_path}/studies.db"
    with Store.open(url) as store:
        study = store.create_study(
            name=told["study"], question="?", plan=told["plan"], plan_hash=told["plan_hash"], seed=0
        )
        memory = PeakMemory(allocated_bytes=3 * 2**30, total_bytes=16 * 2**30, gpu="made up")
        store.add_event(study.id, PEAK_MEMORY, 7, peak_detail(memory))
    assert main([*words[:-1], "--storage", url]) == 0
    lines = capsys.readouterr().out.splitlines()
    (line,) = [line for line in lines if line.startswith("gpu ")]
    assert line.startswith("gpu        --gpus-per-trial 0.333: ")


def test_a_table_of_ones_own_shows_what_became_of_its_columns(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = "".join(
        f"{n},5;?;{'a rather long text' if n % 3 else 'b'};{'cat' if n % 2 else 'dog'}\n" for n in range(40)
    )
    (tmp_path / "pets.csv").write_text(
        f"size;age;colour.of.its.coat;kind\n1,5;3;;cat\n{rows}", encoding="utf-8"
    )
    own = [
        "--set",
        "dataset=csv:pets.csv",
        "--set",
        "target=kind",
        "--set",
        "columns.colour.of.its.coat=category",
    ]
    assert main(["depth_study", "--profile", "smoke", *SMALL, *own]) == 0
    lines = capsys.readouterr().out.splitlines()
    (place,) = [number for number, line in enumerate(lines) if line.startswith("column ")]
    assert lines[place + 2].split() == [
        "size",
        "number",
        "0",
        "1,5,",
        "0,5,",
        "2,5",
        "1",
        "scaled",
        "feature",
    ]
    assert "told       column size: read with a decimal comma" in lines
    assert max(map(len, lines)) <= 120
    assert main(["depth_study", "--profile", "smoke", *SMALL, *own, "--set", "header=true", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["plan"]["columns"] == {"colour.of.its.coat": "category"}
    assert "header" not in told["plan"]
    assert [column["num_missing"] for column in told["columns"]] == [0, 0, 40, 1]
    assert told["data_notes"] == [
        "column size: read with a decimal comma",
        "column age: '?' counts as missing",
    ]


LOOKING = ["depth_study", "--profile", "smoke", *SMALL, "--set", "replicates=10", "--set", "looks=[10,20,40]"]
MOST = 30 * (4 if plan_versions.TODAY >= plan_versions.UNTIL_CLEAR else 8)
"""Thirty blocks of the best cell of each level, or of all eight cells as before."""


def test_later_looks_are_told_apart_with_the_chance_that_questions_are_answered(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    assert main(LOOKING) == 0
    lines = capsys.readouterr().out.splitlines()
    assert max(map(len, lines)) <= 80
    told = " ".join(" ".join(lines).split())
    assert f"size 160 networks to the first look, 10 (replicates) in each trial; at most {MOST} more" in told
    assert "at most" in told
    assert "looks chance in % that a question is answered by each look" in told
    (question,) = [line for line in lines if "depth 7 against 3" in line]
    chances = question.partition("against 3")[2].split()
    assert len(chances) == 2 * 3

    assert main([*LOOKING, "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["networks"], found["most_more_networks"], found["confirm_trials"]) == (160, MOST, 8)
    later = found["prediction"]["later_looks"]
    assert (later["looks"], later["most_networks"]) == ([10, 20, 40], MOST)
    assert [each["factor"] for each in later["questions"]] == ["depth", "dropout", "batch_norm"]
    for each in later["questions"]:
        assert [chance["true_difference"] for chance in each["chances"]] == [0.0, 0.5, 1.0, 2.0]
        for chance in each["chances"]:
            assert chance["closed_by_look"] == sorted(chance["closed_by_look"])
            assert len(chance["closed_by_look"]) == 3


def test_a_plan_with_one_look_says_nothing_of_later_ones(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["depth_study", "--profile", "smoke", *SMALL, "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["prediction"]["later_looks"], told["most_more_networks"]) == (None, 0)
