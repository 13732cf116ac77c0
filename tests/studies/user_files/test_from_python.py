"""A study made in Python is the study of the file that says the same: its plan, its numbers, and how it goes on."""

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

import studies
from studies.base.errors import UsageError
from studies.catalog import depth_study
from studies.planning.python_request import python_request
from studies.planning.request import Request, draft
from studies.storage.paths import locate
from studies.user_files.from_python import FILE, found_in_python, keep_source
from studies.user_files.loader import load_file
from tests.studies.command import ROOT
from tests.studies.user_files.cells import notebook

STUDY = studies.Study(
    question="Do units help?",
    hyperparameters={"units": 4},
    factors={"units": (4, 8)},
    nuisances={"learning_rate": {"low": 1e-3, "high": 1e-1, "log": True}},
    fixed={"batch_size": 16},
    replicates=2,
    search=studies.Search(trials_per_cell=1, rungs=(1, 3)),
    confirm=studies.Confirm(epochs=3),
)
FUNCTIONS = """
import numpy as np
from torch import nn

import shapes


def load():
    inputs = np.random.default_rng(0).normal(size=(90, 2, 3))
    return inputs, np.where(inputs[:, 0, 0] > 0, "up", "down")


def build(hyperparameters, input_shape, num_classes):
    units = hyperparameters.units
    return nn.Sequential(
        nn.Flatten(), nn.Linear(shapes.size(input_shape), units), nn.ReLU(), nn.Linear(units, num_classes)
    )
"""
SHAPES = "import math\n\n\ndef size(shape):\n    return math.prod(shape)\n"


@pytest.fixture
def beside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the current folder, in which there is a module that the functions import."""
    (tmp_path / "shapes.py").write_text(SHAPES)
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    return tmp_path


def test_the_file_that_is_kept_is_the_same_study(beside: Path) -> None:
    folder = beside / "runs" / "units" / "code"
    with notebook() as cells:
        cells.run(FUNCTIONS)
        functions = {name: cells[name] for name in ("load", "build")}
        made = found_in_python(STUDY, functions, folder, beside=beside)
    assert not folder.exists()
    assert made.code is not None
    keep_source(made.code)
    assert {path.name for path in folder.iterdir()} == {FILE, "shapes.py"}
    file = load_file(folder / FILE)
    assert (file.study, file.source_hash) == (made.study, made.source_hash)
    assert file.study.model == file.study.dataset == "own"
    times = [path.stat().st_mtime_ns for path in folder.iterdir()]
    keep_source(made.code)
    assert [path.stat().st_mtime_ns for path in folder.iterdir()] == times


def test_a_variant_of_a_shipped_study_needs_no_functions(beside: Path) -> None:
    variant = replace(depth_study.STUDY, replicates=12)
    request = python_request(variant, {}, locate(), name="twelve", profile="smoke")
    drafted = draft(request)
    assert (drafted.study.dataset, drafted.study.model) == ("digits", "mlp")
    assert drafted.study == replace(draft(Request(study="depth_study", profile="smoke")).study)
    assert drafted.plan("f").name == "twelve"


def test_what_a_call_lacks_is_said(beside: Path) -> None:
    def refusal(*arguments: object, **given: object) -> str:
        with pytest.raises(UsageError) as raised:
            studies.run_study(*arguments, **given)  # type: ignore[arg-type]
        return str(raised.value)

    assert 'run_study(..., name="my_study")' in refusal(STUDY)
    assert 'model="own" is what build= or train= gives' in refusal(replace(STUDY, model="own"), name="a")
    assert "read by build() or train()" in refusal(STUDY, name="a")
    assert "Give another with name=" in refusal(STUDY, name="a/b")
    assert "got a int" in refusal(3)
    assert "load= given for the study depth_study" in refusal("depth_study", load=len)
    assert not (beside / "runs").exists()


def test_a_mistake_in_a_cell_is_told_with_its_line(beside: Path) -> None:
    with notebook() as cells:
        cells.run("def load():\n    return 1 / 0\n\ndef build(wrong):\n    pass\n")
        with pytest.raises(UsageError) as raised:
            studies.run_study(STUDY, load=cells["load"], build=cells["build"], name="a")
        assert "build(), at `def build(wrong):`: build(hyperparameters" in raised.value.message
        cells.run("def build(hyperparameters, input_shape, num_classes):\n    pass\n")
        with pytest.raises(UsageError) as raised:
            studies.run_study(STUDY, load=cells["load"], build=cells["build"], name="a", workers=1)
        assert "load(), at `return 1 / 0`: load() raised ZeroDivisionError" in raised.value.message
        assert raised.value.advice == "Correct the cell; nothing was trained."


@pytest.mark.slow
def test_a_script_comes_to_the_numbers_of_a_file(beside: Path) -> None:
    """Trained really, by Ray: first from functions of the script itself, then from a file with the same ones."""
    definition = (
        "STUDY = Study(question='Do units help?', hyperparameters={'units': 4}, factors={'units': (4, 8)}, "
        "nuisances={'learning_rate': {'low': 1e-3, 'high': 1e-1, 'log': True}}, fixed={'batch_size': 16}, "
        "replicates=2, search=Search(trials_per_cell=1, rungs=(1, 3)), confirm=Confirm(epochs=3))\n"
    )
    whole = f"import studies\nfrom studies import Confirm, Search, Study\n{definition}{FUNCTIONS}"
    (beside / "by_file.py").write_text(whole)
    (beside / "script.py").write_text(
        f"{whole}\n\nif __name__ == '__main__':\n"
        "    studies.run_study(STUDY, load=load, build=build, name='made', workers=1)\n"
        "    studies.run_study('./by_file.py', workers=1)\n"
    )
    environment = {name: value for name, value in os.environ.items() if not name.startswith("STUDIES_")}
    done = subprocess.run(
        [sys.executable, "script.py"],
        env=environment | {"PYTHONPATH": f"{ROOT}", "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert (done.returncode, done.stdout) == (0, ""), done.stderr
    url = f"sqlite:///{beside}/runs/studies.db"
    made, file = (studies.load_study(name, storage=url) for name in ("made", "by_file"))
    numbers = ["trial_number", "replicate", "epoch", "train_loss", "val_loss", "val_accuracy"]
    pd.testing.assert_frame_equal(made.epochs()[numbers], file.epochs()[numbers], check_exact=True)
    assert made.replicates()["test_loss"].tolist()[-2:] == file.replicates()["test_loss"].tolist()[-2:]
