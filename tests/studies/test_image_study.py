"""A small run on pictures: convolutional networks from the command to the report, their weights in full."""

import json
from pathlib import Path

import pytest

from tests.studies.command import finished
from trainables.trials.artifact import from_bytes

SMALL = [
    "image_study",
    "--profile=smoke",
    "--name=pictures",
    "--set=fixed.width=4",
    "--set=fixed.train_size=0.1",
    "--set=factors.dropout=[0.5]",
    '--set=factors.schedule=["cosine"]',
    "--set=factors.batch_norm=[true]",
    "--set=replicates=2",
    "--set=search.trials_per_cell=1",
    "--set=search.rungs=[2]",
    "--set=confirm.epochs=2",
    "--workers=1",
    "--no-dashboard",
]


@pytest.mark.slow
def test_a_run_on_pictures_compares_augmentation_and_keeps_the_weights(tmp_path: Path) -> None:
    command = finished(tmp_path, "run", *SMALL)
    assert command.process.returncode == 0, command.errors
    folder = tmp_path / "runs" / "pictures"
    report = json.loads((folder / "report.json").read_text())
    compared = [row for row in report["contrasts"] if row["factor"] == "augmentation"]
    assert {(row["level_a"], row["level_b"]) for row in compared} == {("none", "shift+rotation+zoom")}
    assert "show the mechanics only" in report["limits"]["untested"]["sentence"]
    page = (folder / "report.html").read_text()
    assert "CNN on digits" in page
    models = sorted((folder / "models" / "best").glob("*.safetensors"))
    assert len(models) == 2
    for model in models:
        weights = from_bytes(model.read_bytes())
        assert weights["blocks.0.0.weight"].shape == (4, 1, 3, 3)
        assert weights["dense.1.0.weight"].shape == (32, 64)
        assert "blocks.2.4.running_var" in weights
