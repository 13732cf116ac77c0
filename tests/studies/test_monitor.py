"""`studies monitor`: the exit code, the page, what is printed, and what is refused."""

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from studies import monitor
from tests.trainables.use.monitoring.rows import reference
from tests.trainables.use.monitoring.watched_model import WatchedModel, batches
from trainables.data.dataset_files import DatasetError

Capture = pytest.CaptureFixture[str]


@pytest.fixture(autouse=True)
def a_model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Work in a folder where every model is the same, and a file's name says which rows it has."""

    def rows(model: Any, path: Path, target: str | None) -> Iterator[Any]:
        if path.stem == "none":
            raise DatasetError("none.csv is empty", "Give a file with rows.")
        unit = 0.4 if path.stem == "inches" else 1.0
        return batches(300, len(path.stem), labelled=target is not None, unit=unit)

    monkeypatch.setattr(monitor, "_opened", lambda folder, *, trust_code: (WatchedModel(), reference()))
    monkeypatch.setattr(monitor, "_batches", rows)
    monkeypatch.chdir(tmp_path)


def test_no_drift_is_0_and_the_answer_and_both_paths_are_printed(capsys: Capture) -> None:
    assert monitor.main(["best", "--input", "fresh.csv"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("No drift found at 300 rows")
    assert lines[-2:] == ["monitor_fresh.html", "monitor_fresh.json"]
    assert all(os.path.getsize(path) for path in lines[-2:])


def test_drift_is_1_and_labels_are_compared_where_a_target_is_named(capsys: Capture) -> None:
    arguments = ["best", "--input", "inches.csv", "--target", "class", "--output", "out/page.html"]
    assert monitor.main(arguments) == 1
    printed = capsys.readouterr().out
    assert printed.startswith("Drift: ")
    assert "predictions are right" in printed
    found = json.loads(Path("out/page.json").read_text())
    assert found["is_drift"] is True
    assert found["accuracy"]["num_after"] == 300


def test_a_baseline_is_compared_with_in_place_of_the_reference() -> None:
    assert monitor.main(["best", "--input", "inches.csv", "--baseline", "inches.csv"]) == 0
    assert monitor.main(["best", "--input", "fresh.csv", "--baseline", "inches.csv"]) == 1
    assert "300 rows of inches.csv" in Path("monitor_fresh.html").read_text().replace("\u202f", " ")


def test_json_is_one_object(capsys: Capture) -> None:
    assert monitor.main(["best", "--input", "fresh.csv", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["num_rows"] == 300


def test_thresholds_from_a_file_decide(capsys: Capture) -> None:
    Path("t.json").write_text(
        '{"distance": 1, "psi": 100, "auc": 1, "confidence_distance": 1, "class_association": 1}'
    )
    assert monitor.main(["best", "--input", "inches.csv", "--thresholds", "t.json"]) == 1  # D is 1
    Path("t.json").write_text('{"false_alarms": 0}')
    assert monitor.main(["best", "--input", "fresh.csv", "--thresholds", "t.json"]) == 0
    Path("t.json").write_text('{"distnace": 0.1}')
    capsys.readouterr()
    assert monitor.main(["best", "--input", "fresh.csv", "--thresholds", "t.json"]) == 2
    assert "distnace (did you mean distance?)" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--input", "none.csv"], "none.csv is empty"),
        (["--input", "fresh.csv", "--output", "page.htm"], "must end in .html"),
        (["--input", "fresh.json", "--output", "fresh.html"], "fresh.json is read, and would be replaced"),
    ],
)
def test_what_cannot_be_done_is_2_and_nothing_is_written(
    arguments: list[str], told: str, capsys: Capture
) -> None:
    assert monitor.main(["best", *arguments]) == 2
    assert told in capsys.readouterr().err
    assert list(Path().iterdir()) == []
