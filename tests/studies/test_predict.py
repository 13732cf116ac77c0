"""`studies predict`: files in, predictions out; what cannot be used is told, and nothing is written half."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from studies.predict import main
from tests.trainables.use.made import Trained, train
from trainables import datasets

Capture = pytest.CaptureFixture[str]
Call = Callable[..., tuple[int, str, str]]


@pytest.fixture(scope="module")
def trained() -> Trained:
    """A small model of digits."""
    return train(datasets.load("digits"))


@pytest.fixture
def predict(trained: Trained, tmp_path: Path, capsys: Capture) -> Call:
    """Call the command with the model's folder; return exit code, output and errors."""
    folder = trained.write(tmp_path / "model")

    def call(*arguments: object) -> tuple[int, str, str]:
        code = main([str(folder), *map(str, arguments)])
        captured = capsys.readouterr()
        return code, captured.out, captured.err

    return call


@pytest.fixture
def array(tmp_path: Path) -> Path:
    """The first 30 digits as an array."""
    path = tmp_path / "digits.npy"
    np.save(path, datasets.load("digits").inputs[:30])
    return path


def test_predictions_are_the_models(predict: Call, array: Path, trained: Trained, tmp_path: Path) -> None:
    from trainables.use.model import load_model

    model = load_model(tmp_path / "model")
    expected = model.predict_proba(np.load(array))
    output = tmp_path / "out.parquet"
    code, out, err = predict("--input", array, "--output", output)
    assert (code, out) == (0, "")
    assert "30 rows predicted in" in err
    table = pd.read_parquet(output)
    classes = [f"probability_{name}" for name in trained.dataset.classes]
    assert list(table.columns) == ["row", "prediction", "probability", *classes]
    assert table["row"].tolist() == list(range(1, 31))
    assert table[classes].to_numpy() == pytest.approx(expected, abs=1e-12)
    assert table["prediction"].tolist() == model.classes_[expected.argmax(1)].tolist()
    assert table["probability"].to_numpy() == pytest.approx(expected.max(1))
    assert output.stat().st_mode & 0o777 == 0o600


def test_csv_json_lines_and_parquet_say_the_same(
    predict: Call, array: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("trainables.use.input_files.MAX_ROWS", 7)
    for ending in ("csv", "jsonl", "parquet"):
        assert predict("--input", array, "--output", tmp_path / f"out.{ending}", "--quiet") == (0, "", "")
    whole = pd.read_parquet(tmp_path / "out.parquet")
    csv = pd.read_csv(tmp_path / "out.csv", dtype={"prediction": str})
    lines = [json.loads(line) for line in (tmp_path / "out.jsonl").read_text(encoding="utf-8").splitlines()]
    assert list(csv.columns) == list(whole.columns) == list(lines[0])
    assert (
        csv["prediction"].tolist() == whole["prediction"].tolist() == [each["prediction"] for each in lines]
    )
    numbers = list(whole.columns[2:])
    assert csv[numbers].to_numpy() == pytest.approx(whole[numbers].to_numpy(), rel=1e-6)
    assert pd.DataFrame(lines)[numbers].to_numpy() == pytest.approx(whole[numbers].to_numpy(), abs=1e-14)


def test_without_an_output_predictions_go_to_standard_output(predict: Call, array: Path) -> None:
    code, out, err = predict("--input", array)
    assert code == 0
    assert out.splitlines()[0].startswith("row,prediction,probability,probability_0")
    assert len(out.splitlines()) == 31
    assert "row," not in err


def test_an_ensemble_and_a_temperature_change_probabilities(predict: Call, array: Path) -> None:
    alone, both, soft = (
        predict("--input", array, *more)[1] for more in ([], ["--ensemble"], ["--calibrated"])
    )
    assert len({alone, both, soft}) == 3
    code, _, err = predict("--input", array, "--ensemble", "--calibrated")
    assert code == 2
    assert "the temperature is that of one network" in err


def test_nothing_is_written_where_a_later_row_is_wrong(
    predict: Call, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("trainables.use.input_files.MAX_ROWS", 7)
    values = datasets.load("digits").inputs[:30].copy()
    values[20, 3] = np.nan
    np.save(tmp_path / "bad.npy", values)
    code, _, err = predict("--input", tmp_path / "bad.npy", "--output", tmp_path / "out.csv")
    assert code == 2
    assert "row 21, column 4: nan" in err
    assert not [path.name for path in tmp_path.iterdir() if "out" in path.name]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--input", "nowhere.csv"], "nowhere.csv: no such file"),
        (["--input", "digits.npy", "--output", "out.xls"], "names no format"),
        (["--input", "digits.npy", "--output", "nowhere/out.csv"], "there is no folder nowhere"),
        (["--input", "digits.npy", "--output", "folder.csv"], "folder.csv is a folder"),
        (["--input", "same.csv", "--output", "./same.csv"], "is read, and would be replaced"),
    ],
)
def test_mistakes_are_told_with_what_to_do(
    predict: Call, array: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str], words: str
) -> None:
    monkeypatch.chdir(array.parent)
    Path("folder.csv").mkdir()
    Path("same.csv").touch()
    code, _, err = predict(*arguments)
    assert code == 2
    assert "rows predicted" not in err
    assert err.startswith("error: ")
    assert words in err
    assert len(err.splitlines()) >= 2


def test_a_folder_that_is_no_model_is_refused(tmp_path: Path, capsys: Capture) -> None:
    assert main([str(tmp_path), "--input", "x.csv"]) == 2
    assert "is no model folder" in capsys.readouterr().err
