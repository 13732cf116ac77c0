"""`studies export --frames`: what lies in the files is what the study's frames hold."""

import json
import stat
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from studies.exchange import frames as exchange
from studies.export import main
from studies.report import main as report
from studies.results.recorded import RecordedStudy
from tests.studies.exchange.conftest import CELLS

RECORDED = {"trials", "replicates", "epochs", "gradients", "events", "evaluation", "artifacts"}


def test_parquet_holds_every_number_as_it_was_recorded(cells: RecordedStudy, tmp_path: Path) -> None:
    assert main([CELLS, "--frames", "out", "--format", "parquet"]) == 0
    there = {path.stem for path in (tmp_path / "out").glob("*.parquet")}
    assert there >= RECORDED | {"forest_at_best", "learning_curves_loss"}
    for name in ("trials", "replicates", "epochs", "gradients"):
        found = pd.read_parquet(tmp_path / "out" / f"{name}.parquet")
        recorded = getattr(cells, name)()
        assert list(found.columns) == list(recorded.columns)
        numbers = recorded.select_dtypes("number")
        assert len(found) == len(recorded) > 0
        np.testing.assert_array_equal(found[list(numbers.columns)].to_numpy(), numbers.to_numpy())


def test_csv_holds_the_frames_of_the_page_in_private_files(
    cells: RecordedStudy, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert report([CELLS]) == 0
    assert main([CELLS, "--frames", "new/out"]) == 0
    folder = tmp_path / "new" / "out"
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    written = {path.name: path for path in folder.iterdir()}
    assert {stat.S_IMODE(path.stat().st_mode) for path in written.values()} == {0o600}
    page = {path.name: path for path in (tmp_path / "runs" / CELLS / "frames").glob("*.csv")}
    assert set(page) <= set(written)
    for name in set(page) - {"replicates.csv"}:
        assert written[name].read_bytes() == page[name].read_bytes()
    judged = pd.read_csv(written["replicates.csv"])["verdicts"].dropna()
    assert len(judged) > 0
    assert all("trained" in json.loads(text) for text in judged)
    before = {name: path.read_bytes() for name, path in written.items()}
    capsys.readouterr()
    assert main(["loop", "--frames", "new/out"]) == 2
    assert f"holds what was exported of {CELLS}" in capsys.readouterr().err
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before


def test_columns_of_mixed_and_nested_values_become_texts() -> None:
    frame = pd.DataFrame(
        {
            "width": pd.Series([(64, 32), 16, None], dtype=object),
            "schedule": pd.Series(["cosine", None, "=1+1"], dtype=object),
            "loss": [0.5, np.nan, 1.0],
        }
    )
    plain = exchange._plain(frame)
    assert plain["width"].tolist() == ["[64, 32]", "16", None]
    assert plain["schedule"].tolist() == ["cosine", None, "=1+1"]
    assert plain["loss"] is not frame["loss"]
    pd.testing.assert_series_equal(plain["loss"], frame["loss"])
