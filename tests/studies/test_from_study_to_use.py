"""From the command line, with real runs: a study leaves a model, which is exported, asked and watched."""

import errno
import io
import json
import os
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Sequence
from contextlib import chdir, closing
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from numpy.typing import NDArray

import studies
from studies import export, monitor, predict, run
from studies.base.errors import UsageError
from studies.results import best_model
from studies.run_log.baseline import KIND
from studies.storage.artifacts import write_artifact
from tests.studies.command import finished
from trainables.datasets import reviews as source
from trainables.trials.artifact import from_bytes, metadata_of
from trainables.use import examples, making
from trainables.use.exported.onnx_graphs import PACKAGES
from trainables.use.saved_model import MANIFEST

TINY = [
    "--profile=smoke",
    "--set=replicates=2",
    "--set=search.trials_per_cell=1",
    "--workers=1",
    "--no-dashboard",
]
"""One trial in the search, and one to confirm it."""

CLASSES = ("oak", "elm", "ash, white")


@dataclass(frozen=True, kw_only=True)
class Subject:
    """A small study, rows that its model was not trained on, and the same rows changed.

    `fresh` and `changed` write a file into a folder and return its path; `raw` reads it as Python has it.
    """

    name: str
    arguments: Sequence[str]
    fresh: Callable[[Path], Path]
    changed: Callable[[Path], Path]
    raw: Callable[[Path], object]
    labels: str | None = None
    accuracy: float


def digits(folder: Path, name: str = "fresh", factor: float = 1.0) -> Path:
    """Write digits of the chosen network's validation part."""
    kept = folder / "runs" / "digits" / "models" / "best" / examples.FILE
    path = folder / f"{name}.npy"
    np.save(path, factor * examples.from_bytes(kept.read_bytes())["validation"].inputs)
    return path


def reviews(folder: Path, name: str = "fresh", num_words: int = 10_000) -> Path:
    """Write 400 reviews, of each its first words: hardly any is among the 300 that were trained on."""
    path = folder / f"{name}.txt"
    if path.exists():
        return path
    table = pd.read_csv(io.BytesIO(source._content()))
    texts = table.loc[table["source"] == source.SOURCE, "text"].str.replace("<br />", " ").tolist()
    drawn = np.random.default_rng(0).choice(len(texts), 400, replace=False)
    path.write_text("".join(" ".join(texts[row].split()[:num_words]) + "\n" for row in drawn))
    return path


def trees(folder: Path, name: str = "fresh", *, num: int = 400, seed: int = 1, unit: float = 1.0) -> Path:
    """Write a table with two columns of numbers and one of categories, a tenth of the cells missing."""
    random = np.random.default_rng(seed)
    kind = random.integers(0, 3, num)
    colour = np.array(["red", "green", "blue"])[
        np.where(random.random(num) < 0.6, kind, random.integers(0, 3, num))
    ]
    table = pd.DataFrame(
        {
            "size": unit * random.normal(10 + 3 * kind, 2),
            "weight": random.normal(50 - 8 * kind, 6),
            "colour": colour,
            "kind": np.array(CLASSES)[kind],
        }
    )
    for column in ("weight", "colour"):
        table.loc[random.random(num) < 0.1, column] = np.nan
    path = folder / f"{name}.csv"
    table.round(3).to_csv(path, index=False)
    return path


DIGITS = Subject(
    name="digits",
    arguments=[
        "depth_study",
        '--set=factors={"depth":[2]}',
        "--set=search.rungs=[12]",
        "--set=confirm.epochs=12",
    ],
    fresh=digits,
    changed=lambda folder: digits(folder, "changed", 1.5),
    raw=lambda path: np.load(path),
    accuracy=0.8,
)

REVIEWS = Subject(
    name="reviews",
    arguments=[
        "sentiment_study",
        "--set=fixed.train_size=0.02",
        "--set=factors.dropout=[0.5]",
        "--set=search.rungs=[6]",
        "--set=confirm.epochs=6",
    ],
    fresh=reviews,
    changed=lambda folder: reviews(folder, "changed", 15),
    raw=lambda path: path.read_text().splitlines(),
    accuracy=0.6,
)

TREES = Subject(
    name="trees",
    arguments=[
        "depth_study",
        "--set=dataset=csv:trees.csv",
        "--set=target=kind",
        '--set=factors={"depth":[2]}',
        "--set=search.rungs=[8]",
        "--set=confirm.epochs=8",
    ],
    fresh=trees,
    changed=lambda folder: trees(folder, "changed", unit=2.54),
    raw=lambda path: pd.read_csv(path),
    labels="kind",
    accuracy=0.6,
)


