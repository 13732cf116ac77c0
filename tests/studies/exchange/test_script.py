"""A study's best configuration as a plain script: it runs without Studies, and trains to what Studies trains to."""

import ast
import math
import re
import subprocess
import sys
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from studies.base.errors import UsageError
from studies.database.lookup import find
from studies.database.store import Store
from studies.exchange.script import script_text, write_script
from tests.studies.exchange.recipes import random_state, recipe, run_as_module
from tests.studies.samples.laid_out import lay_out
from tests.trainables.small import splits_of
from trainables import datasets
from trainables.base.augmentation_kinds import KINDS, MAX_DEGREES, MAX_SHEAR, MAX_SHIFT, MAX_ZOOM
from trainables.data.augmentation import warp
from trainables.data.stack_data import StackData
from trainables.datasets.synthetic import load as load_synthetic
from trainables.training.evaluation import evaluate
from trainables.training.loop import train
from trainables.training.stack import Stack

OURS = ("studies", "trainables", "reports", "search_spaces")
GUARD = f"""
import runpy, sys
for name in {OURS!r}:
    sys.modules[name] = None  # importing it fails
sys.argv = sys.argv[1:]
runpy.run_path(sys.argv[0], run_name="__main__")
"""

FORMS: dict[str, dict[str, Any]] = {
    "plain": {},
    "everything": {
        "batch_norm": True,
        "dropout": 0.2,
        "residual": "scaled",
        "depth": 3,
        "optimizer": "adamw",
        "schedule": "plateau",
        "min_lr": 1e-5,
        "patience": 3,
        "monitor": "val_accuracy",
        "clip_norm": 1.0,
        "label_smoothing": 0.1,
        "train_size": 0.5,
        "augmentation": "shift+rotation+zoom+shear+flip",
    },
    "rmsprop_cosine": {"optimizer": "rmsprop", "schedule": "cosine", "weight_decay": 1e-4},
    "sgd_exponential": {
        "optimizer": "sgd",
        "schedule": "exponential",
        "residual": "zero",
        "augmentation": "flip",
    },
    "cnn": {"model": "cnn", "width": 4, "batch_norm": True, "dropout": 0.3, "augmentation": "shift"},
}


