"""The README's regression, trained by a loop of one's own: blocks, comparison and report in its own metric and unit."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pandas as pd
import pytest

import studies
from studies import plan, show, status, verify
from studies.base.errors import UsageError
from studies.execution.preparation import load_dataset
from studies.planning.request import Request, draft
from tests.readme import block
from tests.studies.command import ROOT
from trainables.data.splits import split_block

SOURCE = block("my_regression.py")
ENVIRONMENT = {name: value for name, value in os.environ.items() if not name.startswith(("STUDIES_", "RAY_"))}
LINE_OF_TRAIN = SOURCE[: SOURCE.index("def train")].count("\n") + 1


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in which the study was run by the command."""
    folder = tmp_path_factory.mktemp("ridge")
    (folder / "ridge.py").write_text(SOURCE)
    command = [sys.executable, "-m", "studies.run", "./ridge.py", "--no-dashboard", "--workers", "1"]
    done = subprocess.run(
        command, cwd=folder, env={**ENVIRONMENT, "PYTHONPATH": str(ROOT)}, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    (folder / "said.txt").write_text(done.stdout)
    return folder


@pytest.fixture(scope="module")
def report(folder: Path) -> dict[str, Any]:
    content: dict[str, Any] = json.loads((folder / "runs/ridge/report.json").read_text())
    return content


def replicates(folder: Path) -> pd.DataFrame:
    return studies.load_study("ridge", storage=f"sqlite:///{folder}/runs/studies.db").replicates()


def test_each_block_comes_to_its_closed_form(folder: Path) -> None:
    dataset = load_dataset(draft(Request(study=str(folder / "ridge.py"))))
    rows = replicates(folder)
    confirmed = rows[(rows["phase"] == "confirm") & (rows["shrinkage"] == 3.0)]
    assert len(confirmed) == 10
    for row in confirmed.to_dict("records"):
        parts = split_block(dataset.targets, seed=0, block=row["block"])
        inputs = dataset.inputs.astype(float)
        mean, deviation = inputs[parts.train].mean(0), inputs[parts.train].std(0)
        scaled = (inputs - mean) / deviation
        own, centre = scaled[parts.train], dataset.targets[parts.train].mean()
        gram = own.T @ own + 3.0 * len(own) * np.eye(own.shape[1])
        weights = np.linalg.solve(gram, own.T @ (dataset.targets[parts.train] - centre))
        for name, rows_of in (("val", parts.validation), ("test", parts.test)):
            residual = dataset.targets[rows_of] - scaled[rows_of] @ weights - centre
            assert row[f"{name}_RMSE"] == pytest.approx(np.sqrt(np.mean(residual**2)), rel=1e-4)
            assert row[f"{name}_R2"] == pytest.approx(
                1 - np.mean(residual**2) / np.var(dataset.targets[rows_of]), rel=1e-3
            )


def test_the_search_never_reads_the_test_part(folder: Path) -> None:
    rows = replicates(folder)
    assert rows.loc[rows["phase"] == "search", ["test_RMSE", "test_R2"]].isna().all(axis=None)
    assert rows[["val_loss", "test_loss", "val_accuracy"]].isna().all(axis=None)


def test_the_answer_is_in_the_primary_metric_and_its_unit(folder: Path, report: dict[str, Any]) -> None:
    first = report["answer"][0]
    assert first["gate"] == "MEANINGFUL"
    assert re.match(
        r"Each at its best cell, the test RMSE after six epochs is higher by [\d.]+ points \[",
        first["sentence"],
    )
    assert "exceeding the smallest effect of interest (0.5 points)" in first["sentence"]
    assert {row["outcome"] for row in report["contrasts"]} == {"test_RMSE", "test_R2", "failed"}
    (described,) = (row for row in report["contrasts"] if row["outcome"] == "test_R2")
    assert (described["estimate"] < 0, described["gate"]) == (True, None)
    assert "test: RMSE" in (folder / "said.txt").read_text()


def test_nothing_in_the_report_speaks_of_a_classifier(folder: Path, report: dict[str, Any]) -> None:
    page = (folder / "runs/ridge/report.html").read_text()
    body = re.sub(r"<script.*?</script>|<style.*?</style>", "", page, flags=re.DOTALL)
    for word in ("nats", "log-loss", "Log-loss", "accuracy", "guessing"):
        assert word not in re.sub(r"<[^>]+>", " ", body), word
    assert report["best"]["test_R2"] == pytest.approx(0.48, abs=0.1)
    assert report["stability"]["theory"] == []


@pytest.mark.parametrize(
    ("door", "words"),
    [(verify, "Sound"), (show, "test RMSE"), (status, "test RMSE")],
    ids=["verify", "show", "status"],
)
def test_its_record_is_sound_and_its_pages_can_be_shown(
    door: ModuleType, words: str, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert door.main(["ridge", "--storage", f"sqlite:///{folder}/runs/studies.db"]) == 0
    said = capsys.readouterr().out
    assert all(word in said for word in words.split()), said


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (("def train(", "def fit("), "metrics (RMSE, R2) are measured by train() in the study's own file"),
        (
            ("def train(hyperparameters, data, seed)", "def train(hyperparameters)"),
            f"ridge.py:{LINE_OF_TRAIN}: train(hyperparameters, data, seed) is how it is called",
        ),
        (
            ('"R2", direction="max"', '"R2", direction="up"'),
            'metrics[2].direction must be one of min, max; got "up"',
        ),
        (("primary=True, ", ""), "metrics must have exactly one that is primary=True"),
    ],
)
def test_a_mistake_in_the_file_is_told(tmp_path: Path, changes: tuple[str, str], message: str) -> None:
    path = tmp_path / "ridge.py"
    path.write_text(SOURCE.replace(*changes))
    with pytest.raises(UsageError) as caught:
        draft(Request(study=str(path)))
    assert any(message in mistake for mistake in caught.value.mistakes), caught.value.mistakes


def test_measurements_without_a_loop_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "ridge.py"
    source = SOURCE.replace("def train(", "def fit(")
    path.write_text(
        re.sub(r"    metrics=\(.*?\n    \),\n    hyperparameters=[^\n]*\n", "", source, flags=re.DOTALL)
        .replace('{"shrinkage": (0.2, 3.0)}', '{"depth": (1, 2)}')
        .replace("targets,", "targets + 0.5,")
    )
    with pytest.raises(
        UsageError, match=r"must be classes; row 0 has 151\.5, a measurement: for measurements write a train"
    ):
        load_dataset(draft(Request(study=str(path))))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (("        yield row", "        yield 1"), "train() must yield a dict of metrics an epoch"),
        (("        yield row", "        return\n        yield row"), "train() ended after 0 of 6 epochs"),
        (("weights = np", "weights = 1 / 0 + np"), "train() raised ZeroDivisionError"),
    ],
)
def test_a_mistake_that_the_pilot_finds_is_told_with_its_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], changes: tuple[str, str], message: str
) -> None:
    path = tmp_path / "ridge.py"
    path.write_text(SOURCE.replace(*changes))
    assert plan.main([str(path), "--storage", f"sqlite:///{tmp_path}/none.db"]) == 2
    said = capsys.readouterr().err
    assert re.match(rf"error: {re.escape(str(path))}:\d+: {re.escape(message)}", said), said
