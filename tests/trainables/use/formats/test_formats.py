"""Every format that needs no environment of its own: what is written computes what the module computes."""

import io
import json
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from torch import Tensor, nn

from tests.trainables.use.subjects import FORMS, mlp, subject
from trainables.use import formats
from trainables.use.exported.comparison import MAX_DIFFERENCE
from trainables.use.exported.errors import ExportError

FLOAT = ("onnx", "torch")


def session(path: Path) -> onnxruntime.InferenceSession:
    """Open an exported file as its user would, on one thread."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    return onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])


class TestEveryForm:
    @pytest.mark.parametrize("name", FLOAT)
    @pytest.mark.parametrize("form", FORMS)
    def test_in_float32_it_computes_the_same(self, form: str, name: str, tmp_path: Path) -> None:
        exported = formats.export(name, subject(form), tmp_path)
        assert exported.largest_probability_difference < 1e-5
        assert exported.largest_logit_difference < 1e-4
        assert exported.scores.accuracy == exported.module_scores.accuracy
        assert exported.scores.log_loss == pytest.approx(exported.module_scores.log_loss, abs=1e-5)
        assert exported.module_scores.accuracy > 0.8
        assert exported.num_bytes == exported.paths[0].stat().st_size

    @pytest.mark.parametrize("form", ["mlp", "preprocessed", "cnn"])
    def test_in_8_bits_it_is_smaller_and_predicts_nearly_the_same(self, form: str, tmp_path: Path) -> None:
        whole = formats.export("onnx", subject(form), tmp_path)
        small = formats.export("onnx-int8", subject(form), tmp_path)
        assert small.num_bytes < 0.6 * whole.num_bytes
        assert small.scores.accuracy == pytest.approx(whole.scores.accuracy, abs=0.02)
        assert small.scores.log_loss == pytest.approx(whole.scores.log_loss, abs=0.05)
        assert small.largest_probability_difference < 0.2
        assert "quantisation, chosen by validation log-loss" in small.note


class TestOnnx:
    def test_any_number_of_examples_gives_logits_and_calibrated_probabilities(self, tmp_path: Path) -> None:
        tried = subject("mlp", temperature=2.5)
        formats.export("onnx", tried, tmp_path)
        run = session(tmp_path / "model.onnx")
        for number in (1, 2, 7, 360):
            inputs = tried.test.inputs[:number]
            logits, probabilities = run.run(["logits", "probabilities"], {"inputs": inputs})
            with torch.inference_mode():
                expected = tried.module(torch.from_numpy(inputs))
            np.testing.assert_allclose(logits, expected.numpy(), atol=1e-4)
            np.testing.assert_allclose(probabilities, torch.softmax(expected / 2.5, 1).numpy(), atol=1e-5)

    def test_missing_values_are_filled_inside_the_graph(self, tmp_path: Path) -> None:
        formats.export("onnx", subject("preprocessed"), tmp_path)
        inputs = np.full((3, 64), np.nan, np.float32)
        (logits,) = session(tmp_path / "model.onnx").run(["logits"], {"inputs": inputs})
        assert np.isfinite(logits).all()

    @pytest.mark.parametrize(("name", "file"), [("onnx", "model.onnx"), ("onnx-int8", "model-int8.onnx")])
    def test_it_says_what_it_is_and_nothing_of_the_machine(
        self, name: str, file: str, tmp_path: Path
    ) -> None:
        tried = replace(subject("mlp"), metadata={"plan_hash": "abc"})
        formats.export(name, tried, tmp_path)
        told = session(tmp_path / file).get_modelmeta().custom_metadata_map
        assert told["study"] == "digits_study"
        assert json.loads(told["classes"]) == [str(digit) for digit in range(10)]
        assert json.loads(told["feature_names"])[63] == "pixel 63"
        assert json.loads(told["input_shape"]) == [64]
        assert (told["input_kind"], told["temperature"], told["plan_hash"]) == ("table", "1.0", "abc")
        assert str(Path.cwd()).encode() not in (tmp_path / file).read_bytes()
        assert b"subjects.py" not in (tmp_path / file).read_bytes()
        onnx.checker.check_model(onnx.load(tmp_path / file))

    def test_the_same_module_gives_the_same_bytes(self, tmp_path: Path) -> None:
        formats.export("onnx", subject("mlp"), tmp_path / "a")
        formats.export("onnx", subject("mlp"), tmp_path / "b")
        assert (tmp_path / "a/model.onnx").read_bytes() == (tmp_path / "b/model.onnx").read_bytes()


class TestTorch:
    def test_it_is_loaded_without_the_modules_source(self, tmp_path: Path) -> None:
        tried = subject("cnn")
        formats.export("torch", tried, tmp_path)
        texts = {"metadata.json": ""}
        program = torch.export.load(io.BytesIO((tmp_path / "model.pt2").read_bytes()), extra_files=texts)
        inputs = torch.from_numpy(tried.test.inputs[:3])
        logits, probabilities = program.module()(inputs)
        torch.testing.assert_close(logits, tried.module(inputs))
        torch.testing.assert_close(probabilities.sum(1), torch.ones(3))
        assert json.loads(json.loads(texts["metadata.json"])["classes"]) == list(tried.classes)


class Odd(nn.Module):
    """A module that counts on the size of its batch."""

    def __init__(self) -> None:
        """Be a network otherwise."""
        super().__init__()
        self.network = mlp()

    def forward(self, inputs: Tensor) -> Tensor:
        """Return logits relative to the batch's mean, which a single example does not have."""
        logits: Tensor = self.network(inputs)
        return logits - logits.mean(0) if float(logits.detach().sum()) > 0 else logits