def run(path: Path, *arguments: str) -> str:
    """Run a script in a process that cannot import anything of ours; return what it prints."""
    command = [sys.executable, "-I", "-c", GUARD, str(path), *arguments]
    done = subprocess.run(
        command,
        capture_output=True,
        encoding="utf-8",
        check=False,
        env={"OMP_NUM_THREADS": "1", "MPLBACKEND": "agg", "HOME": str(path.parent)},
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


class TestSource:
    @pytest.mark.parametrize("form", FORMS)
    def test_it_imports_nothing_of_ours_and_nothing_that_it_does_not_use(
        self, form: str, tmp_path: Path
    ) -> None:
        text = script_text(recipe(**FORMS[form]))
        tree = ast.parse(text)
        imported = {
            alias.name if isinstance(node, ast.Import) else str(node.module)
            for node in ast.walk(tree)
            if isinstance(node, ast.Import | ast.ImportFrom)
            for alias in node.names
        }
        assert not {name.partition(".")[0] for name in imported} & set(OURS)
        path = tmp_path / "script.py"
        path.write_text(text, encoding="utf-8")
        ruff = Path(sys.executable).with_name("ruff")
        rules = ["--select", "E,F,W,I", "--line-length", "120", "--isolated", "--no-cache"]
        checked = subprocess.run(
            [ruff, "check", *rules, path], capture_output=True, encoding="utf-8", check=False
        )
        assert checked.returncode == 0, checked.stdout

    def test_only_what_a_configuration_uses_is_written(self) -> None:
        plain, everything = script_text(recipe()), script_text(recipe(**FORMS["everything"]))
        for word in (
            "Dropout",
            "BatchNorm",
            "clip_grad_norm_",
            "lr_scheduler",
            "PATIENCE",
            "label_smoothing",
            "augment",
            "network, train, validation",
        ):
            assert word not in plain
            assert word in everything
        assert len(plain.splitlines()) < 170

    @pytest.mark.parametrize(
        ("changes", "text"),
        [
            (
                {"optimizer": "sgd", "momentum": 0.8},
                "SGD( network.parameters(), lr=LEARNING_RATE, momentum=0.8 )",
            ),
            (
                {"optimizer": "adam", "betas": (0.8, 0.99), "eps": 1e-6, "weight_decay": 0.01},
                "Adam( network.parameters(), lr=LEARNING_RATE, betas=(0.8, 0.99), eps=1e-06, weight_decay=0.01 )",
            ),
            ({"optimizer": "adamw"}, "betas=(0.9, 0.999), eps=1e-08, weight_decay=0.01 )"),
            (
                {"optimizer": "rmsprop", "alpha": 0.95},
                "RMSprop( network.parameters(), lr=LEARNING_RATE, alpha=0.95, eps=1e-08 )",
            ),
        ],
    )
    def test_the_optimizer_has_all_its_settings(self, changes: dict[str, Any], text: str) -> None:
        assert text in " ".join(script_text(recipe(**changes)).split())


class TestAugmentation:
    @pytest.mark.parametrize("is_mirrored", [False, True])
    @pytest.mark.parametrize("kinds", [*([kind] for kind in KINDS), list(KINDS)], ids="+".join)
    def test_an_image_is_changed_as_in_the_study(
        self, kinds: list[str], is_mirrored: bool, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        space = run_as_module(recipe(augmentation="+".join(kinds)))
        images = torch.rand(6, 64)
        # 0.8 is 0.6 of the largest amount; an image is mirrored where a number is above one half.
        monkeypatch.setattr(
            torch, "rand", partial(drawn, usual=0.8, mirrors=(6, 1), of_mirrors=0.8 if is_mirrored else 0.2)
        )
        most = {"shift": [MAX_SHIFT] * 2, "rotation": [math.radians(MAX_DEGREES)]}
        most |= {"zoom": [MAX_ZOOM], "shear": [MAX_SHEAR]}
        amounts = [0.6 * amount if kind in kinds else 0.0 for kind, each in most.items() for amount in each]
        amounts.append(-1.0 if "flip" in kinds and is_mirrored else 1.0)
        expected = warp(images.view(-1, 1, 8, 8), torch.tensor([amounts] * 6)).view(6, 64)
        torch.testing.assert_close(space["augment"](images), expected)


def drawn(*size: Any, usual: float, mirrors: tuple[int, ...], of_mirrors: float) -> torch.Tensor:
    """Return the same number everywhere, instead of random ones; another one in tensors of the shape `mirrors`."""
    shape = size[0] if isinstance(size[0], tuple) else size
    return torch.full(shape, of_mirrors if shape == mirrors else usual)


class TestRun:
    @pytest.mark.parametrize("form", ["everything", "cnn"])
    def test_it_trains_without_studies_and_tells_its_scores_beside_the_recorded_ones(
        self, form: str, tmp_path: Path
    ) -> None:
        path = tmp_path / "best.py"
        path.write_text(script_text(recipe(**FORMS[form]), "best.py"), encoding="utf-8")
        out = run(path, "2")
        told = re.findall(
            r"split (\d): test loss [\d.]+, accuracy 0\.\d+ \(recorded 0.2000 and 0.9500\)", out
        )
        assert told == ["1", "2"]
        assert "mean: test loss" in out
        assert "accuracy 0.9500 (0.9000 to 0.9700)" in out
        assert (tmp_path / "best_gradients.png").stat().st_size > 5000

    def test_one_split_trained_enough_is_as_good_as_studies(self, tmp_path: Path) -> None:
        given = recipe(epochs=15, width=64, batch_norm=True, learning_rate=3e-3, blocks=1)
        path = tmp_path / "best.py"
        path.write_text(script_text(given), encoding="utf-8")
        (found,) = scores_in(run(path))
        assert found[0] < 0.25
        assert found[1] > 0.94

    @pytest.mark.slow
    @pytest.mark.parametrize(
        "changes",
        [
            {"batch_norm": True, "dropout": 0.1, "optimizer": "sgd", "learning_rate": 0.03},
            {
                "optimizer": "adam",
                "learning_rate": 0.003,
                "label_smoothing": 0.1,
                "clip_norm": 1.0,
                "schedule": "cosine",
            },
            {"optimizer": "rmsprop", "residual": "scaled", "depth": 4, "patience": 3, "schedule": "plateau"},
        ],
    )
    def test_its_scores_are_distributed_as_those_of_studies(
        self, changes: dict[str, Any], tmp_path: Path
    ) -> None:
        blocks, epochs = 20, 12
        given = recipe(epochs=epochs, blocks=blocks, **{"width": 64, "depth": 3, **changes})
        path = tmp_path / "best.py"
        path.write_text(script_text(given), encoding="utf-8")
        found = np.array(scores_in(run(path)))
        data = datasets.load("digits")
        stacked = StackData.make(data, splits_of(data, range(blocks)), torch.device("cpu"))
        stack = Stack.make("mlp", given.hyperparameters, stacked, seeds=range(blocks))
        for _ in train(stack, epochs=epochs):
            pass
        loss, accuracy = evaluate(stack.model, stacked, stacked.test)
        for own, theirs in ((found[:, 0], loss.numpy()), (found[:, 1], accuracy.numpy())):
            # The same splits, so the differences of pairs come from weights and batches alone.
            differences = own - theirs
            error = differences.std(ddof=1) / math.sqrt(blocks)
            assert abs(differences.mean()) < 3.5 * error


def scores_in(out: str) -> list[tuple[float, float]]:
    """Return test loss and accuracy of each split that a script has printed."""
    told = re.findall(r"split \d+: test loss ([\d.]+), accuracy ([\d.]+) ", out)
    return [(float(loss), float(accuracy)) for loss, accuracy in told]


class TestRecordedStudy:
    """Real studies of the digits, as runs have recorded them."""

    @pytest.fixture
    def sampled(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Store]:
        (tmp_path / "studies").mkdir()
        monkeypatch.chdir(tmp_path / "studies")
        with Store.open(lay_out("plan_4", tmp_path / "studies"), create=False) as store:
            yield store

    def test_the_best_configuration_is_written_with_what_was_recorded(
        self, sampled: Store, tmp_path: Path
    ) -> None:
        (name,) = (
            study.name
            for study in sampled.studies()
            if study.state == "complete" and study.name.startswith("cells-")
        )
        study = find(sampled, name)
        write_script(sampled, study, tmp_path / "best.py")
        text = (tmp_path / "best.py").read_text(encoding="utf-8")
        assert f"The best network of the study {name}" in text
        assert "EPOCHS = 3\nBATCH_SIZE = 256\n" in text
        assert f"({random_state(0)}, " in text
        assert "recorded over all 2 splits" in run(tmp_path / "best.py", "1")

    def test_a_study_with_code_of_the_users_own_is_refused(self, sampled: Store, tmp_path: Path) -> None:
        name = next(study.name for study in sampled.studies() if study.name.startswith("loop"))
        with pytest.raises(UsageError, match="of your own file") as caught:
            write_script(sampled, find(sampled, name), tmp_path / "best.py")
        assert "already the script" in caught.value.advice
        assert not (tmp_path / "best.py").exists()

    def test_one_that_is_not_confirmed_yet_is_refused(self, sampled: Store, tmp_path: Path) -> None:
        name = next(
            study.name
            for study in sampled.studies()
            if study.name.startswith("cells-") and study.state != "complete"
        )
        with pytest.raises(UsageError, match="no confirmed best configuration") as caught:
            write_script(sampled, find(sampled, name), tmp_path / "best.py")
        assert f"studies status {name}" in caught.value.advice

    def test_other_data_than_the_studys_are_refused(
        self, sampled: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        name = next(
            study.name
            for study in sampled.studies()
            if study.state == "complete" and study.name.startswith("cells-")
        )
        monkeypatch.setattr(datasets, "load", lambda name, table=None: load_synthetic())
        with pytest.raises(UsageError, match="no longer what the study"):
            write_script(sampled, find(sampled, name), tmp_path / "best.py")
        assert not (tmp_path / "best.py").exists()
