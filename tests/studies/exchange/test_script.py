"""A study's best configuration as a plain script: it runs without Studies, says nothing that it does not use, and
trains to what Studies trains to.
"""

import ast
import math
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from studies.base.errors import UsageError
from studies.database.rows import StudyRow
from studies.database.store import Store
from studies.exchange import script
from studies.exchange.script import script_text, write_script
from tests.studies.exchange.recipes import recipe, run_as_module
from tests.studies.terminal import recorded
from tests.trainables.small import splits_of
from trainables import datasets
from trainables.base.augmentation_kinds import KINDS, MAX_DEGREES, MAX_SHEAR, MAX_SHIFT, MAX_ZOOM
from trainables.data.augmentation import warp
from trainables.data.stack_data import StackData
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
            "validation)",
        ):
            assert word not in plain.replace("train, validation, test)", "")
            assert word in everything
        assert len(plain.splitlines()) < 170

    @pytest.mark.parametrize(
        ("changes", "text"),
        [
            ({"optimizer": "sgd", "momentum": 0.8}, "SGD(network.parameters(), lr=LEARNING_RATE, momentum=0.8)"),
            (
                {"optimizer": "adam", "betas": (0.8, 0.99), "eps": 1e-6, "weight_decay": 0.01},
                "Adam(network.parameters(), lr=LEARNING_RATE, betas=(0.8, 0.99), eps=1e-06, weight_decay=0.01)",
            ),
            ({"optimizer": "adamw"}, "betas=(0.9, 0.999), eps=1e-08, weight_decay=0.01)"),
            (
                {"optimizer": "rmsprop", "alpha": 0.95},
                "RMSprop(network.parameters(), lr=LEARNING_RATE, alpha=0.95, eps=1e-08)",
            ),
        ],
    )  # fmt: skip
    def test_the_optimizer_has_all_its_settings(self, changes: dict[str, Any], text: str) -> None:
        assert text in script_text(recipe(**changes))


class TestAugmentation:
    @pytest.mark.parametrize("kinds", [*([kind] for kind in KINDS), list(KINDS)], ids="+".join)
    def test_an_image_is_changed_as_in_the_study(
        self, kinds: list[str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        space = run_as_module(recipe(augmentation="+".join(kinds)))
        images = torch.rand(6, 64)
        # 0.8 for every random number: 0.6 of the largest amount; no image is mirrored, 0.8 being above one half.
        monkeypatch.setattr(torch, "rand", lambda *size: torch.full(size[0] if isinstance(size[0], tuple) else size, 0.8))  # fmt: skip
        most = {
            "shift": [MAX_SHIFT, MAX_SHIFT],
            "rotation": [math.radians(MAX_DEGREES)],
            "zoom": [MAX_ZOOM],
            "shear": [MAX_SHEAR],
        }
        amounts = [0.6 * amount if kind in kinds else 0.0 for kind, each in most.items() for amount in each]
        # Mirrored where the last amount is below 0.
        amounts.append(-1.0 if "flip" in kinds else 1.0)
        expected = warp(images.view(-1, 1, 8, 8), torch.tensor([amounts] * 6)).view(6, 64)
        found = space["augment"](images)
        if "flip" in kinds:
            mirrored = torch.full_like(images[:, :1], 0.2).expand(6, 1)
            monkeypatch.setattr(torch, "rand", lambda *size: mirrored if size == (6, 1) else torch.full(size[0] if isinstance(size[0], tuple) else size, 0.8))  # fmt: skip
            amounts[-1] = 1.0
            other = warp(images.view(-1, 1, 8, 8), torch.tensor([amounts] * 6)).view(6, 64)
            torch.testing.assert_close(space["augment"](images), other)
        torch.testing.assert_close(found, expected)


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
    def test_the_best_configuration_is_written_with_what_was_recorded(
        self, store: Store, complete: StudyRow, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(script, "_dataset", lambda plan: datasets.load("digits"))
        write_script(store, complete, tmp_path / "best.py")
        text = (tmp_path / "best.py").read_text(encoding="utf-8")
        assert f"The best network of the study {recorded.NAME}" in text
        assert "WIDTHS = [16] * 5" in text
        assert "EPOCHS = 3" in text
        assert "LEARNING_RATE = 0.02" in text
        assert "python best.py 1" in text

    def test_other_data_than_the_studys_are_refused(
        self, store: Store, complete: StudyRow, tmp_path: Path
    ) -> None:
        with pytest.raises(UsageError, match="no longer what the study tiny_study was trained on"):
            write_script(store, complete, tmp_path / "best.py")
        assert list(tmp_path.glob("best*")) == []

    def test_before_anything_is_confirmed_there_is_no_best(
        self, store: Store, searched: StudyRow, tmp_path: Path
    ) -> None:
        with pytest.raises(UsageError, match="no confirmed best configuration") as caught:
            write_script(store, searched, tmp_path / "best.py")
        assert "studies status tiny_study" in caught.value.advice
