"""Thresholds in a file: every name and value is checked."""

import json
from dataclasses import fields
from pathlib import Path

import pytest

from trainables.data.dataset_files import DatasetError
from trainables.use.monitoring.thresholds import Thresholds, read_thresholds


def written(folder: Path, content: object) -> Path:
    path = folder / "thresholds.json"
    path.write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")
    return path


def test_what_is_not_named_keeps_its_default(tmp_path: Path) -> None:
    found = read_thresholds(written(tmp_path, {"distance": 0.2, "false_alarms": 0.01}))
    assert found == Thresholds(distance=0.2, false_alarms=0.01)
    assert found.alpha("inputs") == pytest.approx(0.004)


def test_an_unknown_name_is_told_with_the_right_ones(tmp_path: Path) -> None:
    with pytest.raises(DatasetError) as error:
        read_thresholds(written(tmp_path, {"distnace": 0.2, "x": 1}))
    assert "no such threshold: distnace (did you mean distance?), x" in error.value.message
    assert all(field.name in error.value.advice for field in fields(Thresholds))


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ("{", "is no JSON"),
        ("[" * 100_000, "is no JSON"),
        ("[1]", "holds no JSON object"),
        ({"distance": "0.1"}, 'distance must be a number from 0 to 1; got "0.1"'),
        ({"distance": True}, "distance must be a number"),
        ({"auc": 0.4}, "auc must be a number from 0.5 to 1"),
        ('{"psi": NaN}', "psi must be a number at least 0"),
        ({"psi": -1, "words": 2}, "psi must be a number at least 0; got -1; words must"),
        ({"share_inputs": 0.9}, "must sum to 1 at most"),
    ],
)
def test_what_is_wrong_is_told(tmp_path: Path, content: object, told: str) -> None:
    with pytest.raises(DatasetError) as error:
        read_thresholds(written(tmp_path, content))
    assert told in error.value.message


def test_a_missing_file_is_told(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="cannot be read"):
        read_thresholds(tmp_path / "none.json")


def test_the_questions_share_the_false_alarms() -> None:
    limits = Thresholds()
    names = ("inputs", "classifier", "predictions", "accuracy")
    assert sum(map(limits.alpha, names)) == pytest.approx(limits.false_alarms)