@pytest.fixture(
    scope="module",
    params=[pytest.param(DIGITS, marks=pytest.mark.slow), REVIEWS, TREES],
    ids=["digits", "reviews", "trees"],
)
def subject(request: pytest.FixtureRequest) -> Subject:
    """Each of the three."""
    chosen: Subject = request.param
    return chosen


@pytest.fixture(scope="module")
def folders() -> dict[str, Path]:
    """The folder of each study that was run: pytest makes a fixture again for tests with parameters of their own."""
    return {}


@pytest.fixture(scope="module")
def folder(subject: Subject, folders: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Run the study to its end, and return the folder in which that was done."""
    if subject.name in folders:
        return folders[subject.name]
    made = folders[subject.name] = tmp_path_factory.mktemp(subject.name)
    trees(made, "trees", num=600, seed=0)
    command = finished(made, "run", *subject.arguments, *TINY, f"--name={subject.name}")
    assert command.process.returncode == 0, command.errors
    assert f"studies predict runs/{subject.name}/models/best" in command.output
    return made


@pytest.fixture(scope="module")
def exported(subject: Subject, folder: Path) -> Path:
    """Export the model in every format that needs no environment of its own, and the script.

    That of reviews reads all of them again, and is left to the tests of scripts.
    """
    if (folder / "model").exists():
        return folder / "model"
    for package in PACKAGES:
        pytest.importorskip(package)
    with chdir(folder):  # which the study names its table from
        code = export.main(
            [
                *(subject.name, "--storage", "sqlite:///runs/studies.db", "--output", "runs"),
                *("--model", "model", "--model-format", "onnx,onnx-int8,torch"),
                *(("--script", "best.py") if subject is not REVIEWS else ()),
            ]
        )
    assert code == 0
    return folder / "model"


def predicted(model: Path, file: Path) -> pd.DataFrame:
    """Return what `studies predict` says of a file."""
    output = file.with_suffix(".predicted.parquet")
    assert predict.main([str(model), "--input", str(file), "--output", str(output), "--quiet"]) == 0
    return pd.read_parquet(output)


def by_onnx(file: Path, inputs: NDArray[np.float32]) -> NDArray[np.float32]:
    import onnxruntime

    session = onnxruntime.InferenceSession(str(file), providers=["CPUExecutionProvider"])
    (probabilities,) = session.run(["probabilities"], {"inputs": inputs})
    return np.asarray(probabilities)


def test_what_is_exported_predicts_as_the_command_does(
    subject: Subject, folder: Path, exported: Path
) -> None:
    file = subject.fresh(folder)
    table = predicted(folder / "runs" / subject.name / "models" / "best", file)
    assert predicted(exported, file).equals(table), "the copy is another model"
    model = studies.load_model(exported)
    named = [f"probability_{name}" for name in model.classes_]
    expected = table[named].to_numpy()
    raw = subject.raw(file)
    assert model.predict_proba(raw) == pytest.approx(expected, abs=1e-12)
    assert model.predict(raw).tolist() == table["prediction"].tolist()
    assert expected.sum(axis=1) == pytest.approx(np.ones(len(table)))
    inputs = model.encode(raw)
    assert by_onnx(exported / "model.onnx", inputs.numpy()) == pytest.approx(expected, abs=1e-4)
    program = torch.export.load(exported / "model.pt2").module()
    assert program(inputs)[1].detach().numpy() == pytest.approx(expected, abs=1e-4)
    small = by_onnx(exported / "model-int8.onnx", inputs.numpy())
    assert (small.argmax(axis=1) == expected.argmax(axis=1)).mean() > 0.9
    formats = json.loads((exported / "export.json").read_text())
    assert [each["format"] for each in formats] == ["onnx", "onnx-int8", "torch"]


def test_it_is_right_as_often_as_its_study_says(subject: Subject, folder: Path) -> None:
    best = folder / "runs" / subject.name / "models" / "best"
    evaluation = json.loads((best / "evaluation.json").read_text())
    assert evaluation["accuracy"] > subject.accuracy
    recorded = json.loads((best / "training_config.json").read_text())["scores"]
    assert evaluation["accuracy"] == pytest.approx(recorded["test_accuracy"], abs=1e-6)
    assert evaluation["log_loss"] == pytest.approx(recorded["test_loss"], abs=1e-4)
    if subject.labels is not None:
        file = subject.fresh(folder)
        truth = pd.read_csv(file)[subject.labels]
        assert (predicted(best, file)["prediction"] == truth).mean() > subject.accuracy


def test_the_same_data_are_no_drift_and_changed_ones_are(
    subject: Subject, folder: Path, exported: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(folder)
    labels = [] if subject.labels is None else ["--target", subject.labels]
    for file, code in ((subject.fresh(folder), 0), (subject.changed(folder), 1)):
        assert monitor.main([str(exported), "--input", file.name, *labels]) == code
        found = json.loads((folder / f"monitor_{file.stem}.json").read_text())
        assert found["is_drift"] is bool(code)
        assert (folder / f"monitor_{file.stem}.html").stat().st_size > 10_000


@pytest.mark.parametrize(
    "subject",
    [pytest.param(DIGITS, marks=pytest.mark.slow), TREES],
    indirect=True,
    ids=["digits", "trees"],
)
def test_the_script_trains_to_about_what_is_recorded(subject: Subject, folder: Path, exported: Path) -> None:
    done = subprocess.run(
        [sys.executable, "best.py", "1"],
        cwd=folder,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        capture_output=True,
        encoding="utf-8",
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    (line,) = [line for line in done.stdout.splitlines() if line.startswith("split 1:")]
    found, recorded = (float(part.split()[-1].rstrip(")")) for part in line.split(" (recorded "))
    assert found == pytest.approx(recorded, abs=0.15)


@pytest.mark.parametrize("subject", [REVIEWS], indirect=True, ids=["reviews"])
def test_a_run_on_reviews_has_its_line_to_beat_and_its_vocabularies(folder: Path) -> None:
    reports = folder / "runs" / "reviews"
    report = json.loads((reports / "report.json").read_text())
    assert report["baseline"]["num_blocks"] == 2
    assert 0.6 < report["baseline"]["test_accuracy"] < 0.85, "300 reviews teach something, but not all"
    assert report["answer"][0]["sentence"].startswith("At the best cell, against the line to beat")
    with closing(sqlite3.connect(folder / "runs" / "studies.db")) as connection:
        (count,) = connection.execute("SELECT count(*) FROM event WHERE kind = ?", (KIND,)).fetchone()
    assert count == 2
    assert "linear_model" not in (reports / "report.html").read_text(), (
        "what only a machine can read is shown"
    )
    networks = [path.read_bytes() for path in sorted((reports / "models" / "best").glob("block-*"))]
    vocabularies = [metadata_of(network)["vocabulary"] for network in networks]
    assert len(vocabularies) == 2
    for network, vocabulary in zip(networks, vocabularies, strict=True):
        assert len(from_bytes(network)["texts.weights"]) == len(vocabulary)
    assert vocabularies[0] != vocabularies[1]


@pytest.mark.parametrize("subject", [TREES], indirect=True, ids=["trees"])
class TestWhatGoesWrongWhileTheModelIsMade:
    """The study is complete: its report is made all the same, and the same command makes its model later."""

    @pytest.fixture
    def again(
        self,
        subject: Subject,
        folder: Path,
        monkeypatch: pytest.MonkeyPatch,
        capsys: pytest.CaptureFixture[str],
    ) -> Callable[[], tuple[int, str]]:
        """Give the command again without its model and report; return the exit code and what it said of errors."""
        monkeypatch.chdir(folder)

        def call() -> tuple[int, str]:
            (folder / "runs" / "trees" / "report.html").unlink(missing_ok=True)
            (folder / "runs" / "trees" / "models" / "best" / MANIFEST).unlink(missing_ok=True)
            code = run.main([*subject.arguments, *TINY, f"--name={subject.name}"])
            return code, capsys.readouterr().err

        return call

    def test_an_error_of_its_code(
        self, again: Callable[[], tuple[int, str]], folder: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def fail(*arguments: object) -> bytes:
            raise RuntimeError("what a module")

        with monkeypatch.context() as patch:
            patch.setattr(making, "architecture", fail)
            code, errors = again()
        assert code == 1
        assert "error: the model was not made: RuntimeError: what a module" in errors
        assert "The report is runs/trees/report.html" in errors
        assert (folder / "runs" / "trees" / "report.html").is_file()
        assert again()[0] == 0
        assert studies.load_model(folder / "runs" / "trees" / "models" / "best").kind == "table"

    def test_a_full_disk_or_a_death_in_the_middle(
        self, again: Callable[[], tuple[int, str]], folder: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        best = folder / "runs" / "trees" / "models" / "best"

        def write(root: Path, relative: Path, data: bytes) -> object:
            if relative.name == "README.md":
                raise OSError(errno.ENOSPC, "No space left on device", str(root / relative))
            return write_artifact(root, relative, data)

        with monkeypatch.context() as patch:
            patch.setattr(best_model, "write_artifact", write)
            code, errors = again()
        assert code == 1
        assert "README.md cannot be written: no space left on device" in errors
        assert "Make room on its disk" in errors
        assert (folder / "runs" / "trees" / "report.html").is_file()
        with pytest.raises(UsageError, match="Run the same cell or script again"):
            studies.load_model(best)
        assert again()[0] == 0
        assert studies.load_model(best).kind == "table"
