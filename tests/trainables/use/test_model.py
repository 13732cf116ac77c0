"""A model follows scikit-learn's conventions."""

from pathlib import Path

import numpy as np
import pytest
from sklearn.base import is_classifier
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import FunctionTransformer

from tests.trainables.use.made import train
from trainables import datasets
from trainables.base.errors import ModelError
from trainables.use.model import Model, load_model


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Model:
    """A model of digits."""
    return load_model(train(datasets.load("digits")).write(tmp_path_factory.mktemp("model")))


def test_it_is_the_last_step_of_a_pipeline(model: Model) -> None:
    inputs, targets = datasets.load("digits").inputs[:50], datasets.load("digits").targets[:50].astype(str)
    pipeline = Pipeline([("bytes", FunctionTransformer(lambda values: values / 16)), ("model", model)])
    pipeline.fit(inputs * 16, targets)
    assert (pipeline.predict(inputs * 16) == model.predict(inputs)).all()
    assert pipeline.predict_proba(inputs * 16) == pytest.approx(model.predict_proba(inputs))
    assert model.score(inputs, targets) == (model.predict(inputs) == targets).mean()
    assert is_classifier(model)
    assert model.fit(inputs) is model


def test_it_says_what_it_is(model: Model) -> None:
    assert repr(model) == "Model(mlp of small, image of 64, 10 classes)"
    assert model.classes_.tolist() == [str(digit) for digit in range(10)]
    assert (model.kind, model.n_features_in_, len(model.feature_names)) == ("image", 64, 64)


def test_no_examples_give_no_predictions(model: Model) -> None:
    assert model.predict_proba(np.zeros((0, 64))).shape == (0, 10)
    assert model.predict(np.zeros((0, 64))).shape == (0,)


def test_chunks_do_not_change_the_numbers(model: Model, monkeypatch: pytest.MonkeyPatch) -> None:
    inputs = datasets.load("digits").inputs[:100]
    whole = model.predict_proba(inputs)
    monkeypatch.setattr("trainables.use.model.MAX_CHUNK_VALUES", 64 * 7)
    assert model.predict_proba(inputs) == pytest.approx(whole, abs=1e-6)


class TestOnnx:
    """The same model run by onnxruntime."""

    @pytest.fixture
    def folder(self, tmp_path: Path) -> Path:
        """A model of scaled numbers, exported beside itself."""
        from trainables.use import examples
        from trainables.use.exported.records import Subject
        from trainables.use.formats import export

        trained = train(datasets.load("synthetic"), batch_norm=True)
        folder = trained.write(tmp_path / "model")
        drawn = examples.from_bytes((folder / examples.FILE).read_bytes())
        model = load_model(folder)
        subject = Subject(
            module=model.module,
            study="small",
            classes=model.config.classes,
            test=drawn["test"],
            validation=drawn["validation"],
            metadata={"trial": "7", "block": "1"},
        )
        export("onnx", subject, folder)
        return folder

    def test_it_gives_the_same_numbers(self, folder: Path) -> None:
        inputs = datasets.load("synthetic").inputs
        expected = load_model(folder, calibrated=True).predict_proba(inputs)
        assert load_model(folder, calibrated=True, engine="onnx").predict_proba(inputs) == pytest.approx(
            expected, abs=1e-5
        )

    def test_a_file_that_is_missing_damaged_or_of_another_model_is_refused(self, folder: Path) -> None:
        with pytest.raises(ModelError, match="--model-format onnx-int8"):
            load_model(folder, engine="onnx-int8")
        with pytest.raises(ModelError, match="no engine is called 'tpu'"):
            load_model(folder, engine="tpu")
        with pytest.raises(ModelError, match="an ensemble runs with torch"):
            load_model(folder, engine="onnx", ensemble=True)
        content = (folder / "model.onnx").read_bytes()
        (folder / "model.onnx").write_bytes(content[: len(content) // 2])
        with pytest.raises(ModelError, match="is damaged"):
            load_model(folder, engine="onnx")
        other = train(datasets.load("synthetic")).write(folder.with_name("other"))
        (other / "model.onnx").write_bytes(content.replace(b"small", b"large"))
        with pytest.raises(ModelError, match="exported from another model"):
            load_model(other, engine="onnx")