class Restless(nn.Module):
    """A module that gives something else each time."""

    def __init__(self) -> None:
        """Be a network otherwise."""
        super().__init__()
        self.network = mlp()

    def forward(self, inputs: Tensor) -> Tensor:
        """Return noisy logits."""
        logits: Tensor = self.network(inputs)
        return logits + torch.rand_like(logits)


class TestRefusal:
    @pytest.mark.parametrize("name", ["onnx", "onnx-int8", "torch"])
    def test_a_module_that_branches_on_values(self, name: str, tmp_path: Path) -> None:
        with pytest.raises(ExportError, match="torch cannot express the module") as caught:
            formats.export(name, replace(subject("mlp"), module=Odd().eval()), tmp_path / "new")
        assert "forward()" in caught.value.advice
        assert not (tmp_path / "new").exists()

    @pytest.mark.parametrize("name", FLOAT)
    def test_a_file_that_computes_something_else(self, name: str, tmp_path: Path) -> None:
        with pytest.raises(ExportError, match=r"differ from the module's by up to .*1e-04 is allowed"):
            formats.export(name, replace(subject("mlp"), module=Restless().eval()), tmp_path)
        assert list(tmp_path.iterdir()) == []
        assert MAX_DIFFERENCE == 1e-4

    def test_a_format_that_there_is_not(self, tmp_path: Path) -> None:
        with pytest.raises(ValueError, match="choices: onnx, onnx-int8, tflite, tflite-int8, torch"):
            formats.export("coreml", subject("mlp"), tmp_path)

    @pytest.mark.parametrize("missing", ["onnx", "onnxscript", "onnxruntime"])
    def test_a_missing_package_is_named_with_its_command(
        self, missing: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setitem(sys.modules, missing, None)
        with pytest.raises(ExportError, match=rf"package {missing}, .*pip install 'studies\[onnx\]'"):
            formats.export("onnx", subject("mlp"), tmp_path)
        assert list(tmp_path.iterdir()) == []

    def test_an_earlier_file_stays_where_the_disk_fails(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        (tmp_path / "model.onnx").write_bytes(b"earlier")

        def fail(descriptor: int) -> None:
            raise OSError(28, "No space left on device")

        monkeypatch.setattr("os.fsync", fail)
        with pytest.raises(OSError, match=r"model\.onnx"):
            formats.export("onnx", subject("mlp"), tmp_path)
        assert [path.name for path in tmp_path.iterdir()] == ["model.onnx"]
        assert (tmp_path / "model.onnx").read_bytes() == b"earlier"
