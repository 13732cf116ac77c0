"""A small run on real reviews: the line to beat is in the report, and the vocabulary in the model."""

import json
import sqlite3
from contextlib import closing
from pathlib import Path

from studies.run_log.baseline import KIND
from tests.studies.command import finished
from trainables.trials.artifact import from_bytes, metadata_of

SMALL = [
    "sentiment_study",
    "--profile=smoke",
    "--name=reviews",
    "--set=fixed.train_size=0.02",
    "--set=factors.dropout=[0.5]",
    "--set=search.trials_per_cell=1",
    "--set=search.rungs=[2]",
    "--set=confirm.epochs=2",
    "--set=fixed.patience=1",
    "--workers=1",
    "--no-dashboard",
]


def num_linear_models(folder: Path) -> int:
    with closing(sqlite3.connect(folder / "runs" / "studies.db")) as connection:
        (count,) = connection.execute("SELECT count(*) FROM event WHERE kind = ?", (KIND,)).fetchone()
    return int(count)


def test_a_run_on_reviews_has_its_line_to_beat_and_its_vocabulary(tmp_path: Path) -> None:
    command = finished(tmp_path, "run", *SMALL)
    assert command.process.returncode == 0, command.errors
    folder = tmp_path / "runs" / "reviews"
    report = json.loads((folder / "report.json").read_text())
    assert report["baseline"]["num_blocks"] == 3
    assert 0.6 < report["baseline"]["test_accuracy"] < 0.85, "300 reviews teach something, but not all"
    assert report["answer"][0]["sentence"].startswith("At the best cell, against the line to beat")
    assert num_linear_models(tmp_path) == 3
    assert "linear_model" not in (folder / "report.html").read_text(), "what only a machine can read is shown"
    models = sorted((folder / "models" / "best").glob("*.safetensors"))
    vocabularies = [metadata_of(model.read_bytes())["vocabulary"] for model in models]
    assert len(vocabularies) == 3
    for model, vocabulary in zip(models, vocabularies, strict=True):
        assert len(from_bytes(model.read_bytes())["texts.weights"]) == len(vocabulary)
    assert vocabularies[0] != vocabularies[1]
