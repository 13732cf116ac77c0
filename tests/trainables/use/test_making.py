"""A made model gives the scores that were recorded, whatever it was made of."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch

from tests.trainables.corpus import corpus, texts
from tests.trainables.use.made import Trained, images, train
from trainables import datasets
from trainables.base.errors import ModelError
from trainables.data.dataset import Dataset
from trainables.data.tables.table_options import TableOptions
from trainables.use.examples import features_of
from trainables.use.making import MAX_EXCERPT, excerpt
from trainables.use.model import Model, load_model
from trainables.use.saved_model import ModelFolder
from trainables.user_code.code import Source, UserCode

pytestmark = pytest.mark.numeric

BUILD = b"""
from torch import nn
from layers import Twice

def build(hp, input_shape, num_classes):
    return nn.Sequential(nn.Flatten(), Twice(), nn.Linear(64, hp.width), nn.ReLU(), nn.Linear(hp.width, num_classes))
"""
LAYERS = b"""
from torch import nn

class Twice(nn.Module):
    def forward(self, inputs):
        return 2 * inputs
"""


def check(trained: Trained, model: Model, examples: Any) -> None:
    """Check that a loaded model scores on its test part what its trial recorded."""
    targets = trained.dataset.targets[trained.split.test]
    probabilities = model.predict_proba(examples)
    assert probabilities.sum(1) == pytest.approx(1)
    assert (model.predict(examples) == model.classes_[targets]).mean() == pytest.approx(
        trained.record.test_accuracy, abs=1e-6
    )
    own = probabilities[np.arange(len(targets)), targets]
    assert -np.log(own).mean() == pytest.approx(trained.record.test_loss, rel=1e-4)
    examined = trained.made.examined
    assert examined["accuracy"] == pytest.approx(trained.record.test_accuracy, abs=1e-6)
    assert examined["log_loss"] == pytest.approx(trained.record.test_loss, rel=1e-4)
    assert examined["top2_accuracy"] == pytest.approx(trained.record.metrics["test_top2_accuracy"], abs=1e-6)
    assert examined["macro_f1"] == pytest.approx(trained.record.metrics["test_macro_f1"], rel=1e-6)
    assert np.sum(examined["confusion"]) == examined["num_examples"] == len(targets)


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"batch_norm": True, "dropout": 0.3},
        {"residual": "zero", "depth": 3, "activation": "tanh"},
        {"residual": "scaled", "depth": 3, "batch_norm": True},
        {"residual": "plain", "width": (16, 16, 8), "depth": 3, "activation": "sigmoid"},
    ],
)
def test_a_perceptron_of_images(changes: dict[str, Any], tmp_path: Path) -> None:
    trained = train(datasets.load("digits"), **changes)
    model = load_model(trained.write(tmp_path))
    examples = trained.dataset.inputs[trained.split.test]
    check(trained, model, examples)
    check(trained, model, examples.reshape(-1, 8, 8))
    module = model.module(model.encode(examples)).softmax(1).detach().numpy()
    assert module == pytest.approx(model.predict_proba(examples), abs=1e-6)


def test_a_convolutional_network_of_colour_images(tmp_path: Path) -> None:
    trained = train(images(), model="cnn", width=4, batch_norm=True, dropout=0.2)
    check(trained, load_model(trained.write(tmp_path)), trained.dataset.inputs[trained.split.test])
    sample = trained.made.examined["samples"][0]
    assert sample["picture"].startswith("iVBOR"), "a PNG in base64"
    assert sample["confidence"] <= 1


def test_scaled_numbers(tmp_path: Path) -> None:
    trained = train(datasets.load("synthetic"))
    check(trained, load_model(trained.write(tmp_path)), trained.dataset.inputs[trained.split.test])


def test_rows_of_a_table_with_missing_values_and_texts(tmp_path: Path) -> None:
    random, num = np.random.default_rng(1), 300
    table = pd.DataFrame(
        {
            "size": random.normal(5, 2, num).round(3),
            "age": np.where(random.random(num) < 0.1, np.nan, random.integers(1, 90, num)),
            "colour": random.choice(["red", "green"], num),
            "words": random.choice(["a fine day", "a bad night"], num),
            "seen": pd.Timestamp("2026-01-01") + pd.to_timedelta(random.integers(0, 1000, num), unit="h"),
            "kind": np.where(np.arange(num) % 2, "x", "y"),
        }
    )
    table.to_parquet(tmp_path / "table.parquet")
    options = TableOptions(target="kind", columns={"words": "text"})
    dataset = datasets.load(f"parquet:{tmp_path / 'table.parquet'}", table=options)
    trained = train(dataset)
    model = load_model(trained.write(tmp_path / "model"))
    rows = table.iloc[trained.split.test].reset_index(drop=True)
    check(trained, model, rows)
    check(trained, model, rows.drop(columns=["kind"])[::1])
    assert model.preprocessing.encode(table) == pytest.approx(dataset.inputs, nan_ok=True)


def test_texts(tmp_path: Path) -> None:
    written, targets = texts()
    dataset = corpus(written, targets)
    trained = train(dataset)
    model = load_model(trained.write(tmp_path))
    rows = trained.split.test
    check(trained, model, [written[row] for row in rows])
    counts = features_of(dataset, model.preprocessing, rows)
    assert counts.tolist() == model.preprocessing.encode([written[row] for row in rows]).tolist()
    for told in trained.made.examined["samples"]:
        assert all(0 < share <= 1 for _, share in told["words"])
        assert {word for word, _ in told["words"]} <= set(model.preprocessing.terms)


def test_an_ensemble_is_the_mean_of_its_replicates(tmp_path: Path) -> None:
    written, targets = texts()
    trained = train(corpus(written, targets))
    folder = trained.write(tmp_path)
    both, second = load_model(folder, ensemble=True), load_model(folder)
    assert len(both.members) == 2
    assert both.members[1][0].terms == second.preprocessing.terms
    alone = [Model(both.config, [member]).predict_proba(written[:20]) for member in both.members]
    assert both.predict_proba(written[:20]) == pytest.approx(np.mean(alone, 0))
    assert alone[1] == pytest.approx(second.predict_proba(written[:20]))


def test_calibrated_probabilities_have_the_temperature_and_the_same_order(tmp_path: Path) -> None:
    trained = train(datasets.load("digits"))
    folder = trained.write(tmp_path)
    plain, softened = load_model(folder), load_model(folder, calibrated=True)
    examples = trained.dataset.inputs[trained.split.test]
    assert softened.temperature == trained.made.examined["temperature"]
    raised = plain.predict_proba(examples) ** (1 / softened.temperature)
    assert softened.predict_proba(examples) == pytest.approx(raised / raised.sum(1, keepdims=True))
    assert (plain.predict(examples) == softened.predict(examples)).all()


def test_a_users_own_network_runs_its_code_only_if_it_is_trusted(tmp_path: Path) -> None:
    code = UserCode(
        file=Source(path="/somewhere/my_study.py", text=BUILD),
        modules={"layers": Source(path="/somewhere/layers.py", text=LAYERS)},
    )
    trained = train(datasets.load("digits"), code=code)
    folder = trained.write(tmp_path)
    assert (folder / "code/my_study.py").read_bytes() == BUILD
    assert (folder / "code/layers.py").read_bytes() == LAYERS
    with pytest.raises(ModelError, match="--trust-code"):
        load_model(folder)
    check(trained, load_model(folder, trust_code=True), trained.dataset.inputs[trained.split.test])


def test_the_files_say_what_it_is(tmp_path: Path) -> None:
    trained = train(datasets.load("digits"), dropout=0.1, batch_norm=True)
    folder = trained.write(tmp_path)
    assert json.loads((folder / "evaluation.json").read_text(encoding="utf-8")) == trained.made.examined
    card = (folder / "README.md").read_text(encoding="utf-8")
    assert "*Does depth help?*" in card
    assert "images of 8 x 8 pixels" in card
    total = sum(parameter.numel() for parameter in load_model(folder).module.parameters())
    layers = (folder / "architecture.txt").read_text(encoding="utf-8")
    assert f"Total params: {total:,}" in layers
    assert "Total mult-adds (M): " in layers
    assert not [path for path in folder.rglob("*") if path.read_bytes().startswith(b"\x80")], "no pickle"
    assert ModelFolder.open(folder).config.classes == trained.dataset.classes


def test_readmes_recipe_loads_the_weights_of_scaled_inputs(tmp_path: Path) -> None:
    from safetensors.torch import load_file

    folder = train(datasets.load("synthetic")).write(tmp_path)
    module = load_model(folder).module
    module.load_state_dict(load_file(folder / "weights.safetensors"))
    assert isinstance(module, torch.nn.Module)


def test_the_median_is_not_examined_on_rows_it_has_read(tmp_path: Path) -> None:
    trained = train(datasets.load("digits"))
    rows = {told["row"] for name in ("samples", "mistakes") for told in trained.made.examined[name]}
    assert rows <= set(trained.split.test.tolist())
    assert all(told["true"] != told["predicted"] for told in trained.made.examined["mistakes"])
    confidences = [told["confidence"] for told in trained.made.examined["mistakes"]]
    assert confidences == sorted(confidences, reverse=True)


def test_an_excerpt_ends_with_a_whole_word() -> None:
    assert excerpt("short  text") == "short text"
    cut = excerpt("word " * 100)
    assert len(cut) <= MAX_EXCERPT + 4
    assert cut.endswith("word ...")


def test_a_dataset_without_scaling_is_left_as_it_is(tmp_path: Path) -> None:
    dataset = datasets.load("digits")
    plain = Dataset(
        name="flat",
        about="",
        licence="",
        inputs=dataset.inputs,
        targets=dataset.targets,
        classes=dataset.classes,
    )
    trained = train(plain)
    model = load_model(trained.write(tmp_path))
    assert (model.kind, model.n_features_in_) == ("array", 64)
    check(trained, model, dataset.inputs[trained.split.test])
